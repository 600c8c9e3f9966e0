"""What the story promises, and which of it was not seen in the end. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tieline.cli.story.board import Board, Row
from tieline.cli.story.cast import (
    AT_ONCE,
    BY_ROUNDS,
    COLLEAGUE,
    HANDED_OVER,
    INVITED,
    LARGE,
    LEFT_ALONE,
    LOST,
    MISTAKEN,
    OWN_BOOKS,
)

EQUAL_AT_LEAST = 23


def not_seen(board: Board, equal: Sequence[Row], *, is_new: bool) -> list[str]:
    """A sentence for each promise that was not kept; `equal` are the ledgers that equal the books at the provider.

    A story that is not new was cut off at an earlier start, and what was paused then may be over now. Raises BrokeOff.
    """
    promises = _connected(board, equal) | _paused(board, is_new=is_new) | _mended(board) | _handed_over(board)
    return [sentence for sentence, kept in promises.items() if not kept]


def _connected(board: Board, equal: Sequence[Row]) -> dict[str, bool]:
    equals = sum(row.client in AT_ONCE for row in equal)
    by_rounds = sum(row.client in BY_ROUNDS for row in equal)
    at_once = sum(row.client in AT_ONCE and row.is_connected for row in board.rows)
    return {
        f"{len(AT_ONCE)} clients connected by one sign-in ({at_once} are).": at_once == len(AT_ONCE),
        f"{EQUAL_AT_LEAST} ledgers or more that equal the provider's books ({equals} do).": equals
        >= EQUAL_AT_LEAST,
        f"{len(BY_ROUNDS)} companies connected one by one, equal to the provider's books "
        f"({by_rounds} are).": by_rounds == len(BY_ROUNDS),
        f"{OWN_BOOKS} connected to nobody.": all(row.organisation != OWN_BOOKS for row in board.rows),
        f"{MISTAKEN} as a mismatch.": "MISMATCH" in board.of(MISTAKEN).statuses,
    }


def _paused(board: Board, *, is_new: bool) -> dict[str, bool]:
    large = board.of(LARGE)
    is_paused = large.state == "PAUSED" and large.resume_at is not None
    return {
        f"{LARGE} paused, with the time at which it goes on (it is {large.state}).": is_paused
        or (large.state == "SUCCEEDED" and not is_new),
    }


def _mended(board: Board) -> dict[str, bool]:
    mended = [row for row in map(board.of, INVITED) if row.is_connected and row.state == "SUCCEEDED"]
    return {
        f"{LOST} expired, as removed at the provider.": board.of(LOST).reason == "REVOKED_AT_PROVIDER",
        f"{len(INVITED)} clients mended by one sign-in and synced ({len(mended)} are).": len(mended)
        == len(INVITED),
        f"{LEFT_ALONE} left alone, as a person disconnected it.": board.of(LEFT_ALONE).reason
        == "DISCONNECTED",
    }


def _handed_over(board: Board) -> dict[str, bool]:
    integrators = [row.integrator for row in map(board.of, HANDED_OVER) if row.is_connected]
    moved = sum(integrator is not None and integrator.person == COLLEAGUE for integrator in integrators)
    return {
        f"{len(HANDED_OVER)} clients taken over by {COLLEAGUE} ({moved} are).": moved == len(HANDED_OVER),
    }
