"""Loaders: what the fields of one answer ask for by id, gathered into one service call for each kind.

They belong to one operation, or to one batch of a subscription's events, and to one caller: what the caller may
not see is None, in the order of the keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from strawberry.dataloader import DataLoader

from tieline.clients import service as clients
from tieline.clients.repository import Client
from tieline.connections import service as connections
from tieline.connections.organisations.repository import Organisation
from tieline.connections.quotas.service import quota_of_apps, quota_of_connections
from tieline.connections.repository import Connection
from tieline.connections.settings.service import Settled, settings_of
from tieline.connections.suggestions.matching import Suggestion
from tieline.connections.suggestions.service import MAX_ORGANISATIONS, find_namesakes, suggest_clients
from tieline.connections.warnings.ends import Warned
from tieline.connections.warnings.service import list_warnings
from tieline.credentials.apps.repository import App
from tieline.credentials.apps.service import list_apps
from tieline.errors import SignInNotReady, SignInOver
from tieline.ids import ClientId, ConnectionId, OrganisationId, PersonId, SignInId, TeamId
from tieline.plugins import Product
from tieline.practices import service as practices
from tieline.practices.repository import Person, Team
from tieline.practices.teams.repository import TeamSize
from tieline.practices.teams.service import team_sizes
from tieline.principal import Principal
from tieline.quota import QuotaTold
from tieline.sync import service as syncs
from tieline.sync.runs import Run

K = TypeVar("K")
V = TypeVar("V")

_MOST_QUOTAS = 200
"""So many connections are looked up in Redis at one go."""

Found: TypeAlias = tuple[SignInId, Product, OrganisationId]
"""An organisation that a sign-in found, to be connected for a product."""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What will be asked for by one event after another: loaded with the first of its kind that is asked for."""

    clients: Collection[ClientId] = ()
    connections: Collection[ConnectionId] = ()
    organisations: Collection[OrganisationId] = ()


@dataclass(frozen=True, kw_only=True)
class Loaders:
    """Named for what they map. `app` and `quota_of_app` go by the provider's slug; `connections` are a client's
    current ones; `last_run` is the latest sync of a connection's organisation, `settings` what is settled about one.
    """

    app: DataLoader[str, App | None]
    client: DataLoader[ClientId, Client | None]
    connection: DataLoader[ConnectionId, Connection | None]
    connections: DataLoader[ClientId, list[Connection]]
    last_run: DataLoader[ConnectionId, Run | None]
    namesakes: DataLoader[OrganisationId, tuple[ClientId, ...]]
    organisation: DataLoader[OrganisationId, Organisation | None]
    person: DataLoader[PersonId, Person | None]
    quota_of_app: DataLoader[str, QuotaTold | None]
    quota_of_connection: DataLoader[ConnectionId, QuotaTold | None]
    settings: DataLoader[ConnectionId, list[Settled]]
    suggestions: DataLoader[Found, tuple[Suggestion, ...]]
    team: DataLoader[TeamId, Team | None]
    team_size: DataLoader[TeamId, TeamSize | None]
    warning: DataLoader[ConnectionId, Warned | None]

    @classmethod
    def of(cls, principal: Principal, ahead: Ahead = Ahead()) -> Loaders:
        return cls(
            app=_loader(lambda _: list_apps(principal.practice_id), lambda app: app.provider),
            client=_loader(
                lambda ids: clients.get_clients(principal, ids), lambda client: client.id, ahead.clients
            ),
            connection=_loader(
                lambda ids: connections.get_connections(principal, ids),
                lambda connection: connection.id,
                ahead.connections,
            ),
            connections=_connections(principal, ahead.clients),
            last_run=_last_run(principal),
            namesakes=_namesakes(principal),
            organisation=_loader(
                lambda ids: _organisations(principal, ids), lambda known: known.id, ahead.organisations
            ),
            person=_loader(lambda ids: practices.list_people(principal, ids), lambda person: person.id),
            quota_of_app=_quota_of_app(principal),
            quota_of_connection=_quota_of_connection(principal),
            settings=_settings(principal),
            suggestions=_suggestions(principal),
            team=_loader(lambda ids: practices.list_teams(principal, ids), lambda team: team.id),
            team_size=_loader(lambda ids: team_sizes(principal, ids), lambda size: size.team_id),
            warning=_loader(lambda ids: list_warnings(principal, ids), lambda warned: warned.connection_id),
        )


