"""The SQL of credentials and what they reach. A refresh holds a lease on its credential's row.

Expiries are calendar time and come in as parameters; leases are liveness and go by the database's own real
clock. Every write-back of a refresh is bound to the lease's owner and to the version it began with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tieline.credentials.apps.repository import App, app_of_row
from tieline.database import current
from tieline.ids import AppId, CredentialId, OrganisationId, PersonId, PracticeId

LEASE = timedelta(seconds=30)


class State(StrEnum):
    """LIVE while its tokens are believed to work; a DEAD one needs a new consent."""

    LIVE = "LIVE"
    DEAD = "DEAD"


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """What one subject granted to one app, without the tokens; `version` grows with every pair stored."""

    id: CredentialId
    practice_id: PracticeId
    app_id: AppId
    subject: str
    login: str | None
    person_id: PersonId
    scopes: frozenset[str]
    access_expires_at: datetime
    refresh_expires_at: datetime | None
    hard_expires_at: datetime | None
    refreshed_at: datetime
    state: State
    dead_reason: str | None
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A credential with its app and what is sealed in their rows. `is_leased`: somebody refreshes it right now."""

    credential: Credential
    app: App
    secret_sealed: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)
    previous_sealed: bytes | None = field(repr=False)
    previous_until: datetime | None
    lease_owner: str | None
    is_leased: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedPair:
    """A pair of tokens to store, with the facts of it that are kept in the open."""

    sealed: bytes = field(repr=False)
    scopes: frozenset[str]
    obtained_at: datetime
    access_expires_at: datetime
    refresh_expires_at: datetime | None
    hard_expires_at: datetime | None

    def columns(self) -> tuple[object, ...]:
        return (
            self.sealed,
            sorted(self.scopes),
            self.obtained_at,
            self.access_expires_at,
            self.refresh_expires_at,
            self.hard_expires_at,
        )


_CREDENTIAL = (
    "c.id, c.practice_id, c.provider_app_id, c.subject, c.login, c.person_id, c.scopes, c.access_expires_at, "
    "c.refresh_expires_at, c.hard_expires_at, c.refreshed_at, c.state, c.dead_reason, c.version"
)
_KEPT = f"""
SELECT {_CREDENTIAL}, c.tokens_sealed, c.previous_sealed, c.previous_until, c.lease_owner,
       coalesce(c.lease_until > clock_timestamp(), false) AS is_leased,
       a.provider, a.environment, a.base_url, a.client_id, a.bulk_consent, a.tier, a.fault,
       a.created_at, a.secret_sealed
  FROM credential AS c
  JOIN provider_app AS a ON a.practice_id = c.practice_id AND a.id = c.provider_app_id
 WHERE c.practice_id = $1 AND c.id = $2
"""
_MINE = "practice_id = $1 AND id = $2"
_NO_LEASE = "lease_owner = NULL, lease_until = NULL"
_NO_PREVIOUS = "previous_sealed = NULL, previous_until = NULL"
_PAIR = (
    "tokens_sealed = $3, scopes = $4, refreshed_at = $5, access_expires_at = $6, refresh_expires_at = $7, "
    f"hard_expires_at = $8, version = version + 1, {_NO_LEASE}"
)
_ADD = """
INSERT INTO credential (practice_id, id, tokens_sealed, scopes, refreshed_at, access_expires_at, refresh_expires_at,
                        hard_expires_at, provider_app_id, subject, login, person_id, state, version, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'LIVE', 1, $13)
ON CONFLICT (practice_id, provider_app_id, subject) DO NOTHING
"""
_REPLACE = f"""
UPDATE credential SET {_PAIR}, previous_sealed = $9, previous_until = $10, login = $11,
                      state = 'LIVE', dead_reason = NULL
 WHERE {_MINE}
"""
_TAKE_LEASE = f"""
UPDATE credential SET lease_owner = $3, lease_until = clock_timestamp() + $5
 WHERE {_MINE} AND version = $4 AND state = 'LIVE' AND (lease_until IS NULL OR lease_until <= clock_timestamp())
"""
_WRITE_BACK = f"""
UPDATE credential SET {_PAIR}, {_NO_PREVIOUS}
 WHERE {_MINE} AND lease_owner = $9 AND version = $10 AND state = 'LIVE'
"""
_MARK_DEAD = f"""
UPDATE credential SET state = 'DEAD', dead_reason = $3, tokens_sealed = NULL, {_NO_PREVIOUS}, {_NO_LEASE}
 WHERE {_MINE} AND version = $4 AND state = 'LIVE'
"""
_RETIRE = f"""
UPDATE credential SET state = 'DEAD', dead_reason = $3, {_NO_PREVIOUS}, {_NO_LEASE}
 WHERE {_MINE} AND version = $4 AND state = 'LIVE' AND (lease_until IS NULL OR lease_until <= clock_timestamp())
"""
_SET_REACH = """
INSERT INTO consent (practice_id, credential_id, organisation_id, consented_at)
SELECT $1, $2, r.organisation_id, $4 FROM unnest($3::uuid[]) AS r (organisation_id) ORDER BY r.organisation_id
ON CONFLICT (practice_id, credential_id, organisation_id) DO UPDATE SET lost_at = NULL,
   consented_at = CASE WHEN consent.organisation_id = ANY ($5::uuid[]) THEN excluded.consented_at
                       ELSE consent.consented_at END
 WHERE consent.organisation_id = ANY ($5::uuid[]) OR consent.lost_at IS NOT NULL
"""


