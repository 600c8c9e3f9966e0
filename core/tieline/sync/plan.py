"""The beginning of a slice: what of the run is still wanted, and which credential reads each feed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.host import host
from tieline.ids import CredentialId, OrganisationId, PracticeId, RunId
from tieline.plugins import Feed, FeedKind, Provider, feeds_for
from tieline.principal import Principal
from tieline.sync.feeds.repository import FeedPlace, FeedRepository
from tieline.sync.feeds.times import is_due
from tieline.sync.repository import RunRepository
from tieline.sync.runs import WHOLE, FailureReason, RunState, Trigger
from tieline.sync.standing import FeedState, Standing, begun, ended
from tieline.work import Lane, Work, attempt, retrying, unit_of_work

LOST_WORKERS = 5
"""A run whose workers are lost before a page comes is not at fault for it by that: machines are lost for reasons of
their own, and among hundreds of kills some run is hit three times in a row."""
_NOT_CONNECTED = "NOT_CONNECTED"
_BROKEN_OFF = (
    f"The work broke off {LOST_WORKERS} times before a page of the plugin {{}} was stored: "
    "the worker's log says why."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One feed that a slice is to read: through which credential, and where from."""

    feed: Feed
    credential_id: CredentialId
    place: FeedPlace
    state: FeedState

    def read_again(self) -> Step:
        """The same feed from its beginning, as another generation."""
        return replace(self, place=replace(self.place, cursor=None, generation=self.place.generation + 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a slice is to do."""

    practice_id: PracticeId
    run_id: RunId
    organisation_id: OrganisationId
    external_id: str
    provider: Provider
    lane: Lane
    trigger: Trigger
    steps: tuple[Step, ...]

    @property
    def slug(self) -> str:
        return self.provider.info.slug


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A feed, and through which of the working connections' credentials it is read."""

    feed: Feed
    credential_id: CredentialId


@dataclass(frozen=True, kw_only=True, slots=True)
class Hopeless:
    """The run cannot be worked."""

    slug: str
    trigger: Trigger
    reason: FailureReason
    message: str


@retrying
async def begin(practice_id: PracticeId, run_id: RunId) -> Plan | Hopeless | None:
    """Say that the run goes on; None where it is over, or nothing that works wants it any more."""
    async with unit_of_work(Principal.machine(practice_id)) as work:
        runs = RunRepository.of(practice_id)
        organisation_id = await runs.organisation_of(run_id)
        if organisation_id is None:
            return None
        locked = await OrganisationRepository.of(practice_id).lock([organisation_id])
        standing = await runs.lock(run_id)
        if standing is None or not locked:
            return None
        [organisation] = locked
        provider = host().registry.get(organisation.provider)
        if provider is None:
            return _hopeless(organisation.provider, standing, "The plugin {} is not installed.")
        if attempt() > LOST_WORKERS:
            return _hopeless(organisation.provider, standing, _BROKEN_OFF)

        routes = routes_of(
            provider, await working(practice_id, organisation_id), standing.wanted, standing.credential_id
        )
        if standing.wanted and not routes:
            await _cancel(work, runs, standing)
            return None
        places = await FeedRepository.of(practice_id).places(organisation_id)
        if standing.lane is Lane.BACKGROUND and standing.trigger not in WHOLE:
            routes = _due(routes, standing, places, at=work.now)
        standing = begun(standing, tuple(routes), at=work.now)
        await runs.put(standing, at=work.now)
        work.hint("sync_run", run_id)
    return Plan(
        practice_id=practice_id,
        run_id=run_id,
        organisation_id=organisation_id,
        external_id=organisation.external_id,
        provider=provider,
        lane=standing.lane,
        trigger=standing.trigger,
        steps=tuple(_step(routes[name], standing.feed(name), places) for name in standing.open_feeds),
    )


def _hopeless(slug: str, standing: Standing, sentence: str) -> Hopeless:
    message = sentence.format(slug)
    return Hopeless(slug=slug, trigger=standing.trigger, reason=FailureReason.PLUGIN, message=message)


async def working(practice_id: PracticeId, organisation_id: OrganisationId) -> list[Connection]:
    """The current connections to the organisation that nothing is wrong with."""
    current = await ConnectionRepository.of(practice_id).current_of_organisations([organisation_id])
    return [each for each in current if each.reason is None]


def routes_of(
    provider: Provider,
    connections: Collection[Connection],
    wanted: Sequence[str],
    preferred: CredentialId,
) -> Mapping[str, Route]:
    """Of the wanted feeds, in their order, those that a working connection wants.

    Each is read through the preferred credential if one of those connections hangs on it.
    """
    routes: dict[str, Route] = {}
    for name in wanted:
        serving = [each for each in connections if name in feed_names(provider, each)]
        if serving:
            credentials = sorted({each.credential_id for each in serving}, key=str)
            through = preferred if preferred in credentials else credentials[0]
            routes[name] = Route(feed=_feed(provider, name), credential_id=through)
    return routes


def feed_names(provider: Provider, connection: Connection) -> frozenset[str]:
    """What the connection wants read, by its product and its settings."""
    wanted = feeds_for(provider.info, connection.product, connection.settings)
    return frozenset(feed.name for feed in wanted)


def _feed(provider: Provider, name: str) -> Feed:
    feeds: Iterable[Feed] = (feed for feeds in provider.info.feeds.values() for feed in feeds)
    return next(feed for feed in feeds if feed.name == name)


def _due(
    routes: Mapping[str, Route], standing: Standing, places: Mapping[str, FeedPlace], *, at: datetime
) -> dict[str, Route]:
    """What this run has begun, what a webhook touched, and what it makes sense to ask again."""
    return {
        name: route
        for name, route in routes.items()
        if standing.feed(name).pages or standing.feed(name).touched or is_due(route.feed, places[name], at=at)
    }


def _step(route: Route, state: FeedState, places: Mapping[str, FeedPlace]) -> Step:
    """A snapshot begins anew unless this run is in the middle of it: what was seen long ago says nothing now.

    Whatever is read without a cursor is seen as a generation of its own.
    """
    place = places[route.feed.name]
    if route.feed.kind is FeedKind.CHANGES and place.cursor is None:
        place = replace(place, generation=place.generation + 1)
    if route.feed.kind is FeedKind.SNAPSHOT and (
        state.generation is None or state.generation != place.generation
    ):
        place = FeedPlace(cursor=None, generation=max(place.generation, state.generation or 0) + 1)
    return Step(feed=route.feed, credential_id=route.credential_id, place=place, state=state)


async def _cancel(work: Work, runs: RunRepository, standing: Standing) -> None:
    over = ended(standing, RunState.CANCELLED, at=work.now, reason=_NOT_CONNECTED)
    await runs.put(over, at=work.now)
    work.hint("sync_run", standing.id)
