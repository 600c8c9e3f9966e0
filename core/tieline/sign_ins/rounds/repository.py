"""The SQL of rounds: found by their state, claimed once, granted or refused, taken by whoever shows the proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tieline.database import current
from tieline.ids import (
    AppId,
    ConnectionId,
    CredentialId,
    OrganisationId,
    PersonId,
    PracticeId,
    RoundId,
    SignInId,
    least_id,
)
from tieline.sign_ins.models import ConsentRoundRow
from tieline.sign_ins.states import Failure, Outcome

CLAIM = timedelta(seconds=60)
"""How long a code's exchange may take in real time; longer than its HTTP call may."""
_CODE_AGE = timedelta(hours=1)
"""How old the round of a code may be that a provider still knows: a code lives for minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One trip to the consent page. `waiting`: it holds tokens; `claimed`: its code is being exchanged.

    `unchecked`: nobody has seen what its tokens open; `checking`: somebody looks at this moment.
    `connection_id` is the one whose organisation it is for, where its sign-in is not for a single one anyway.
    """

    id: RoundId
    sign_in_id: SignInId
    connection_id: ConnectionId | None
    code_hash: bytes | None
    claimed: bool
    outcome: Outcome | None
    failure: Failure | None
    subject: str | None
    login: str | None
    consent_mark: str | None
    waiting: bool
    unchecked: bool
    checking: bool
    credential_id: CredentialId | None
    proof_hash: bytes | None
    proof_until: datetime | None
    consented_at: datetime | None
    taken_at: datetime | None
    expires_at: datetime

    def is_open(self, at: datetime) -> bool:
        """Whether somebody may still come back with it."""
        return self.outcome is None and (self.claimed or (self.code_hash is None and self.expires_at > at))

    def is_pending(self, at: datetime) -> bool:
        """Whether its consent may still be taken."""
        untaken = self.outcome is Outcome.GRANTED and self.taken_at is None
        return untaken and self.proof_until is not None and self.proof_until > at


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Whose round a state belongs to, and the path it has to come back on."""

    practice_id: PracticeId
    sign_in_id: SignInId
    round_id: RoundId
    app_id: AppId
    provider: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a code was exchanged for. `tokens_sealed` only where no credential holds them already.

    `unchecked` tokens are for whoever exchanged the code to check first.
    """

    subject: str
    login: str | None
    consent_mark: str | None
    tokens_sealed: bytes | None
    unchecked: bool
    credential_id: CredentialId | None
    proof_hash: bytes
    proof_until: datetime


_ROUND = """
SELECT id, sign_in_id, connection_id, code_hash,
       claimed_until > clock_timestamp() AND outcome IS NULL AS claimed, outcome, failure, subject, login, consent_mark,
       tokens_sealed IS NOT NULL AS waiting, unchecked, unchecked AND claimed_until > clock_timestamp() AS checking,
       credential_id, proof_hash, proof_until, consented_at, taken_at, expires_at
  FROM consent_round
"""
_CLAIM = """
UPDATE consent_round AS r SET code_hash = $3, claimed_until = clock_timestamp() + $4
 WHERE r.practice_id = $1 AND r.id = $2 AND r.code_hash IS NULL AND r.outcome IS NULL AND r.expires_at > $5
   AND NOT EXISTS (SELECT FROM consent_round AS o
                    WHERE o.practice_id = $1 AND o.id >= $6 AND o.code_hash = $3)
"""
_GRANT = """
UPDATE consent_round
   SET outcome = 'GRANTED', consented_at = $4, subject = $5, login = $6, consent_mark = $7, tokens_sealed = $8,
       credential_id = $9, proof_hash = $10, proof_until = $11, unchecked = $12,
       claimed_until = CASE WHEN $12 THEN clock_timestamp() + $13 ELSE claimed_until END
 WHERE practice_id = $1 AND id = $2 AND code_hash = $3 AND outcome IS NULL
"""
_STRAND = """
UPDATE consent_round SET subject = $3, login = $4, tokens_sealed = $5, consented_at = $6, unchecked = $7,
                         claimed_until = CASE WHEN $7 THEN clock_timestamp() + $8 END
 WHERE practice_id = $1 AND id = $2 AND outcome = 'REFUSED' AND tokens_sealed IS NULL
"""
_MEANT = """
SELECT DISTINCT k.organisation_id
  FROM consent_round AS r
  JOIN sign_in AS s ON s.practice_id = r.practice_id AND s.id = r.sign_in_id
  JOIN connection AS k ON k.practice_id = r.practice_id AND k.id = coalesce(r.connection_id, s.connection_id)
 WHERE r.practice_id = $1 AND r.sign_in_id = $2
   AND (r.failure = 'DIFFERENT_ORGANISATION'
        OR r.taken_at IS NOT NULL
           AND EXISTS (SELECT FROM sign_in_organisation AS f
                        WHERE f.practice_id = r.practice_id AND f.sign_in_id = r.sign_in_id
                          AND f.credential_id = r.credential_id AND f.consented))
"""
# From a few rounds to their sign-ins, each by its key alone: no statistics can make another index look as good.
_OF_APP = "(SELECT s.provider_app_id FROM sign_in AS s WHERE s.practice_id = $1 AND s.id = r.sign_in_id) = $2"
_OF_PERSON = "(SELECT s.person_id FROM sign_in AS s WHERE s.practice_id = $1 AND s.id = r.sign_in_id) = $2"
_PENDING_SUBJECT = f"""
SELECT EXISTS (SELECT FROM consent_round AS r
                WHERE r.practice_id = $1 AND r.subject = $3 AND r.id <> $5
                  AND r.outcome = 'GRANTED' AND r.taken_at IS NULL AND r.proof_until > $4 AND {_OF_APP})
"""
_WAITING = f"""
SELECT r.id, r.tokens_sealed FROM consent_round AS r
 WHERE r.practice_id = $1 AND r.subject = $3 AND r.tokens_sealed IS NOT NULL AND NOT r.unchecked AND {_OF_APP}
 ORDER BY r.id
"""
_OUT = "r.practice_id = $1 AND r.outcome IS NULL AND r.code_hash IS NULL AND r.expires_at > $3"
_EXCHANGED_UNTIL = f"""
SELECT max($3::timestamptz + $4) FROM consent_round AS r
 WHERE r.practice_id = $1 AND r.outcome IS NULL AND r.code_hash IS NOT NULL
   AND r.claimed_until > (SELECT clock_timestamp()) AND {_OF_APP}
"""
_OPEN_UNTIL = f"""
SELECT greatest((SELECT max(r.expires_at) FROM consent_round AS r WHERE {_OUT} AND {_OF_APP}), ({_EXCHANGED_UNTIL}))
"""
_CLOSE_OLDEST = f"""
UPDATE consent_round AS o SET expires_at = $3
 WHERE o.practice_id = $1 AND o.outcome IS NULL AND o.code_hash IS NULL AND o.expires_at > $3 AND o.id = ANY (ARRAY (
       SELECT r.id FROM consent_round AS r WHERE {_OUT} AND {_OF_PERSON} ORDER BY r.id DESC OFFSET $4))
"""


