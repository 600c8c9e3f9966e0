"""What callers do with clients: list, look at, create, rename, delete."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tieline.clients import details
from tieline.clients.actors import enqueue_purge
from tieline.clients.editing import ClientChanges, update_client
from tieline.clients.models import ClientRow
from tieline.clients.repository import Client, ClientQuery, ClientRepository
from tieline.clients.teams import check_team
from tieline.connections.ending import end_connections
from tieline.database import scope
from tieline.errors import Invalid, MemberNeeded, NotFound
from tieline.events.kinds import ClientCreated, ClientDeleted
from tieline.ids import ClientId, PersonId, TeamId, new_id
from tieline.inputs import read_all
from tieline.names import clean_name, name_key, search_words
from tieline.pages import Direction, Page, decode_cursor, list_of, page_size
from tieline.practices.repository import PracticeRepository
from tieline.principal import Permission, Principal
from tieline.work import retrying, unit_of_work

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
    listed_for: PersonId | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[Client]:
    """A page of the clients the caller may see. `search`: each of its words begins a word of the name.

    `listed_for`: only those listed by name for this member. Raises Invalid (page size, search), CursorInvalid,
    NotFound (member) and Forbidden (to ask of a member, for those who only belong to a client).
    """
    query = ClientQuery(words=read_search(search), direction=direction, listed_for=listed_for)
    listed = list_of("clients", principal.practice_id, query.direction, listed_for, *query.words)
    size, start = page_size(first), decode_cursor(listed, after)
    if listed_for is not None and not principal.is_insider:
        raise MemberNeeded
    async with scope(principal.practice_id):
        practice = PracticeRepository.of(principal.practice_id)
        if listed_for is not None and not await practice.members_among([listed_for]):
            raise NotFound("member", listed_for, field="listedFor")
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


async def get_clients(principal: Principal, ids: Collection[ClientId]) -> list[Client]:
    """Those of these that the caller may see."""
    async with scope(principal.practice_id):
        return await ClientRepository.visible_to(principal).get_many(ids)


@retrying
async def create_client(principal: Principal, new: NewClient) -> Client:
    """Add a client to the practice; a member whose access is by list gets it listed.

    Raises Forbidden, Invalid, SeveralInvalid, CodeTaken, NotFound (team) and PlanTooSmall.
    """
    principal.require(Permission.MANAGE_CONNECTIONS)
    row = _row(principal, new)
    async with unit_of_work(principal) as work:
        clients = ClientRepository.visible_to(principal)
        if row.practice_code is not None:
            # Whoever gives many clients their codes counts on those that are free.
            await PracticeRepository.of(principal.practice_id).lock()
        await check_team(principal, new.team_id)

        row.created_at = work.now
        await clients.add(row)
        if not principal.sees_all_clients and principal.person_id is not None:
            await clients.list_for_member(ClientId(row.id), principal.person_id)
        work.event(ClientCreated(client_id=ClientId(row.id)))
        created = await clients.get(ClientId(row.id))
    assert created is not None
    return created


async def rename_client(principal: Principal, client_id: ClientId, name: str) -> Client:
    """Give a client another name. Raises NotFound, Forbidden and Invalid; the same name again changes nothing."""
    return await update_client(principal, client_id, ClientChanges(name=name))


@retrying
async def delete_client(principal: Principal, client_id: ClientId) -> Client:
    """Hide a client from everybody, end its connections and have all of it removed; what it was.

    Raises NotFound, of one that is deleted already too, and Forbidden.
    """
    async with unit_of_work(principal) as work:
        clients = ClientRepository.visible_to(principal)
        client = await clients.get(client_id, lock=True)
        if client is None:
            raise NotFound("client", client_id, field="id")
        principal.require(Permission.MANAGE_CONNECTIONS)

        await end_connections(work, principal.practice_id, client_id)
        await clients.delete(client_id, at=work.now)
        work.event(ClientDeleted(client_id=client_id))
        enqueue_purge(work, principal.practice_id, client_id)
    return client


def _row(principal: Principal, new: NewClient) -> ClientRow:
    """The row that this makes. Raises Invalid, and SeveralInvalid with everything that does not fit."""
    name, legal_name, practice_code, country, currency = read_all(
        lambda: clean_name(new.name, field="name"),
        lambda: details.legal_name(new.legal_name),
        lambda: details.practice_code(new.practice_code),
        lambda: details.country(new.country),
        lambda: details.currency(new.currency),
    )
    assert name is not None
    known = {
        "legal_name": legal_name,
        "practice_code": practice_code,
        "country": country,
        "currency": currency,
    }
    return ClientRow(
        id=new_id(),
        practice_id=principal.practice_id,
        name=name,
        name_key=name_key(name),
        team_id=new.team_id,
        detail_sources={
            field: "PERSON" for field, value in {"name": name, **known}.items() if value is not None
        },
        **known,
    )


def read_search(search: str | None) -> tuple[str, ...]:
    """The words to look for; a search of signs alone is no search, as a person may still be typing.

    Raises Invalid.
    """
    if search is None:
        return ()
    if len(search) > _SEARCH_LENGTH:
        raise Invalid(f"A search has at most {_SEARCH_LENGTH} characters.", field="search")
    words = search_words(search)
    if len(words) > _SEARCH_WORDS:
        raise Invalid(f"A search has at most {_SEARCH_WORDS} words.", field="search")
    return words
