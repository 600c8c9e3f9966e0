"""The sentence about an id that names nothing shows the id so that a person can see what was sent."""

from __future__ import annotations

import pytest

from tieline.errors import NotFound


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("AC-1", "AC-1"), ("", "''"), (" ", "' '"), ("\u202eabc", r"'\u202eabc'"), ("\U0001f9c1", "\U0001f9c1")],
)
def test_an_id_that_cannot_be_seen_is_spelled_out(sent: str, shown: str) -> None:
    assert str(NotFound("client", sent)) == f"There is no client with the id {shown}, or you may not see it."
