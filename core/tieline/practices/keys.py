"""API keys: made here, shown once, recognised by their hash, listed and ended."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from tieline.database import scope, system_scope
from tieline.errors import Invalid, NotFound
from tieline.ids import ApiKeyId, PersonId, PracticeId, new_id
from tieline.names import clean_name
from tieline.practices.api_keys.repository import KeyRepository
from tieline.practices.authority import TOPIC
from tieline.practices.models import ApiKeyRow
from tieline.practices.repository import KeyRecord, PracticeRepository, keys_called
from tieline.principal import Permission, Principal
from tieline.vault import Secret
from tieline.work import unit_of_work

_FORM = re.compile(r"tl_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}")
_PREFIX_LENGTH = len("tl_") + 8
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshKey:
    """A key just made: the secret is shown once, prefix and hash are kept."""

    secret: Secret
    prefix: str
    hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedKey:
    """A new API key; `secret` is shown to a person once and never again."""

    id: ApiKeyId
    prefix: str
    secret: Secret


def make_key() -> FreshKey:
    prefix = "tl_" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return FreshKey(secret=Secret(text), prefix=prefix, hash=hash_key(text))


def hash_key(text: str) -> bytes:
    """SHA-256: the key holds 256 random bits, so a slow hash would protect nothing."""
    return hashlib.sha256(text.encode()).digest()


def is_key(text: str) -> bool:
    """Whether a bearer token has the form of our keys."""
    return _FORM.fullmatch(text) is not None


async def issue_key(
    practice_id: PracticeId,
    *,
    name: str,
    person_id: PersonId | None,
    scopes: frozenset[Permission] | None = None,
    life: timedelta | None = None,
) -> IssuedKey:
    """Make an API key for a person or, without one, for a service, which needs scopes. Raises Invalid."""
    if person_id is None and scopes is None:
        raise Invalid("A service key needs its permissions named.", field="scopes")
    fresh = make_key()
    async with unit_of_work(Principal.machine(practice_id)) as work:
        row = ApiKeyRow(
            id=new_id(),
            practice_id=practice_id,
            person_id=person_id,
            name=clean_name(name, field="name"),
            prefix=fresh.prefix,
            hash=fresh.hash,
            scopes=None if scopes is None else sorted(scopes),
            created_at=work.now,
            expires_at=None if life is None else work.now + life,
        )
        await PracticeRepository.of(practice_id).add(row)
    return IssuedKey(id=ApiKeyId(row.id), prefix=fresh.prefix, secret=fresh.secret)


async def revoke_key(id_or_prefix: str, *, and_made_with_it: bool = False) -> int:
    """End a key at once, for the operator, who has its id or how it begins; how many ended, with those made with it.

    Raises NotFound and Invalid.
    """
    if is_key(id_or_prefix):  # the whole of it, as found where it leaked
        id_or_prefix = id_or_prefix[:_PREFIX_LENGTH]
    async with system_scope():
        found = await keys_called(id_or_prefix)
    if not found:
        raise NotFound("key", id_or_prefix)
    if len(found) > 1:
        raise Invalid(f"Several keys begin with {id_or_prefix}; name the one by its id.")
    practice_id, key_id = found[0]
    async with unit_of_work(Principal.machine(practice_id)) as work:
        practice = PracticeRepository.of(practice_id)
        await practice.lock()
        made = await KeyRepository.of(practice_id).made_with(key_id, at=work.now) if and_made_with_it else []
        ended = [key_id, *(key.id for key in made)]
        await practice.revoke_keys(ended, at=work.now)
        for each in ended:
            work.hint(TOPIC, each)
    return len(ended)


async def list_keys(practice_id: PracticeId) -> list[KeyRecord]:
    """The practice's keys, the latest first: what they are for and whether they still work, never the keys."""
    async with scope(practice_id):
        return await PracticeRepository.of(practice_id).keys()
