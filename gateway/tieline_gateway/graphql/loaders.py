"""Loaders: what the fields of one answer ask for by id, gathered into one service call for each kind.

They belong to one operation, or to one batch of a subscription's events, and to one caller: what the caller may
not see is None, in the order of the keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
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


class Loaders:
    """Named for what they map, each made when it is first asked for: an event of many subscriptions asks for few.

    `app` and `quota_of_app` go by the provider's slug; `connections` are a client's current ones; `last_run` is the
    latest sync of a connection's organisation, `settings` what is settled about one. `ahead` is asked at most once.
    """

    def __init__(self, principal: Principal, ahead: Callable[[], Ahead] = Ahead) -> None:
        self._principal = principal
        self._look_ahead = ahead

    @cached_property
    def _ahead(self) -> Ahead:
        return self._look_ahead()

    @cached_property
    def app(self) -> DataLoader[str, App | None]:
        practice_id = self._principal.practice_id
        return _loader(lambda _: list_apps(practice_id), lambda app: app.provider)

    @cached_property
    def client(self) -> DataLoader[ClientId, Client | None]:
        read = partial(clients.get_clients, self._principal)
        return _loader(read, lambda client: client.id, self._ahead.clients)

    @cached_property
    def connection(self) -> DataLoader[ConnectionId, Connection | None]:
        read = partial(connections.get_connections, self._principal)
        return _loader(read, lambda connection: connection.id, self._ahead.connections)

    @cached_property
    def connections(self) -> DataLoader[ClientId, list[Connection]]:
        return _connections(self._principal, self._ahead.clients)

    @cached_property
    def last_run(self) -> DataLoader[ConnectionId, Run | None]:
        return _last_run(self._principal)

    @cached_property
    def namesakes(self) -> DataLoader[OrganisationId, tuple[ClientId, ...]]:
        return _namesakes(self._principal)

    @cached_property
    def organisation(self) -> DataLoader[OrganisationId, Organisation | None]:
        read = partial(_organisations, self._principal)
        return _loader(read, lambda known: known.id, self._ahead.organisations)

    @cached_property
    def person(self) -> DataLoader[PersonId, Person | None]:
        return _loader(partial(practices.list_people, self._principal), lambda person: person.id)

    @cached_property
    def quota_of_app(self) -> DataLoader[str, QuotaTold | None]:
        return _quota_of_app(self._principal)

    @cached_property
    def quota_of_connection(self) -> DataLoader[ConnectionId, QuotaTold | None]:
        return _quota_of_connection(self._principal)

    @cached_property
    def settings(self) -> DataLoader[ConnectionId, list[Settled]]:
        return _settings(self._principal)

    @cached_property
    def suggestions(self) -> DataLoader[Found, tuple[Suggestion, ...]]:
        return _suggestions(self._principal)

    @cached_property
    def team(self) -> DataLoader[TeamId, Team | None]:
        return _loader(partial(practices.list_teams, self._principal), lambda team: team.id)

    @cached_property
    def team_size(self) -> DataLoader[TeamId, TeamSize | None]:
        return _loader(partial(team_sizes, self._principal), lambda size: size.team_id)

    @cached_property
    def warning(self) -> DataLoader[ConnectionId, Warned | None]:
        return _loader(partial(list_warnings, self._principal), lambda warned: warned.connection_id)


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
