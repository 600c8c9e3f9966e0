"""Changing what is known of a client: what is not mentioned stays, what is mentioned as nothing is cleared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from tieline.clients import details
from tieline.clients.repository import Client, ClientRepository
from tieline.clients.teams import check_team
from tieline.connections.mismatches import remismatch_client
from tieline.errors import NotFound
from tieline.events.kinds import ClientChanged, ClientRenamed
from tieline.ids import ClientId, TeamId
from tieline.inputs import read_all
from tieline.names import clean_name
from tieline.practices.repository import PracticeRepository
from tieline.principal import Permission, Principal
from tieline.work import retrying, unit_of_work


class Unmentioned(Enum):
    """The value of what stays as it is."""

    UNMENTIONED = "UNMENTIONED"


UNMENTIONED: Final = Unmentioned.UNMENTIONED
_DETAILS = {
    "legalName": "legal_name",
    "practiceCode": "practice_code",
    "teamId": "team_id",
    "country": "country",
    "currency": "currency",
}
"""What the API calls them, and the record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientChanges:
    """What a person says anew of a client; None clears it, where it may be without."""

    name: str | Unmentioned | None = UNMENTIONED
    legal_name: str | Unmentioned | None = UNMENTIONED
    practice_code: str | Unmentioned | None = UNMENTIONED
    team_id: TeamId | Unmentioned | None = UNMENTIONED
    country: str | Unmentioned | None = UNMENTIONED
    currency: str | Unmentioned | None = UNMENTIONED

    @property
    def of_the_practice(self) -> str | None:
        """The first input that is about how the practice keeps its clients, and not what the client is."""
        if self.practice_code is not UNMENTIONED:
            return "practiceCode"
        return None if self.team_id is UNMENTIONED else "teamId"


@retrying
async def update_client(principal: Principal, client_id: ClientId, changes: ClientChanges) -> Client:
    """Change details of a client: as it is now. What a person has changed, no ledger changes any more.

    A value that is sent as it stands stays the ledger's, since forms send all of their fields.

    Team and practice code are the practice's: to be an administrator of the client is not enough for them. Raises
    NotFound (client, team), Forbidden, Invalid, SeveralInvalid, CodeTaken and PlanTooSmall; what is so already changes
    nothing.
    """
    async with unit_of_work(principal) as work:
        if changes.of_the_practice is not None:
            principal.require(Permission.MANAGE_CONNECTIONS, field=changes.of_the_practice)
            # Whoever gives many clients their codes counts on those that are free; teams are deleted behind this, too.
            await PracticeRepository.of(principal.practice_id).lock()
        clients = ClientRepository.visible_to(principal)
        client = await clients.get(client_id, lock=True)
        if client is None:
            raise NotFound("client", client_id, field="id")
        administers = client.administered and changes.of_the_practice is None
        principal.require(Permission.MANAGE_CONNECTIONS, administers=administers)
        changed = _changed(client, changes)
        if changed.team_id != client.team_id:
            await check_team(principal, changed.team_id)

        if replace(changed, name=client.name) != client:
            await clients.set_details(client, changed)
            work.event(ClientChanged(client_id=client_id, fields=_fields(client, changed)))
        if changed.name != client.name:
            await clients.rename(client_id, changed.name)
            work.event(ClientRenamed(client_id=client_id))
            await remismatch_client(work, principal.practice_id, client_id)
    return changed


def _changed(client: Client, changes: ClientChanges) -> Client:
    """The client as it is to be. Raises Invalid, and SeveralInvalid with everything that does not fit."""

    def read(value: Any, reader: Callable[[Any], str | None], standing: str | None) -> str | None:
        return standing if value is UNMENTIONED else reader(value)

    name, legal_name, practice_code, country, currency = read_all(
        lambda: read(changes.name, _name, client.name),
        lambda: read(changes.legal_name, details.legal_name, client.legal_name),
        lambda: read(changes.practice_code, details.practice_code, client.practice_code),
        lambda: read(changes.country, details.country, client.country),
        lambda: read(changes.currency, details.currency, client.currency),
    )
    assert name is not None
    return replace(
        client,
        name=name,
        legal_name=legal_name,
        practice_code=practice_code,
        team_id=client.team_id if changes.team_id is UNMENTIONED else changes.team_id,
        country=country,
        currency=currency,
    )


def _fields(before: Client, after: Client) -> tuple[str, ...]:
    """What is other than before, by the API's words."""
    return tuple(word for word, name in _DETAILS.items() if getattr(before, name) != getattr(after, name))


def _name(value: str | None) -> str:
    return clean_name(value or "", field="name")
