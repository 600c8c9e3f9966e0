"""What callers do with API keys. None is ever wider than the key that it was made with, nor lives longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tieline.activity.kinds import ApiKeyCreated
from tieline.database import scope
from tieline.errors import AdminNeeded, Forbidden, Invalid, KeyNarrowed, NotFound, PersonNeeded
from tieline.ids import ApiKeyId, PersonId, new_id
from tieline.instants import read_instant
from tieline.names import clean_name
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.practices.api_keys.ending import as_ended, end_keys
from tieline.practices.api_keys.repository import KeyRepository
from tieline.practices.authority import hold_practice
from tieline.practices.keys import make_key
from tieline.practices.models import ApiKeyRow
from tieline.practices.repository import KeyRecord, PracticeRepository
from tieline.principal import Permission, Principal
from tieline.vault import Secret
from tieline.work import retrying, unit_of_work

MAX_KEYS = 100
"""Keys of one person, or of all services of a practice, that work at once."""
LONGEST = timedelta(days=3_650)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key to be made: for the caller where no `person_id` is named, or for a service.

    `scopes` None: all that the person may. `expires_at` None: it works until it is revoked.
    """

    name: str
    person_id: PersonId | None = None
    for_service: bool = False
    scopes: frozenset[Permission] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CreatedKey:
    """`secret` is shown this once."""

    key: KeyRecord
    secret: Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A key that was ended, as it is now, and those that ended with it."""

    key: KeyRecord
    also: tuple[KeyRecord, ...]


async def list_keys(
    principal: Principal,
    *,
    person_id: PersonId | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[KeyRecord]:
    """A page of keys, the latest first: all for practice admins, or one person's; one's own for others.

    Raises PersonNeeded, Forbidden, NotFound (person), Invalid (page size) and CursorInvalid.
    """
    whose = person_id
    if not principal.is_admin:
        whose = _asking(principal, "list keys")
        if person_id not in (None, whose):
            raise AdminNeeded
    listed = list_of("api_keys", principal.practice_id, whose)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        if whose is not None and await PracticeRepository.of(principal.practice_id).person(whose) is None:
            raise NotFound("person", whose, field="personId")
        return await KeyRepository.of(principal.practice_id).page(
            whose, after=start, first=size, listed=listed
        )


@retrying
async def create_key(principal: Principal, new: NewKey) -> CreatedKey:
    """Make a key and show its secret, this once. For oneself; for others and for services, practice admins.

    Raises PersonNeeded, Forbidden (scopes wider than the caller's own key), NotFound (person) and Invalid.
    """
    whose = _whose(principal, new)
    _check_scopes(principal, new)
    name, fresh = clean_name(new.name, field="name"), make_key()
    async with unit_of_work(principal) as work:
        await hold_practice(work, principal)  # so that the owner is not deactivated meanwhile
        until = await _until(principal, new.expires_at, at=work.now)
        await _check_owner(principal, whose, at=work.now)

        row = ApiKeyRow(
            id=new_id(),
            practice_id=principal.practice_id,
            person_id=whose,
            name=name,
            prefix=fresh.prefix,
            hash=fresh.hash,
            scopes=None if new.scopes is None else sorted(new.scopes),
            created_at=work.now,
            expires_at=until,
            made_by=principal.person_id,
            made_with=principal.api_key_id,
        )
        await PracticeRepository.of(principal.practice_id).add(row)
        work.did(
            ApiKeyCreated(
                api_key_id=ApiKeyId(row.id),
                person_id=whose,
                scopes=None if new.scopes is None else tuple(new.scopes),
                expires_at=until.isoformat() if until else None,
            )
        )
        made = await KeyRepository.of(principal.practice_id).get(ApiKeyId(row.id))
    assert made is not None
    return CreatedKey(key=made, secret=fresh.secret)


@retrying
async def revoke_key(principal: Principal, key_id: ApiKeyId, *, and_made_with_it: bool = False) -> Ended:
    """End a key at once: one's own; others' and services', practice admins. Harmless when repeated.

    With `and_made_with_it` also those that were made with it and still work, and with those, and so on: for a key that
    leaked, of which nobody knows what was made with it. Also where the key itself has ended before.
    A key with scopes ends but itself and what was made with it. Raises NotFound, also of a key that is somebody else's
    and not to be seen, and Forbidden.
    """
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        keys = KeyRepository.of(principal.practice_id)
        key = await keys.get(key_id, lock=True)
        if key is None or not (_is_own(principal, key) or principal.is_admin):
            raise NotFound("key", key_id, field="id")
        made = await keys.made_with(key_id, at=work.now) if and_made_with_it else []
        await _require_end_of(principal, key, made)

        await end_keys(work, practice, [each for each in (key, *made) if each.revoked_at is None])
        ended = await keys.get(key_id)
    assert ended is not None
    return Ended(key=ended, also=as_ended(made, work.now))


async def _require_end_of(principal: Principal, key: KeyRecord, made: Sequence[KeyRecord]) -> None:
    """Raises Forbidden."""
    if not all(_is_own(principal, each) for each in (key, *made)):
        principal.require_admin()
    if principal.key_scopes is None or principal.api_key_id in (None, key.id):
        return
    if not await KeyRepository.of(principal.practice_id).comes_from(key.id, principal.api_key_id):
        raise KeyNarrowed


def _is_own(principal: Principal, key: KeyRecord) -> bool:
    return key.person_id is not None and key.person_id == principal.person_id


def _asking(principal: Principal, what: str) -> PersonId:
    if principal.person_id is None:
        raise PersonNeeded(what)
    return principal.person_id


def _whose(principal: Principal, new: NewKey) -> PersonId | None:
    """Whom the key is to act as; None for a service. Raises PersonNeeded, Forbidden and Invalid."""
    asking = _asking(principal, "make keys")
    if not new.for_service and new.person_id in (None, asking):
        return asking
    principal.require_admin()
    if not new.for_service:
        return new.person_id
    if new.person_id is not None:
        raise Invalid("A service's key acts as nobody: leave the person out.", field="personId")
    if new.scopes is None:
        raise Invalid("A service key needs its permissions named.", field="scopes")
    return None


def _check_scopes(principal: Principal, new: NewKey) -> None:
    """Raises Forbidden and Invalid."""
    if principal.key_scopes is None:
        return
    if new.scopes is None:
        raise Invalid("This API key is narrowed by scopes: name those of the new one.", field="scopes")
    if wider := new.scopes - principal.key_scopes:
        raise Forbidden(min(wider), by_key=True)


async def _until(principal: Principal, given: datetime | None, *, at: datetime) -> datetime | None:
    """When the new key ends. Raises Invalid for what is over, far away, or later than the caller's own key ends."""
    until = given and read_instant(given, field="expiresAt")
    if until is not None and not at < until <= at + LONGEST:
        raise Invalid(
            f"A key ends in the future, and within {LONGEST.days:,} days, or not by itself.",
            field="expiresAt",
        )
    keys = KeyRepository.of(principal.practice_id)
    own = await keys.get(principal.api_key_id) if principal.api_key_id else None
    if own is not None and own.expires_at is not None and (until is None or until > own.expires_at):
        raise Invalid(
            "A key cannot outlast the one that it is made with: "
            f"say when it ends, {own.expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} at the latest.",
            field="expiresAt",
        )
    return until


async def _check_owner(principal: Principal, whose: PersonId | None, *, at: datetime) -> None:
    """Raises NotFound and Invalid."""
    practice = PracticeRepository.of(principal.practice_id)
    if whose is not None:
        person = await practice.person(whose)
        if person is None:
            raise NotFound("person", whose, field="personId")
        if person.deactivated_at is not None:
            raise Invalid(
                f"{person.name} is deactivated: reactivate the person, then make a key.", field="personId"
            )
    if await KeyRepository.of(principal.practice_id).count_working(whose, at=at) >= MAX_KEYS:
        raise Invalid(f"{MAX_KEYS} keys work already: revoke one that nobody needs.", field="personId")
