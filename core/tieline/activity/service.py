"""Reading who did what."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.activity.repository import Activity, ActivityQuery, ActivityRepository
from tieline.database import scope
from tieline.errors import NotFound
from tieline.ids import ApiKeyId, ClientId, PersonId
from tieline.instants import read_instant
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.practices.api_keys.repository import KeyRepository
from tieline.practices.repository import PracticeRepository
from tieline.principal import Principal


async def list_activity(
    principal: Principal,
    *,
    person_id: PersonId | None = None,
    client_id: ClientId | None = None,
    api_key_id: ApiKeyId | None = None,
    kinds: Collection[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[Activity]:
    """A page of what people and services did in the practice, the latest first; of a client that is gone, too.

    Raises Forbidden (practice admins only), NotFound (person, client, key), Invalid (page size,
    instants) and CursorInvalid.
    """
    principal.require_admin(reading=True)
    query = ActivityQuery(
        person_id=person_id,
        client_id=client_id,
        api_key_id=api_key_id,
        kinds=frozenset(kinds),
        since=since and read_instant(since, field="since"),
        until=until and read_instant(until, field="until"),
    )
    about = (person_id, client_id, api_key_id)
    listed = list_of("activity", principal.practice_id, *about, sorted(kinds), query.since, query.until)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        activity = ActivityRepository.of(principal.practice_id)
        if person_id and await PracticeRepository.of(principal.practice_id).person(person_id) is None:
            raise NotFound("person", person_id, field="personId")
        if client_id and not await activity.knows_client(client_id):
            raise NotFound("client", client_id, field="clientId")
        if api_key_id and await KeyRepository.of(principal.practice_id).get(api_key_id) is None:
            raise NotFound("key", api_key_id, field="apiKeyId")
        return await activity.page(query, after=start, first=size, listed=listed)