def _loader(
    read: Callable[[list[K]], Awaitable[Iterable[V]]], key: Callable[[V], K], ahead: Collection[K] = ()
) -> DataLoader[K, V | None]:
    """What `read` finds of some keys, each under its own key."""

    async def load(keys: list[K]) -> list[V | None]:
        found = {key(one): one for one in await read(keys)}
        return [found.get(wanted) for wanted in keys]

    return _ahead_of(load, ahead)


def _ahead_of(load: Callable[[list[K]], Awaitable[list[V]]], ahead: Collection[K]) -> DataLoader[K, V]:
    """A loader that loads all of `ahead` as soon as one of anything is asked for."""
    coming = set(ahead)

    async def load_all(keys: list[K]) -> list[V]:
        more = list(coming.difference(keys))
        coming.clear()
        found = await load([*keys, *more])
        loader.prime_many(dict(zip(more, found[len(keys) :], strict=True)))
        return found[: len(keys)]

    loader: DataLoader[K, V] = DataLoader(load_all)
    return loader


async def _organisations(principal: Principal, ids: list[OrganisationId]) -> Iterable[Organisation]:
    return (await connections.get_organisations(principal, ids)).values()


def _connections(principal: Principal, ahead: Collection[ClientId]) -> DataLoader[ClientId, list[Connection]]:
    async def load(ids: list[ClientId]) -> list[list[Connection]]:
        found = await connections.connections_of_clients(principal, ids)
        return [found.get(client_id, []) for client_id in ids]

    return _ahead_of(load, ahead)


def _last_run(principal: Principal) -> DataLoader[ConnectionId, Run | None]:
    async def load(ids: list[ConnectionId]) -> list[Run | None]:
        found = await syncs.last_runs(principal, ids)
        return [found.get(connection_id) for connection_id in ids]

    return DataLoader(load)


def _quota_of_app(principal: Principal) -> DataLoader[str, QuotaTold | None]:
    async def load(providers: list[str]) -> list[QuotaTold | None]:
        found = await quota_of_apps(principal)
        return [found.get(provider) for provider in providers]

    return DataLoader(load)


def _quota_of_connection(principal: Principal) -> DataLoader[ConnectionId, QuotaTold | None]:
    async def load(ids: list[ConnectionId]) -> list[QuotaTold | None]:
        found = await quota_of_connections(principal, ids)
        return [found.get(connection_id) for connection_id in ids]

    return DataLoader(load, max_batch_size=_MOST_QUOTAS)


def _settings(principal: Principal) -> DataLoader[ConnectionId, list[Settled]]:
    async def load(ids: list[ConnectionId]) -> list[list[Settled]]:
        found = await settings_of(principal, ids)
        return [found.get(connection_id, []) for connection_id in ids]

    return DataLoader(load)


def _namesakes(principal: Principal) -> DataLoader[OrganisationId, tuple[ClientId, ...]]:
    async def load(ids: list[OrganisationId]) -> list[tuple[ClientId, ...]]:
        found = await find_namesakes(principal, ids)
        return [found.get(organisation_id, ()) for organisation_id in ids]

    return DataLoader(load, max_batch_size=MAX_ORGANISATIONS)


def _suggestions(principal: Principal) -> DataLoader[Found, tuple[Suggestion, ...]]:
    async def load(keys: list[Found]) -> list[tuple[Suggestion, ...]]:
        wanted: dict[tuple[SignInId, Product], list[OrganisationId]] = defaultdict(list)
        for sign_in_id, product, organisation_id in keys:
            wanted[sign_in_id, product].append(organisation_id)
        found: dict[Found, tuple[Suggestion, ...]] = {}
        for (sign_in_id, product), ids in wanted.items():
            suggested = await _suggested(principal, sign_in_id, product, ids)
            found.update({(sign_in_id, product, one): clients_ for one, clients_ in suggested.items()})
        return [found.get(key, ()) for key in keys]

    return DataLoader(load, max_batch_size=MAX_ORGANISATIONS)


async def _suggested(
    principal: Principal, sign_in_id: SignInId, product: Product, ids: list[OrganisationId]
) -> dict[OrganisationId, tuple[Suggestion, ...]]:
    """Nothing for a sign-in that cannot be used: what it found is still shown."""
    try:
        return await suggest_clients(principal, sign_in_id, product, ids)
    except (SignInNotReady, SignInOver):
        return {}
