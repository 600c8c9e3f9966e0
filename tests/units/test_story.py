"""What the story promises: whatever is not seen is told, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tieline import clock
from tieline.cli.story.board import Board, Row
from tieline.cli.story.cast import AT_ONCE, LARGE, LOST, MISTAKEN
from tieline.cli.story.promises import not_seen

TOMORROW = (clock.now() + timedelta(days=1)).isoformat()


def run(state: str, resume_at: str | None = None) -> dict[str, Any]:
    return {"state": state, "limit": None, "resumeAt": resume_at, "message": None, "feeds": []}


def row(client: str, *statuses: str, **more: Any) -> Row:
    return Row(client=client, statuses=frozenset(statuses), remedy=None, **more)


def seen(**instead: Row) -> Board:
    """The board after a story that went well, with other lines for some."""
    rows = {name: row(name, "CONNECTED", run=run("SUCCEEDED")) for name in sorted(AT_ONCE)}
    rows[LARGE] = row(LARGE, "CONNECTED", run=run("PAUSED", TOMORROW))
    rows[MISTAKEN] = row(MISTAKEN, "CONNECTED", "MISMATCH", run=run("SUCCEEDED"))
    rows[LOST] = row(LOST, "EXPIRED", reason="REVOKED_AT_PROVIDER")
    return Board(total=40, counts={}, rows=tuple((rows | instead).values()))


def equal(board: Board) -> list[Row]:
    return [each for each in board.rows if each.state == "SUCCEEDED"]


def test_a_story_that_went_well_misses_nothing() -> None:
    board = seen()

    assert not_seen(board, equal(board), is_new=True) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            row("Ashford Bakery Ltd", "EXPIRED", run=run("SUCCEEDED")),
            "25 clients connected by one sign-in (24 are)",
        ),
        (row(MISTAKEN, "CONNECTED", run=run("SUCCEEDED")), "as a mismatch"),
        (
            row(LARGE, "CONNECTED", run=run("SUCCEEDED")),
            "paused, with the time at which it goes on (it is SUCCEEDED)",
        ),
        (
            row(LARGE, "CONNECTED", run=run("PAUSED")),
            "paused, with the time at which it goes on (it is PAUSED)",
        ),
        (row(LOST, "CONNECTED"), "expired, as removed at the provider"),
        (row(LOST, "EXPIRED", reason="DISCONNECTED"), "expired, as removed at the provider"),
    ],
)
def test_each_promise_that_is_not_kept_is_told(line: Row, words: str) -> None:
    board = seen(**{line.client: line})

    (sentence,) = not_seen(board, equal(seen()), is_new=True)

    assert words in sentence


def test_ledgers_that_do_not_equal_the_books_are_told() -> None:
    board = seen()

    (sentence,) = not_seen(board, equal(board)[:22], is_new=True)

    assert sentence == "23 ledgers or more that equal the provider's books (22 do)."


def test_what_was_paused_at_an_earlier_start_may_be_over() -> None:
    over = row(LARGE, "CONNECTED", run=run("SUCCEEDED"))

    assert not_seen(seen(**{LARGE: over}), equal(seen()), is_new=False) == []


def test_a_short_pause_is_no_rest_and_a_long_one_is() -> None:
    soon = (clock.now() + timedelta(seconds=50)).isoformat()
    line = row(LARGE, "CONNECTED", run=run("PAUSED", TOMORROW))

    assert (line.is_resting, line.word) == (True, "paused")
    assert not replace(line, run=run("PAUSED", soon)).is_resting
    assert not replace(line, run=run("QUEUED")).is_resting
