"""What the story promises, and which of it was not seen in the end. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tieline.cli.story.board import Board, Row
from tieline.cli.story.cast import AT_ONCE, LARGE, LOST, MISTAKEN

EQUAL_AT_LEAST = 23


def not_seen(board: Board, equal: Sequence[Row], *, is_new: bool) -> list[str]:
    """A sentence for each promise that was not kept; `equal` are the ledgers that equal the books at the provider.

    A story that is not new was cut off at an earlier start, and what was paused then may be over now. Raises BrokeOff.
    """
    equals = sum(row.client in AT_ONCE for row in equal)
    at_once = [row for row in board.rows if row.client in AT_ONCE and row.is_connected]
    large, mistaken, lost = board.of(LARGE), board.of(MISTAKEN), board.of(LOST)
    is_paused = large.state == "PAUSED" and large.resume_at is not None
    promises = {
        f"{len(AT_ONCE)} clients connected by one sign-in ({len(at_once)} are).": len(at_once)
        == len(AT_ONCE),
        f"{EQUAL_AT_LEAST} ledgers or more that equal the provider's books ({equals} do).": equals
        >= EQUAL_AT_LEAST,
        f"{MISTAKEN} as a mismatch.": "MISMATCH" in mistaken.statuses,
        f"{LARGE} paused, with the time at which it goes on (it is {large.state}).": is_paused
        or (large.state == "SUCCEEDED" and not is_new),
        f"{LOST} expired, as removed at the provider.": lost.reason == "REVOKED_AT_PROVIDER",
    }
    return [sentence for sentence, kept in promises.items() if not kept]
