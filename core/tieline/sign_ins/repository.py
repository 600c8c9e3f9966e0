"""The SQL of sign-ins and of what they have found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import AppId, ConnectionId, CredentialId, OrganisationId, PersonId, PracticeId, SignInId
from tieline.pages import Keyset, Page, cursor_by, page_of
from tieline.plugins import Product
from tieline.principal import ClientRole
from tieline.sign_ins.models import SignInRow
from tieline.sign_ins.states import Failure, Purpose, SignInState


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """A person's sign-in. Of the organisations it reaches, `details_done` have more than their names."""

    id: SignInId
    practice_id: PracticeId
    person_id: PersonId
    app_id: AppId
    provider: str
    purpose: Purpose
    products: tuple[Product, ...]
    connection_id: ConnectionId | None
    return_url: str | None
    state: SignInState
    failure: Failure | None
    ready_at: datetime | None
    usable_until: datetime | None
    created_at: datetime
    organisations_total: int
    details_done: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundOrganisation:
    """An organisation that a sign-in reaches, through which credential, and whether the consent was for it."""

    organisation_id: OrganisationId
    credential_id: CredentialId
    consented: bool


# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_SIGN_IN = """
SELECT s.id, s.practice_id, s.person_id, s.provider_app_id AS app_id, a.provider, s.purpose, s.products,
       s.connection_id, s.return_url, s.state, s.failure, s.ready_at, s.usable_until, s.created_at,
       found.organisations_total, found.details_done
  FROM sign_in AS s
  JOIN provider_app AS a ON a.practice_id = s.practice_id AND a.id = s.provider_app_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS organisations_total, count(o.details_at) AS details_done
         FROM (SELECT * FROM sign_in_organisation AS f
                WHERE f.practice_id = s.practice_id AND f.sign_in_id = s.id OFFSET 0) AS f
        CROSS JOIN LATERAL (
              SELECT o.details_at FROM organisation AS o
               WHERE o.practice_id = f.practice_id AND o.id = f.organisation_id LIMIT 1) AS o) AS found
 WHERE s.practice_id = $1 AND s.id = $2
"""
# What a consent was for is not taken over by a later round that only reaches it.
_FIND = """
INSERT INTO sign_in_organisation AS f (practice_id, sign_in_id, organisation_id, credential_id, consented)
SELECT $1, $2, o.id, $3, o.consented FROM unnest($4::uuid[], $5::boolean[]) AS o (id, consented) ORDER BY o.id
    ON CONFLICT (practice_id, sign_in_id, organisation_id)
    DO UPDATE SET credential_id = excluded.credential_id, consented = excluded.consented
        WHERE excluded.consented OR NOT f.consented
"""
_NOTE_MENDED = """
INSERT INTO sign_in_mended (practice_id, sign_in_id, connection_id)
SELECT $1, $2, k.id FROM unnest($3::uuid[]) AS k (id) ORDER BY k.id ON CONFLICT DO NOTHING
"""
_LOSE = """
DELETE FROM sign_in_organisation
 WHERE practice_id = $1 AND credential_id = $2 AND organisation_id = ANY($3::uuid[])
"""
_PAGE = f"""
WITH found AS NOT MATERIALIZED (
     SELECT f.organisation_id, f.credential_id, f.consented, o.name_key
       FROM sign_in_organisation AS f
      CROSS JOIN LATERAL (
            SELECT o.name_key FROM organisation AS o
             WHERE o.practice_id = f.practice_id AND o.id = f.organisation_id LIMIT 1) AS o
      WHERE f.practice_id = $1 AND f.sign_in_id = $2)
SELECT {FEED},
       (SELECT count(*) FROM found) AS total, page.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT * FROM found
        WHERE $3::text IS NULL OR (name_key, organisation_id) > ($3 COLLATE "C", $4::uuid)
        ORDER BY name_key, organisation_id LIMIT $5) AS page ON true
 ORDER BY page.name_key, page.organisation_id
"""
_ADMINISTERS = """
SELECT EXISTS (SELECT FROM client_member AS m JOIN client AS c ON c.practice_id = m.practice_id AND c.id = m.client_id
                WHERE m.practice_id = $1 AND m.person_id = $2 AND m.role = $3 AND c.deleted_at IS NULL)
