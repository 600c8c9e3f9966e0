"""How it stands with the limits of connections and of apps: one look at Redis, and what is kept beside it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from tieline import clock
from tieline.connections.quotas.repository import metered
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import meter_of
from tieline.database import scope
from tieline.errors import Invalid
from tieline.host import host
from tieline.ids import AppId, ConnectionId, PracticeId
from tieline.principal import Principal
from tieline.quota import RESERVE, Block, Call, Counted, QuotaTold, tell
from tieline.quota.months import MONTH_DAYS
from tieline.quota.repository import BlockRepository, MeterRepository

_Whose: TypeAlias = tuple[AppId, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What of the apps' quota stands in rows."""

    apps: dict[AppId, App]
    blocks: dict[AppId, list[Block]]
    days: dict[AppId, list[Counted]]


async def quota_of_connections(
    principal: Principal, ids: Collection[ConnectionId]
) -> dict[ConnectionId, QuotaTold]:
    """Of those of these that the caller sees and that hold an organisation, where the plugin is still installed.

    Who only belongs to clients is told what is the organisation's own.
    """
    async with scope(principal.practice_id):
        found = await metered(principal, ids)
        kept = await _kept(principal.practice_id, {each.organisation for each in found})
    told = await _told(kept, {(each.app_id, each.organisation) for each in found})
    if not principal.is_insider:
        told = {whose: quota.of_organisation() for whose, quota in told.items()}
    return {
        each.connection_id: told[each.app_id, each.organisation]
        for each in found
        if (each.app_id, each.organisation) in told
    }


async def quota_of_apps(principal: Principal) -> dict[str, QuotaTold]:
    """What all calls of an app share, by its provider: of the practice's apps whose plugin is installed.

    Nothing for who only belongs to clients: it would tell them how busy the practice is with others.
    """
    if not principal.is_insider:
        return {}
    async with scope(principal.practice_id):
        kept = await _kept(principal.practice_id, ())
    told = await _told(kept, {(app_id, None) for app_id in kept.apps})
    return {kept.apps[app_id].provider: quota for (app_id, _), quota in told.items()}


async def quota_of_app(practice_id: PracticeId, provider: str) -> QuotaTold:
    """The same of one app, for its operator. Raises Invalid."""
    found = (await quota_of_apps(Principal.machine(practice_id))).get(provider)
    if found is None:
        raise Invalid(
            f"This practice has no app at {provider} whose plugin is installed: 'tieline app list' shows its apps, "
            "'tieline plugins' what is installed.",
            field="provider",
        )
    return found


async def _kept(practice_id: PracticeId, organisations: Collection[str]) -> _Kept:
    """Of all the practice's apps, and of these organisations at them."""
    at = clock.now()
    since = (at - MONTH_DAYS).date()
    return _Kept(
        apps={app.id: app for app in await AppRepository.of(practice_id).all()},
        blocks=await BlockRepository.of(practice_id).standing_of(organisations, at=at),
        days=await MeterRepository.of(practice_id).counted_of(organisations, since=since),
    )


async def _told(kept: _Kept, wanted: Collection[_Whose]) -> dict[_Whose, QuotaTold]:
    calls = {
        (app_id, organisation): call
        for app_id, organisation in wanted
        if (call := _call(kept.apps[app_id], organisation)) is not None
    }
    looked = await host().quota.look(list(calls.values()))
    at = clock.now()
    return {
        whose: tell(call, seen, blocks=kept.blocks.get(whose[0], ()), days=kept.days.get(whose[0], ()), at=at)
        for (whose, call), seen in zip(calls.items(), looked, strict=True)
    }


def _call(app: App, organisation: str | None) -> Call | None:
    """One that leaves its reserve to people, as those of syncs do; None where the plugin is no longer installed."""
    provider = host().registry.get(app.provider)
    if provider is None:
        return None
    return Call.of(meter_of(app), organisation, provider.limits(app.tier), reserve=RESERVE)
