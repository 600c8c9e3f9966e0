"""The SQL of consents: when one runs out. Whoever asks whether a consent is over asks here, so that all agree."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from tieline.database import current
from tieline.ids import CredentialId, OrganisationId, PracticeId

Consented: TypeAlias = tuple[CredentialId, OrganisationId]
"""A credential, and an organisation that it reaches."""

# The practice is looked up once, and not for each consent.
_ENDS = """(
SELECT n.consented_at + {life}
  FROM consent AS n
 WHERE n.practice_id = {practice} AND n.credential_id = {of}credential_id
   AND n.organisation_id = {of}organisation_id)"""
_LIFE = """(
SELECT make_interval(hours => 24 * p.consent_life_days) FROM practice AS p WHERE p.id = {practice})"""


def consent_life(practice: str) -> str:
    """How long consents to this practice last, NULL for ever. Days are of 24 hours, whatever zone the server is in."""
    return _LIFE.format(practice=practice)


def consent_ends(of: str, *, practice: str) -> str:
    """When the consent of this practice runs out whose credential and organisation are in columns of this prefix."""
    return _ENDS.format(of=of, practice=practice, life=consent_life(practice))


def is_over(of: str, *, practice: str, at: str) -> str:
    """A condition: that consent has run out by `at`. Where there is none, nothing has.

    All that have run out are read once, and no consent is looked up for each row.
    """
    over = _OVER.format(practice=practice, at=at, life=consent_life(practice))
    return f"({of}credential_id, {of}organisation_id) IN ({over})"


_OVER = """
SELECT n.credential_id, n.organisation_id FROM consent AS n
 WHERE n.practice_id = {practice} AND n.consented_at <= {at} - {life}"""
_OVER_OF = f"""
{_OVER.format(practice="$1", at="$3::timestamptz", life=consent_life("$1"))} AND n.credential_id = ANY ($2::uuid[])
"""


class ConsentRepository:
    """The consents of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> ConsentRepository:
        return cls(practice_id)

    async def ends(self) -> dict[Consented, datetime]:
        """When each of the practice's consents runs out; none where consents last for ever."""
        life = consent_life("$1")
        rows = await current().rows(
            f"SELECT n.credential_id, n.organisation_id, n.consented_at + {life} AS ends_at FROM consent AS n "
            f"WHERE n.practice_id = $1 AND {life} IS NOT NULL",
            self.practice_id,
        )
        return {(row["credential_id"], row["organisation_id"]): row["ends_at"] for row in rows}

    async def over(self, named: Collection[Consented], *, at: datetime) -> frozenset[Consented]:
        """Those of these that have run out."""
        if not named:
            return frozenset()
        credentials = {credential_id for credential_id, _ in named}
        rows = await current().rows(_OVER_OF, self.practice_id, list(credentials), at)
        return frozenset((row["credential_id"], row["organisation_id"]) for row in rows) & frozenset(named)
