"""What the story promises: whatever is not seen is told, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tieline import clock
from tieline.cli.story.board import Board, Integrator, Row
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
from tieline.cli.story.promises import not_seen

TOMORROW = (clock.now() + timedelta(days=1)).isoformat()


def run(state: str, resume_at: str | None = None) -> dict[str, Any]:
    return {"state": state, "limit": None, "resumeAt": resume_at, "message": None, "feeds": []}


def row(client: str, *statuses: str, **more: Any) -> Row:
    return Row(client=client, statuses=frozenset(statuses), remedy=None, **more)


def seen(**instead: Row) -> Board:
    """The board after a story that went well, with other lines for some."""
    works = sorted({*AT_ONCE, *BY_ROUNDS, *INVITED})
    rows = {name: row(name, "CONNECTED", run=run("SUCCEEDED")) for name in works}
    rows |= {name: replace(rows[name], integrator=Integrator(person=COLLEAGUE)) for name in HANDED_OVER}
    rows[LARGE] = row(LARGE, "CONNECTED", run=run("PAUSED", TOMORROW))
    rows[MISTAKEN] = row(MISTAKEN, "CONNECTED", "MISMATCH", run=run("SUCCEEDED"))
    rows[LOST] = row(LOST, "EXPIRED", reason="REVOKED_AT_PROVIDER")
    rows[LEFT_ALONE] = row(LEFT_ALONE, "EXPIRED", reason="DISCONNECTED")
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
            row("Ashford Bicycles Ltd", "EXPIRED", run=run("SUCCEEDED")),
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
        (
            row("Évian Bookshop Ltd", "CONNECTED", organisation=OWN_BOOKS),
            "Demo Practice LLP connected to nobody",
        ),
        (row(INVITED[0], "EXPIRED"), "2 clients mended by one sign-in and synced (1 are)"),
        (
            row(INVITED[0], "CONNECTED", run=run("QUEUED")),
            "2 clients mended by one sign-in and synced (1 are)",
        ),
        (row(LEFT_ALONE, "CONNECTED", run=run("SUCCEEDED")), "left alone, as a person disconnected it"),
        (
            row(HANDED_OVER[0], "CONNECTED", integrator=Integrator(person="Demo Admin")),
            "3 clients taken over by Robin Hale (2 are)",
        ),
    ],
)
def test_each_promise_that_is_not_kept_is_told(line: Row, words: str) -> None:
    board = seen(**{line.client: line})

    (sentence,) = not_seen(board, equal(seen()), is_new=True)

    assert words in sentence


def test_ledgers_that_do_not_equal_the_books_are_told() -> None:
    board = seen()

    equals = [each for each in equal(board) if each.client in AT_ONCE][:22]
    by_rounds = [each for each in equal(board) if each.client in BY_ROUNDS]

    assert not_seen(board, equals + by_rounds, is_new=True) == [
        "23 ledgers or more that equal the provider's books (22 do)."
    ]
    assert not_seen(board, equals + equals[:1] + by_rounds[:2], is_new=True) == [
        "3 companies connected one by one, equal to the provider's books (2 are)."
    ]


def test_a_login_is_told_where_the_provider_tells_it() -> None:
    assert str(Integrator(person="Robin Hale")) == "Robin Hale"
    assert str(Integrator(person="Robin Hale", login="robin@demo.invalid")) == (
        "Robin Hale (robin@demo.invalid)"
    )


def test_what_was_paused_at_an_earlier_start_may_be_over() -> None:
    over = row(LARGE, "CONNECTED", run=run("SUCCEEDED"))

    assert not_seen(seen(**{LARGE: over}), equal(seen()), is_new=False) == []


def test_a_short_pause_is_no_rest_and_a_long_one_is() -> None:
    soon = (clock.now() + timedelta(seconds=50)).isoformat()
    line = row(LARGE, "CONNECTED", run=run("PAUSED", TOMORROW))

    assert (line.is_resting, line.word) == (True, "paused")
    assert not replace(line, run=run("PAUSED", soon)).is_resting
    assert not replace(line, run=run("QUEUED")).is_resting
