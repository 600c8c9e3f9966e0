"""The SQL of checks: one at a time for each round, and what comes of it."""

from __future__ import annotations

from tieline.database import current
from tieline.ids import CredentialId, PracticeId, RoundId
from tieline.sign_ins.rounds.repository import CLAIM
from tieline.sign_ins.states import Failure

_UNCHECKED = "practice_id = $1 AND id = $2 AND unchecked"
_LEASE = f"""
UPDATE consent_round SET claimed_until = clock_timestamp() + $3
 WHERE {_UNCHECKED} AND ($4 OR claimed_until IS NULL OR claimed_until <= clock_timestamp())
"""
_RELEASE = f"UPDATE consent_round SET claimed_until = NULL WHERE {_UNCHECKED}"
_RENEW = f"UPDATE consent_round SET tokens_sealed = $3 WHERE {_UNCHECKED}"
_PASS = f"""
UPDATE consent_round
   SET unchecked = false, claimed_until = NULL, tokens_sealed = $3,
       credential_id = CASE WHEN outcome = 'GRANTED' THEN $4::uuid END
 WHERE {_UNCHECKED}
"""
_FAIL = f"""
UPDATE consent_round
   SET unchecked = false, claimed_until = NULL, tokens_sealed = NULL, proof_hash = NULL, outcome = 'REFUSED',
       failure = coalesce(failure, $3)
 WHERE {_UNCHECKED}
"""


class CheckRepository:
    """The rounds of one practice that hold tokens nobody has checked. A sign-in's row is locked before they settle."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> CheckRepository:
        return cls(practice_id)

    async def lease(self, round_id: RoundId, *, is_ours: bool) -> bool:
        """Take the right to check, for as long as a claim lasts; `is_ours`: it was taken for us already."""
        return await current().run(_LEASE, self._practice_id, round_id, CLAIM, is_ours) == 1

    async def release(self, round_id: RoundId) -> None:
        """Let others try."""
        await current().run(_RELEASE, self._practice_id, round_id)

    async def renew(self, round_id: RoundId, sealed: bytes) -> None:
        """The pair that followed the one that waits."""
        await current().run(_RENEW, self._practice_id, round_id, sealed)

    async def accept(
        self, round_id: RoundId, *, tokens_sealed: bytes | None, credential_id: CredentialId | None
    ) -> None:
        """They open it: from now on the credential holds them, or they wait as any others do."""
        await current().run(_PASS, self._practice_id, round_id, tokens_sealed, credential_id)

    async def discard(self, round_id: RoundId, failure: Failure) -> bool:
        """They open another one, or nothing: they are dropped, and the round is refused if it was not before.

        False where somebody has settled it already.
        """
        return await current().run(_FAIL, self._practice_id, round_id, failure.value) == 1
