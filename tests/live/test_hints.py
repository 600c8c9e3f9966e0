"""Hints as messages: small whatever a commit changed, and nothing odd wakes anybody."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from tieline.ids import PracticeId, new_id
from tieline.live import Hint
from tieline.live.hints import MAX_IDS, decode, encode

PRACTICE = PracticeId(UUID("0198e7a0-0000-7000-8000-000000000001"))


def test_a_message_says_what_to_look_at_again() -> None:
    sign_in, first, second = new_id(), new_id(), new_id()

    message = encode(
        PRACTICE, [Hint("sign_in", sign_in), Hint("connection", first), Hint("connection", second)]
    )

    assert decode(message) == (
        PRACTICE,
        {"sign_in": frozenset({sign_in}), "connection": frozenset({first, second})},
    )


def test_a_commit_of_many_rows_is_told_by_topic_alone() -> None:
    many = [Hint("connection", new_id()) for _ in range(1_000)]
    few = [Hint("sign_in", new_id()) for _ in range(MAX_IDS)]

    message = encode(PRACTICE, many + few)

    assert decode(message) == (PRACTICE, {"connection": None, "sign_in": frozenset(hint.id for hint in few)})
    assert len(message) < 4_096


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b"\xff",
        b"[" * 60_000,
        b"{}",
        json.dumps({"practice": "x", "topics": {}}).encode(),
        json.dumps({"practice": str(PRACTICE), "topics": []}).encode(),
        json.dumps({"practice": str(PRACTICE), "topics": {"sign_in": 7}}).encode(),
        json.dumps({"practice": str(PRACTICE), "topics": {"sign_in": ["x"]}}).encode(),
        json.dumps({"practice": str(PRACTICE), "topics": {"sign_in": [7]}}).encode(),
        b" " * 100_000,
        "text",
        None,
        1,
    ],
)
def test_what_we_did_not_write_is_nothing(message: object) -> None:
    assert decode(message) is None
