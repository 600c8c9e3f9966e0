"""The list of clients as a spreadsheet: one row a client, with how it is connected for each product."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieline import clock
from tieline.clients.service import read_search
from tieline.connections.export.repository import (
    MAX_CLIENTS,
    ExportedClient,
    ExportedConnection,
    ExportQuery,
    export_rows,
)
from tieline.connections.states import Reason, Status
from tieline.connections.states import statuses as shown
from tieline.credentials.consents.repository import Consented, ConsentRepository
from tieline.database import scope
from tieline.errors import Invalid, NotFound
from tieline.ids import PersonId, TeamId
from tieline.pages import chosen
from tieline.plugins import Product
from tieline.practices.repository import PracticeRepository
from tieline.practices.service import list_teams
from tieline.principal import Principal
from tieline.spreadsheets import render

_OF_CLIENT = ("Client ID", "Name", "Legal name", "Practice code", "Team", "Country", "Currency")
_OF_CONNECTION = (
    "status",
    "reason",
    "provider",
    "organisation",
    "organisation's legal name",
    "integrated by",
    "last sync",
    "expires",
)
_PRODUCTS = {Product.BOOKKEEPING: "Bookkeeping", Product.DATA_HEALTH: "Data health"}
CODES_HEADER = ("Client ID", "Name", "Practice code")
HEADER = (*_OF_CLIENT, *(f"{_PRODUCTS[product]}: {part}" for product in Product for part in _OF_CONNECTION))


class Columns(StrEnum):
    """What is told of each client: all of it, or what an upload of practice codes reads."""

    ALL = "ALL"
    PRACTICE_CODES = "PRACTICE_CODES"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientsCsv:
    """A file to save; what happened since it was made comes after `event_cursor`."""

    file_name: str
    content: str
    row_count: int
    event_cursor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Beside:
    """What is read once for all rows, and not for each; teams are for members of the practice."""

    people: Mapping[PersonId, str]
    teams: Mapping[TeamId, str]
    consents: Mapping[Consented, datetime]

    def end_of(self, connection: ExportedConnection) -> datetime | None:
        """When a connection that works will stop to."""
        reached = connection.credential_id, connection.organisation_id
        if connection.reason is not None or reached[0] is None or reached[1] is None:
            return None
        ends = self.consents.get((reached[0], reached[1])), connection.grant_ends
        return min((each for each in ends if each is not None), default=None)


async def export_clients(
    principal: Principal,
    *,
    columns: Columns = Columns.ALL,
    search: str | None = None,
    statuses: Collection[Status] = (),
    reasons: Collection[Reason] = (),
    providers: Collection[str] = (),
    team_ids: Collection[TeamId] = (),
) -> ClientsCsv:
    """The clients that the caller sees, by name; statuses, reasons and providers leave what one product is all of.

    Raises Invalid (search, a filter of too many, more than 10,000 clients) and NotFound (team).
    """
    query = ExportQuery(
        words=read_search(search),
        statuses=frozenset(statuses),
        reasons=frozenset(reasons),
        providers=chosen(providers, field="providers"),
        team_ids=chosen(team_ids, field="teamIds"),
    )
    await _check_teams(principal, query.team_ids)
    async with scope(principal.practice_id):
        exported = await export_rows(principal, query)
        beside = await _beside(principal, exported.clients)
    if len(exported.clients) > MAX_CLIENTS:
        raise Invalid(
            f"A file holds at most {MAX_CLIENTS:,} clients: narrow it by a search, a status or a team.",
            field="search",
        )
    return ClientsCsv(
        file_name=f"clients-{clock.now().date().isoformat()}.csv",
        content=await asyncio.to_thread(_content, exported.clients, beside, columns),
        row_count=len(exported.clients),
        event_cursor=exported.event_cursor,
    )


async def _check_teams(principal: Principal, team_ids: Collection[TeamId]) -> None:
    known = {team.id for team in await list_teams(principal, list(team_ids))} if team_ids else set()
    for team_id in sorted(team_ids):
        if team_id not in known:
            raise NotFound("team", team_id, field="teamIds")


async def _beside(principal: Principal, clients: Collection[ExportedClient]) -> _Beside:
    practice = PracticeRepository.of(principal.practice_id)
    people = {each.person_id for client in clients for each in client.connections if each.person_id}
    teams = await practice.teams() if principal.is_insider else []
    return _Beside(
        people={person.id: person.name for person in await practice.people(list(people))},
        teams={team.id: team.name for team in teams},
        consents=await ConsentRepository.of(principal.practice_id).ends(),
    )


def _content(clients: Collection[ExportedClient], beside: _Beside, columns: Columns) -> str:
    if columns is Columns.PRACTICE_CODES:
        return render([CODES_HEADER, *(_coded(client) for client in clients)])
    return render([HEADER, *(_row(client, beside) for client in clients)])


def _coded(client: ExportedClient) -> tuple[str, str, str]:
    return str(client.id), client.name, client.practice_code or ""


def _row(client: ExportedClient, beside: _Beside) -> list[str]:
    own = (
        str(client.id),
        client.name,
        client.legal_name,
        client.practice_code,
        beside.teams.get(client.team_id) if client.team_id else None,
        client.country,
        client.currency,
    )
    cells = [*own, *(cell for connection in client.connections for cell in _cells(connection, beside))]
    return [cell or "" for cell in cells]


def _cells(connection: ExportedConnection, beside: _Beside) -> tuple[str | None, ...]:
    return (
        ", ".join(shown(connection.status)),
        connection.reason,
        connection.provider,
        connection.organisation,
        connection.legal_name,
        beside.people.get(connection.person_id) if connection.person_id else None,
        _instant(connection.last_synced_at),
        _instant(beside.end_of(connection)),
    )


def _instant(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None