class RoundRepository:
    """The rounds of one practice's sign-ins. A sign-in's row is locked before its rounds change."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> RoundRepository:
        return cls(practice_id)

    async def add(self, row: ConsentRoundRow) -> None:
        await row.save(force_create=True)

    async def get(self, round_id: RoundId) -> Round | None:
        row = await current().row(f"{_ROUND} WHERE practice_id = $1 AND id = $2", self._practice_id, round_id)
        return _round(row) if row else None

    async def of_sign_in(self, sign_in_id: SignInId) -> list[Round]:
        """In the order they were begun."""
        rows = await current().rows(
            f"{_ROUND} WHERE practice_id = $1 AND sign_in_id = $2 ORDER BY id", self._practice_id, sign_in_id
        )
        return [_round(row) for row in rows]

    async def meant(self, sign_in_id: SignInId) -> frozenset[OrganisationId]:
        """The organisations that its rounds were for in which somebody consented, to whatever it was."""
        rows = await current().rows(_MEANT, self._practice_id, sign_in_id)
        return frozenset(row["organisation_id"] for row in rows)

    async def sealed_verifier(self, round_id: RoundId) -> bytes | None:
        sealed: bytes | None = await self._column("verifier_sealed", round_id)
        return sealed

    async def sealed_tokens(self, round_id: RoundId) -> bytes | None:
        sealed: bytes | None = await self._column("tokens_sealed", round_id)
        return sealed

    async def claim(self, round_id: RoundId, code_hash: bytes, *, at: datetime) -> bool:
        """Take the round for the exchange of this code: whoever is first, once; no other round had the code before.

        A provider may end all that a code gave, when the code comes again (RFC 6749, 4.1.2).
        """
        young = least_id(_CODE_AGE)
        return await current().run(_CLAIM, self._practice_id, round_id, code_hash, CLAIM, at, young) == 1

    async def grant(self, round_id: RoundId, code_hash: bytes, granted: Granted, *, at: datetime) -> bool:
        """Write down what the claimed code brought; False when the round ended otherwise meanwhile."""
        done = await current().run(
            _GRANT,
            self._practice_id,
            round_id,
            code_hash,
            at,
            granted.subject,
            granted.login,
            granted.consent_mark,
            granted.tokens_sealed,
            granted.credential_id,
            granted.proof_hash,
            granted.proof_until,
            granted.unchecked,
            CLAIM,
        )
        return done == 1

    async def refuse(self, round_id: RoundId, failure: Failure) -> bool:
        """End the round without a consent; False when it has ended already."""
        undecided = ConsentRoundRow.filter(practice_id=self._practice_id, id=round_id, outcome__isnull=True)
        return await undecided.update(outcome=Outcome.REFUSED, failure=failure) == 1

    async def close_open(self, sign_in_id: SignInId, *, at: datetime) -> None:
        """Nobody may come back any more with the rounds of this sign-in that are still out."""
        out = ConsentRoundRow.filter(
            practice_id=self._practice_id, sign_in_id=sign_in_id, outcome__isnull=True, code_hash__isnull=True
        )
        await out.filter(expires_at__gt=at).update(expires_at=at)

    async def close_oldest(self, person_id: PersonId, *, keep: int, at: datetime) -> None:
        """Of this person's rounds that are still out, leave so many: the youngest."""
        await current().run(_CLOSE_OLDEST, self._practice_id, person_id, at, keep)

    async def strand(self, round_id: RoundId, granted: Granted, *, at: datetime) -> None:
        """Keep, to be given back, what the code of a round brought that had ended meanwhile."""
        brought = (granted.subject, granted.login, granted.tokens_sealed, at, granted.unchecked, CLAIM)
        await current().run(_STRAND, self._practice_id, round_id, *brought)

    async def show(self, round_id: RoundId, *, proof_until: datetime) -> None:
        """The proof, shown in time, is good for longer."""
        await ConsentRoundRow.filter(practice_id=self._practice_id, id=round_id).update(
            proof_until=proof_until
        )

    async def move_tokens(
        self, round_id: RoundId, credential_id: CredentialId, *, proof_until: datetime
    ) -> None:
        """The credential holds the tokens now; the proof, shown in time, is good for longer."""
        await ConsentRoundRow.filter(practice_id=self._practice_id, id=round_id).update(
            tokens_sealed=None, credential_id=credential_id, proof_until=proof_until
        )

    async def take(self, round_id: RoundId, *, at: datetime) -> None:
        await ConsentRoundRow.filter(practice_id=self._practice_id, id=round_id).update(taken_at=at)

    async def drop_tokens(self, round_id: RoundId) -> None:
        await ConsentRoundRow.filter(practice_id=self._practice_id, id=round_id).update(tokens_sealed=None)

    async def hold_subjects(self, app_id: AppId) -> None:
        """Until the transaction ends, nobody else brings or takes a consent of this app; after the sign-in's lock."""
        await current().value(
            "SELECT id FROM provider_app WHERE practice_id = $1 AND id = $2 FOR NO KEY UPDATE",
            self._practice_id,
            app_id,
        )

    async def waiting(self, app_id: AppId, subject: str) -> dict[RoundId, bytes]:
        """The rounds that hold tokens of this subject, sealed; not those of which nobody knows whose they are."""
        rows = await current().rows(_WAITING, self._practice_id, app_id, subject)
        return {row["id"]: row["tokens_sealed"] for row in rows}

    async def replace_tokens(self, round_id: RoundId, sealed: bytes) -> None:
        await ConsentRoundRow.filter(practice_id=self._practice_id, id=round_id).update(tokens_sealed=sealed)

    async def pending_subject(
        self, app_id: AppId, subject: str, *, at: datetime, besides: RoundId | None = None
    ) -> bool:
        """Whether another round holds a consent of this subject that may still be taken."""
        found: bool = await current().value(
            _PENDING_SUBJECT, self._practice_id, app_id, subject, at, besides or RoundId(app_id)
        )
        return found

    async def open_until(self, app_id: AppId, *, at: datetime) -> datetime | None:
        """Until when somebody may come back from this app's provider, as whatever subject; None when nobody may."""
        until: datetime | None = await current().value(_OPEN_UNTIL, self._practice_id, app_id, at, CLAIM)
        return until

    async def exchanged_until(self, app_id: AppId, *, at: datetime) -> datetime | None:
        """Until when somebody's code may be under way who is back from this app's provider; None when nobody's is."""
        until: datetime | None = await current().value(_EXCHANGED_UNTIL, self._practice_id, app_id, at, CLAIM)
        return until

    async def _column(self, column: str, round_id: RoundId) -> Any:
        return await current().value(
            f"SELECT {column} FROM consent_round WHERE practice_id = $1 AND id = $2",
            self._practice_id,
            round_id,
        )


async def round_of_state(state_hash: bytes) -> Found | None:
    """Whose round the state of this hash belongs to. System scope."""
    row = await current().row(
        "SELECT r.practice_id, r.sign_in_id, r.id AS round_id, a.id AS app_id, a.provider FROM consent_round AS r "
        "JOIN sign_in AS s ON s.practice_id = r.practice_id AND s.id = r.sign_in_id "
        "JOIN provider_app AS a ON a.practice_id = s.practice_id AND a.id = s.provider_app_id "
        "WHERE r.state_hash = $1",
        state_hash,
    )
    return Found(**dict(row)) if row else None


def _round(row: Any) -> Round:
    values = dict(row)
    values["claimed"], values["checking"] = bool(values["claimed"]), bool(values["checking"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    values["failure"] = Failure(values["failure"]) if values["failure"] else None
    return Round(**values)
