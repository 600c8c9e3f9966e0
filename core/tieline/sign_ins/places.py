"""Where a round's secrets are sealed for."""

from __future__ import annotations

from tieline.ids import PracticeId, RoundId
from tieline.vault import Place

_TABLE = "consent_round"


def verifier_place(practice_id: PracticeId, round_id: RoundId) -> Place:
    return Place(practice_id=practice_id, table=_TABLE, row_id=round_id, column="verifier_sealed")


def tokens_place(practice_id: PracticeId, round_id: RoundId) -> Place:
    return Place(practice_id=practice_id, table=_TABLE, row_id=round_id, column="tokens_sealed")
