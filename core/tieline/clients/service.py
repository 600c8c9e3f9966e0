"""What callers do with clients: list, look at, create, rename."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tieline.clients.models import ClientRow
from tieline.clients.repository import Client, ClientQuery, ClientRepository, Direction
from tieline.database import scope
from tieline.errors import Invalid, NotFound, PlanTooSmall
from tieline.events.kinds import ClientCreated, ClientRenamed
from tieline.ids import ClientId, TeamId, new_id
from tieline.names import clean_name, name_key, name_words
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.practices.plan import Plan
from tieline.practices.repository import PracticeRepository
from tieline.principal import Permission, Principal
from tieline.work import retrying, unit_of_work

_CODE = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f])?")
_SEARCH_LENGTH = 200
_SEARCH_WORDS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class NewClient:
    """What a person says of a new client. Country is ISO 3166 alpha-2, currency ISO 4217."""

    name: str
    legal_name: str | None = None
    practice_code: str | None = None
    team_id: TeamId | None = None
    country: str | None = None
    currency: str | None = None


async def list_clients(
    principal: Principal,
    *,
    search: str | None = None,
    direction: Direction = Direction.ASC,
    first: int | None = None,
    after: str | None = None,
) -> Page[Client]:
    """A page of the clients the caller may see. `search`: each of its words begins a word of the name.

    Raises Invalid (page size, search) and CursorInvalid.
    """
    query = ClientQuery(words=_search_words(search), direction=direction)
    listed = list_of("clients", query.direction, *query.words)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        return await ClientRepository.visible_to(principal).page(
            query, after=start, first=size, listed=listed
        )


async def get_client(principal: Principal, client_id: ClientId) -> Client:
    """Raises NotFound."""
    async with scope(principal.practice_id):
        found = await ClientRepository.visible_to(principal).get(client_id)
    if found is None:
        raise NotFound("client", client_id, field="id")
    return found


@retrying
async def create_client(principal: Principal, new: NewClient) -> Client:
    """Add a client to the practice; a member whose access is by list gets it listed.

    Raises Forbidden, Invalid, NotFound (team) and PlanTooSmall.
    """
    principal.require(Permission.MANAGE_CONNECTIONS)
    row = _row(principal, new)
    async with unit_of_work(principal) as work:
        clients = ClientRepository.visible_to(principal)
        await _check_team(principal, new.team_id)

        row.created_at = work.now
        await clients.add(row)
        if not principal.sees_all_clients and principal.person_id is not None:
            await clients.list_for_member(ClientId(row.id), principal.person_id)
        work.event(ClientCreated(client_id=ClientId(row.id)))
        created = await clients.get(ClientId(row.id))
    assert created is not None
    return created


@retrying
async def rename_client(principal: Principal, client_id: ClientId, name: str) -> Client:
    """Give a client another name. Raises NotFound, Forbidden and Invalid; the same name again changes nothing."""
    async with unit_of_work(principal) as work:
        clients = ClientRepository.visible_to(principal)
        client = await clients.get(client_id, lock=True)
        if client is None:
            raise NotFound("client", client_id, field="id")
        principal.require(Permission.MANAGE_CONNECTIONS, administers=client.administered)
        cleaned = clean_name(name, field="name")
        if cleaned == client.name:
            return client

        await clients.rename(client_id, cleaned)
        work.event(ClientRenamed(client_id=client_id))
        renamed = await clients.get(client_id)
    assert renamed is not None
    return renamed


async def _check_team(principal: Principal, team_id: TeamId | None) -> None:
    if team_id is None:
        return
    practice = PracticeRepository.of(principal.practice_id)
    if not await practice.teams([team_id]):
        raise NotFound("team", team_id, field="teamId")
    if (await practice.get()).plan is not Plan.ADVANCED:
        raise PlanTooSmall("Assigning a team", Plan.ADVANCED, field="teamId")


def _row(principal: Principal, new: NewClient) -> ClientRow:
    name = clean_name(new.name, field="name")
    details = {
        "legal_name": clean_name(new.legal_name, field="legalName") if new.legal_name else None,
        "practice_code": _matching(
            _CODE, new.practice_code, field="practiceCode", want="1 to 64 printable characters"
        ),
        "country": _matching(_COUNTRY, new.country, field="country", want="an ISO 3166 code such as GB"),
        "currency": _matching(_CURRENCY, new.currency, field="currency", want="an ISO 4217 code such as GBP"),
    }
    return ClientRow(
        id=new_id(),
        practice_id=principal.practice_id,
        name=name,
        name_key=name_key(name),
        team_id=new.team_id,
        detail_sources={field: "PERSON" for field, value in details.items() if value is not None},
        **details,
    )


_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def _matching(pattern: re.Pattern[str], value: str | None, *, field: str, want: str) -> str | None:
    if value is None:
        return None
    if not pattern.fullmatch(value) or not value.isprintable():
        raise Invalid(f"This needs {want}.", field=field)
    return value


def _search_words(search: str | None) -> tuple[str, ...]:
    if search is None or not search.strip():
        return ()
    if len(search) > _SEARCH_LENGTH:
        raise Invalid(f"A search has at most {_SEARCH_LENGTH} characters.", field="search")
    words = name_words(search)
    if not words:
        raise Invalid("A search needs at least one letter or digit.", field="search")
    return words[:_SEARCH_WORDS]