"""


class SignInRepository:
    """Sign-ins of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> SignInRepository:
        return cls(practice_id)

    async def get(self, sign_in_id: SignInId, person_id: PersonId) -> SignIn | None:
        """This person's sign-in; another's is as good as none."""
        row = await current().row(
            f"{_SIGN_IN} AND s.person_id = $3", self._practice_id, sign_in_id, person_id
        )
        return _sign_in(row) if row else None

    async def read(self, sign_in_id: SignInId) -> SignIn | None:
        """Whoever's sign-in it is: for the machine, not for callers."""
        row = await current().row(_SIGN_IN, self._practice_id, sign_in_id)
        return _sign_in(row) if row else None

    async def lock(self, sign_in_id: SignInId, person_id: PersonId | None = None) -> bool:
        """Keep it from others until the transaction ends, before any other lock; whether it is there.

        With a person, only that person's.
        """
        found: UUID | None = await current().value(
            "SELECT id FROM sign_in WHERE practice_id = $1 AND id = $2 AND ($3::uuid IS NULL OR person_id = $3) "
            "FOR NO KEY UPDATE",
            self._practice_id,
            sign_in_id,
            person_id,
        )
        return found is not None

    async def add(self, row: SignInRow) -> None:
        await row.save(force_create=True)

    async def set_state(
        self, sign_in_id: SignInId, state: SignInState, *, failure: Failure | None = None, at: datetime
    ) -> None:
        await SignInRow.filter(practice_id=self._practice_id, id=sign_in_id).update(
            state=state, failure=failure, changed_at=at
        )

    async def set_ready(self, sign_in_id: SignInId, *, usable_until: datetime, at: datetime) -> None:
        await SignInRow.filter(practice_id=self._practice_id, id=sign_in_id).update(
            state=SignInState.READY, failure=None, ready_at=at, usable_until=usable_until, changed_at=at
        )

    async def find(
        self,
        sign_in_id: SignInId,
        credential_id: CredentialId,
        reached: Sequence[tuple[OrganisationId, bool]],
    ) -> None:
        """Add organisations that this credential reaches, each with whether the consent was for it."""
        await current().run(
            _FIND,
            self._practice_id,
            sign_in_id,
            credential_id,
            [organisation_id for organisation_id, _ in reached],
            [consented for _, consented in reached],
        )

    async def lose(self, credential_id: CredentialId, organisation_ids: Sequence[OrganisationId]) -> None:
        """No sign-in reaches these organisations through this credential any more."""
        await current().run(_LOSE, self._practice_id, credential_id, list(organisation_ids))

    async def note_mended(self, sign_in_id: SignInId, connection_ids: Collection[ConnectionId]) -> None:
        """Remember for as long as the sign-in that to complete it has mended these."""
        if connection_ids:
            await current().run(_NOTE_MENDED, self._practice_id, sign_in_id, list(connection_ids))

    async def organisations(self, sign_in_id: SignInId) -> list[FoundOrganisation]:
        """All that it reaches, by id."""
        rows = await current().rows(
            "SELECT organisation_id, credential_id, consented FROM sign_in_organisation "
            "WHERE practice_id = $1 AND sign_in_id = $2 ORDER BY organisation_id",
            self._practice_id,
            sign_in_id,
        )
        return [_found(row) for row in rows]

    async def organisation_page(
        self, sign_in_id: SignInId, *, after: Keyset | None, first: int, listed: str
    ) -> Page[FoundOrganisation]:
        """What it reaches by name, the total and the event cursor, in one statement and so of one moment."""
        start = (after.key, after.id) if after is not None else (None, None)
        rows = await current().rows(_PAGE, self._practice_id, sign_in_id, *start, first + 1)
        by_name = cursor_by(listed, "name_key", id="organisation_id")
        return page_of(rows, _found, by_name, first=first, after=after, id="organisation_id")

    async def credentials(self, sign_in_id: SignInId) -> list[CredentialId]:
        """All through which it reaches something or has been granted something, by id."""
        rows = await current().rows(
            "SELECT credential_id FROM sign_in_organisation WHERE practice_id = $1 AND sign_in_id = $2 "
            "UNION SELECT credential_id FROM consent_round "
            "WHERE practice_id = $1 AND sign_in_id = $2 AND credential_id IS NOT NULL ORDER BY credential_id",
            self._practice_id,
            sign_in_id,
        )
        return [row["credential_id"] for row in rows]

    async def administers_any(self, person_id: PersonId) -> bool:
        """Whether the person is an administrator of some client."""
        found: bool = await current().value(
            _ADMINISTERS, self._practice_id, person_id, ClientRole.ADMINISTRATOR.value
        )
        return found


def _sign_in(row: Any) -> SignIn:
    values = dict(row)
    values["purpose"] = Purpose(values["purpose"])
    values["products"] = tuple(Product(product) for product in values["products"])
    values["state"] = SignInState(values["state"])
    values["failure"] = Failure(values["failure"]) if values["failure"] else None
    return SignIn(**values)


def _found(row: Any) -> FoundOrganisation:
    return FoundOrganisation(
        organisation_id=row["organisation_id"], credential_id=row["credential_id"], consented=row["consented"]
    )
