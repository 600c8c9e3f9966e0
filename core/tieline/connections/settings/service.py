"""What callers do with the settings of a connection: look at them, settle some anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.permitted import permitted
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.runs import queue_some, settle_runs
from tieline.connections.settings.reading import AskedSetting, ReadSetting, read_settings, stored_with
from tieline.connections.settings.repository import NamedRecord, Place, records_at
from tieline.connections.states import Reason
from tieline.database import scope
from tieline.errors import Invalid, NotFound, SeveralInvalid
from tieline.events.kinds import ConnectionSettingsChanged, of_connection
from tieline.host import host
from tieline.ids import ConnectionId
from tieline.plugins import ConnectionSetting, Provider, feeds_for, settings_for
from tieline.principal import Permission, Principal
from tieline.sync.runs import Trigger
from tieline.work import Work, retrying, unit_of_work

MAX_SETTINGS = 50
_SWITCHED_OFF = "SWITCHED_OFF"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """A setting and its value of one connection; `record` is what a RECORD names, None where that is gone."""

    setting: ConnectionSetting
    value: str | None
    record: NamedRecord | None

    @property
    def is_default(self) -> bool:
        return self.value == self.setting.default


@retrying
async def update_settings(
    principal: Principal, connection_id: ConnectionId, asked: Sequence[AskedSetting]
) -> Connection:
    """Settle some things about a current connection anew; what is not mentioned stays, no value is the default again.

    What is to be read from now on is read in the background, if the connection works, and nothing else for its sake:
    the next sync of everything comes when it would have come. Raises NotFound, Forbidden, Invalid (more
    than 50) and SeveralInvalid with everything that does not fit; what is so already changes nothing.
    """
    if len(asked) > MAX_SETTINGS:
        raise Invalid(f"One request changes at most {MAX_SETTINGS} settings.", field="settings")
    async with unit_of_work(principal) as work:
        found = await permitted(principal, connection_id, Permission.MANAGE_CONNECTIONS)
        await OrganisationRepository.of(principal.practice_id).lock([found.organisation_id])
        connections = ConnectionRepository.of(principal.practice_id)
        locked = await connections.lock([connection_id])
        if not locked or locked[0].ended_at is not None:
            raise NotFound("connection", connection_id, field="connectionId")
        [standing] = locked
        provider = host().registry.get(standing.provider)
        if provider is None:
            raise NotFound("provider", standing.provider)

        read, wrong = read_settings(settings_for(provider.info, standing.product), asked)
        wrong += await _not_there(standing, read)
        if wrong:
            raise SeveralInvalid(wrong)
        settings = stored_with(standing.settings, read)
        if settings == standing.settings:
            return standing

        changed = await connections.set_settings(connection_id, settings, at=work.now)
        work.event(ConnectionSettingsChanged(**of_connection(changed), settings=_others(standing, changed)))
        await _read_what_is_wanted(work, principal, provider, standing, changed)
    return changed


async def settings_of(
    principal: Principal, connection_ids: Collection[ConnectionId]
) -> dict[ConnectionId, list[Settled]]:
    """What is settled about those of these that the caller sees, by the order in which their plugins declare it.

    Of a connection that ended or was disconnected no record is looked for: its books may be another client's by now.
    """
    async with scope(principal.practice_id):
        found = await ConnectionRepository.visible_to(principal).get_many(connection_ids)
        declared = {each.id: _declared(each) for each in found}
        named = {
            place
            for each in found
            if _holds_its_books(each)
            for setting in declared[each.id]
            if (place := _place(each, setting, setting.value_in(each.settings))) is not None
        }
        records = await records_at(principal.practice_id, named) if named else {}
    return {
        each.id: [
            Settled(
                setting=setting,
                value=(value := setting.value_in(each.settings)),
                record=records.get(place) if (place := _place(each, setting, value)) else None,
            )
            for setting in declared[each.id]
        ]
        for each in found
    }


def _declared(connection: Connection) -> tuple[ConnectionSetting, ...]:
    """Nothing for a provider that is not installed."""
    provider = host().registry.get(connection.provider)
    return () if provider is None else settings_for(provider.info, connection.product)


def _holds_its_books(connection: Connection) -> bool:
    return connection.ended_at is None and connection.reason is not Reason.DISCONNECTED


def _place(connection: Connection, setting: ConnectionSetting, value: str | None) -> Place | None:
    """Where the record is that a RECORD names."""
    if setting.dataset is None or value is None:
        return None
    return Place(connection.organisation_id, setting.dataset, value)


async def _not_there(connection: Connection, read: Sequence[ReadSetting]) -> list[Invalid]:
    """What names no active record of the connection's books; one that stood there before may stay."""
    places = {
        each.field: (place, each.setting)
        for each in read
        if each.value != connection.settings.get(each.setting.name)
        and (place := _place(connection, each.setting, each.value)) is not None
    }
    if not _holds_its_books(connection):
        return [
            Invalid(f"{setting.label} is chosen from the books: reconnect the connection first.", field=field)
            for field, (_, setting) in places.items()
        ]
    if not places:
        return []
    records = await records_at(connection.practice_id, {place for place, _ in places.values()})
    return [
        Invalid(
            f"{setting.label} names no active record of {place.dataset}: choose one of this organisation.",
            field=field,
        )
        for field, (place, setting) in places.items()
        if place not in records or not records[place].active
    ]


def _others(before: Connection, after: Connection) -> tuple[str, ...]:
    """The names of what is settled otherwise than before."""
    names = sorted(before.settings.keys() | after.settings.keys())
    return tuple(name for name in names if before.settings.get(name) != after.settings.get(name))


async def _read_what_is_wanted(
    work: Work, principal: Principal, provider: Provider, before: Connection, after: Connection
) -> None:
    """A sync of what is read from now on; what is not any more, a live run leaves out."""
    old, new = (
        {feed.name for feed in feeds_for(provider.info, each.product, each.settings)}
        for each in (before, after)
    )
    if old - new:
        await settle_runs(work, principal.practice_id, [after.organisation_id], reason=_SWITCHED_OFF)
    if new - old and after.reason is None:
        await queue_some(
            work,
            principal.practice_id,
            [after],
            new - old,
            trigger=Trigger.SETTINGS,
            person_id=principal.person_id,
        )
