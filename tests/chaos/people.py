"""People who hold sockets and may come in no longer: made many at once, and each shut out in one way or another."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.chaos.portfolio import each
from tests.chaos.stand import Stand
from tests.support.firm import Caller
from tests.support.issuer import IssuerServer
from tieline.ids import new_id
from tieline.practices.keys import make_key

LIFE = timedelta(hours=1)
"""Of a token."""

_PEOPLE = """
INSERT INTO person (id, practice_id, name, name_key, email, issuer, subject, created_at)
SELECT p, $1, 'Somebody', 'somebody', p || '@firm.invalid', $2, 'auth0|' || p, $3 FROM unnest($4::uuid[]) AS p
"""
_MEMBERS = """
INSERT INTO practice_member (practice_id, person_id, role, permissions, client_access, created_at)
SELECT $1, unnest($3::uuid[]), 'MEMBER', '{}', 'ALL', $2
"""
_READERS = """
INSERT INTO client_member (practice_id, person_id, client_id, role, created_at)
SELECT $1, unnest($3::uuid[]), $4, 'READER', $2
"""
_KEYS = """
INSERT INTO api_key (id, practice_id, person_id, name, prefix, hash, created_at)
SELECT k.id, $1, k.person_id, 'test', k.prefix, k.hash, $2
  FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bytea[]) AS k (id, person_id, prefix, hash)
"""
_REVOKE = "mutation($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"
_DEACTIVATE = "mutation($id: ID!) { deactivatePerson(input: {personId: $id}) { errors { code } } }"
_REMOVE = """mutation($id: ID!, $client: ID!) {
  removeClientMember(input: {personId: $id, clientId: $client}) { errors { code } } }"""


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """A person of the practice, or of one client, with a key of its own."""

    id: UUID
    key_id: UUID
    key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """`revoked` will lose their keys, `deactivated` their place, `removed` their client, and `expiring` the time."""

    stand: Stand
    admin: Caller
    issuer: IssuerServer
    client_id: str
    revoked: list[Somebody]
    deactivated: list[Somebody]
    removed: list[Somebody]
    expiring: list[Somebody]
    at: datetime

    def tokens(self) -> list[str]:
        """What they come in with, in the order of `shut_out`."""
        by_key = [one.key for one in (*self.revoked, *self.deactivated, *self.removed)]
        return [*by_key, *(self._token(one) for one in self.expiring)]

    async def shut_out(self) -> list[float]:
        """All of them, by people and by the clock at once; when each was, by `time.monotonic`."""
        asked = [
            *((_REVOKE, {"id": str(one.key_id)}) for one in self.revoked),
            *((_DEACTIVATE, {"id": str(one.id)}) for one in self.deactivated),
            *((_REMOVE, {"id": str(one.id), "client": self.client_id}) for one in self.removed),
        ]
        ended, expired = await asyncio.gather(each(self._end, asked), self._expire())
        return [*ended, *(expired for _ in self.expiring)]

    async def _end(self, asked: tuple[str, dict[str, str]]) -> float:
        query, variables = asked
        [payload] = (await self.admin.ask(query, **variables)).values()
        assert payload["errors"] == [], payload
        return time.monotonic()

    async def _expire(self) -> float:
        began = time.monotonic()
        await self.stand.move(LIFE)
        return began

    def _token(self, one: Somebody) -> str:
        ends = int((self.at + LIFE).timestamp())
        return self.issuer.token(f"auth0|{one.id}", at=self.at, exp=ends)


async def crowd(stand: Stand, admin: Caller, issuer: IssuerServer, *, of_each: int) -> Crowd:
    """So many whose keys will end, so many who will have no place, and as many whose tokens will run out."""
    [offset] = await stand.rows("SELECT offset_by FROM clock")
    at = datetime.now(UTC).replace(microsecond=0) + offset["offset_by"]
    client_id = await admin.create_client(f"Client of {new_id()}")
    removed = of_each // 2
    made = [_somebody() for _ in range(3 * of_each)]
    readers, members = made[:removed], made[removed:]
    await stand.rows(_PEOPLE, admin.practice_id, issuer.url, at, [one.id for one, _ in made])
    await stand.rows(_MEMBERS, admin.practice_id, at, [one.id for one, _ in members])
    await stand.rows(_READERS, admin.practice_id, at, [one.id for one, _ in readers], UUID(client_id))
    keys: list[list[Any]] = [list(column) for column in zip(*(row for _, row in made), strict=True)]
    await stand.rows(_KEYS, admin.practice_id, at, *keys)
    those = [one for one, _ in made]
    return Crowd(
        stand=stand,
        admin=admin,
        issuer=issuer,
        client_id=client_id,
        removed=those[:removed],
        deactivated=those[removed:of_each],
        revoked=those[of_each : 2 * of_each],
        expiring=those[2 * of_each :],
        at=at,
    )


def _somebody() -> tuple[Somebody, tuple[UUID, UUID, str, bytes]]:
    """A person, and the row of the key."""
    fresh = make_key()
    made = Somebody(id=new_id(), key_id=new_id(), key=fresh.secret.reveal())
    return made, (made.key_id, made.id, fresh.prefix, fresh.hash)