class CredentialRepository:
    """The credentials of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> CredentialRepository:
        return cls(practice_id)

    async def get(self, credential_id: CredentialId) -> Credential | None:
        found = await self.get_many([credential_id])
        return found[0] if found else None

    async def get_many(self, ids: Iterable[CredentialId]) -> list[Credential]:
        """Those that there are, by id."""
        return await self._many("c.id = ANY ($2::uuid[]) ORDER BY c.id", list(ids))

    async def lock(self, ids: Iterable[CredentialId]) -> list[Credential]:
        """Those that there are, by id, locked in that order until the transaction ends."""
        return await self._many(
            "c.id = ANY ($2::uuid[]) ORDER BY c.id FOR NO KEY UPDATE", sorted(set(ids), key=str)
        )

    async def by_subject(self, app_id: AppId, subject: str, *, lock: bool = False) -> Credential | None:
        locking = " FOR NO KEY UPDATE" if lock else ""
        found = await self._many(f"c.provider_app_id = $2 AND c.subject = $3{locking}", app_id, subject)
        return found[0] if found else None

    async def live_of_person(self, app_id: AppId, person_id: PersonId) -> list[Credential]:
        """What works and this person signed in with last, the latest first."""
        return await self._many(
            "c.provider_app_id = $2 AND c.person_id = $3 AND c.state = 'LIVE' "
            "ORDER BY c.refreshed_at DESC, c.id DESC",
            app_id,
            person_id,
        )

    async def kept(self, credential_id: CredentialId) -> Kept | None:
        """The credential with its app and its sealed tokens, of one moment."""
        row = await current().row(_KEPT, self.practice_id, credential_id)
        return _kept(row) if row else None

    async def sealed_tokens(self, credential_id: CredentialId) -> bytes | None:
        kept = await self.kept(credential_id)
        return kept.sealed if kept else None

    async def add(
        self,
        credential_id: CredentialId,
        pair: SealedPair,
        *,
        app_id: AppId,
        subject: str,
        login: str | None,
        person_id: PersonId,
        at: datetime,
    ) -> bool:
        """Whether it was added: the subject may have got its row at this very moment."""
        whose = (app_id, subject, login, person_id, at)
        return await current().run(_ADD, self.practice_id, credential_id, *pair.columns(), *whose) == 1

    async def store(
        self,
        credential_id: CredentialId,
        pair: SealedPair,
        *,
        previous_sealed: bytes | None,
        previous_until: datetime | None,
        login: str | None,
    ) -> None:
        """Put a new consent's pair in the place of the one there is; whoever refreshes that one is too late."""
        before = (previous_sealed, previous_until, login)
        await current().run(_REPLACE, self.practice_id, credential_id, *pair.columns(), *before)

    async def hand_to(self, ids: Collection[CredentialId], person_id: PersonId) -> list[CredentialId]:
        """Say that this person signed in last with each of these, which are locked: where it was another before."""
        rows = await current().rows(
            "UPDATE credential SET person_id = $3 "
            "WHERE practice_id = $1 AND id = ANY ($2::uuid[]) AND person_id <> $3 RETURNING id",
            self.practice_id,
            list(ids),
            person_id,
        )
        return [row["id"] for row in rows]

    async def lease(self, credential_id: CredentialId, *, owner: str, version: int) -> bool:
        """Take the right to refresh: nobody else has it, and this version is the one in the row."""
        taken = await current().run(_TAKE_LEASE, self.practice_id, credential_id, owner, version, LEASE)
        return taken == 1

    async def release_lease(self, credential_id: CredentialId, *, owner: str) -> None:
        sql = f"UPDATE credential SET {_NO_LEASE} WHERE {_MINE} AND lease_owner = $3"
        await current().run(sql, self.practice_id, credential_id, owner)

    async def write_back(
        self, credential_id: CredentialId, pair: SealedPair, *, owner: str, version: int
    ) -> bool:
        """Store a refreshed pair and end the lease; False when the lease or the version is not ours any more."""
        done = await current().run(
            _WRITE_BACK, self.practice_id, credential_id, *pair.columns(), owner, version
        )
        return done == 1

    async def mark_dead(self, credential_id: CredentialId, reason: str, *, version: int) -> bool:
        """End it and drop its tokens; False when it has ended already, or has other tokens by now."""
        return await current().run(_MARK_DEAD, self.practice_id, credential_id, reason, version) == 1

    async def retire(self, credential_id: CredentialId, reason: str, *, version: int) -> bool:
        """End it and keep its tokens until they are revoked; False too while somebody refreshes it."""
        return await current().run(_RETIRE, self.practice_id, credential_id, reason, version) == 1

    async def forget_tokens(self, credential_id: CredentialId, *, version: int) -> None:
        """Drop the tokens of a retired one, unless a new consent has brought it back."""
        sql = f"UPDATE credential SET tokens_sealed = NULL WHERE {_MINE} AND version = $3 AND state = 'DEAD'"
        await current().run(sql, self.practice_id, credential_id, version)

    async def reach(self, credential_id: CredentialId) -> dict[OrganisationId, datetime]:
        """The organisations it reaches, and since when the consent for each runs."""
        rows = await current().rows(
            "SELECT organisation_id, consented_at FROM consent WHERE practice_id = $1 AND credential_id = $2 "
            "AND lost_at IS NULL ORDER BY organisation_id",
            self.practice_id,
            credential_id,
        )
        return {row["organisation_id"]: row["consented_at"] for row in rows}

    async def set_reach(
        self, credential_id: CredentialId, reached: Mapping[OrganisationId, bool], *, at: datetime
    ) -> None:
        """Add what it reaches; `True` for those the consent of this instant was about: their clock starts anew.

        What it reaches again without a new consent goes on by the old one.
        """
        renewed = [each for each, consented in reached.items() if consented]
        await current().run(_SET_REACH, self.practice_id, credential_id, list(reached), at, renewed)

    async def lose_reach(
        self, credential_id: CredentialId, organisation_ids: Collection[OrganisationId], *, at: datetime
    ) -> None:
        """It reaches these no more; when somebody consented is remembered, for they may come back."""
        await current().run(
            "UPDATE consent SET lost_at = $4 WHERE practice_id = $1 AND credential_id = $2 "
            "AND organisation_id = ANY ($3::uuid[]) AND lost_at IS NULL",
            self.practice_id,
            credential_id,
            list(organisation_ids),
            at,
        )

    async def drop_reach(
        self, credential_id: CredentialId, organisation_ids: Collection[OrganisationId]
    ) -> None:
        await current().run(
            "DELETE FROM consent WHERE practice_id = $1 AND credential_id = $2 AND organisation_id = ANY ($3::uuid[])",
            self.practice_id,
            credential_id,
            list(organisation_ids),
        )

    async def _many(self, condition: str, *values: object) -> list[Credential]:
        rows = await current().rows(
            f"SELECT {_CREDENTIAL} FROM credential AS c WHERE c.practice_id = $1 AND {condition}",
            self.practice_id,
            *values,
        )
        return [_credential(row) for row in rows]


def _credential(row: Any) -> Credential:
    return Credential(
        id=row["id"],
        practice_id=row["practice_id"],
        app_id=row["provider_app_id"],
        subject=row["subject"],
        login=row["login"],
        person_id=row["person_id"],
        scopes=frozenset(row["scopes"]),
        access_expires_at=row["access_expires_at"],
        refresh_expires_at=row["refresh_expires_at"],
        hard_expires_at=row["hard_expires_at"],
        refreshed_at=row["refreshed_at"],
        state=State(row["state"]),
        dead_reason=row["dead_reason"],
        version=row["version"],
    )


def _kept(row: Any) -> Kept:
    return Kept(
        credential=_credential(row),
        app=app_of_row(row, row["provider_app_id"]),
        secret_sealed=row["secret_sealed"],
        sealed=row["tokens_sealed"],
        previous_sealed=row["previous_sealed"],
        previous_until=row["previous_until"],
        lease_owner=row["lease_owner"],
        is_leased=row["is_leased"],
    )
