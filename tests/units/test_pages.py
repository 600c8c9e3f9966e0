"""Cursors: opaque, bound to their list, and harmless whatever a caller makes of them."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.errors import CursorExpired, CursorInvalid
from tieline.events.repository import EventCursor
from tieline.names import name_key
from tieline.pages import Keyset, cursor_by, decode_cursor, encode_cursor, list_of, page_of

keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300)


@given(keys, st.uuids())
def test_a_cursor_names_the_place_it_was_made_for(key: str, id: UUID) -> None:
    place = Keyset(key=key, id=id)

    assert decode_cursor("list", encode_cursor("list", place)) == place


@given(st.text(max_size=200), st.uuids())
def test_every_name_that_can_be_kept_makes_a_cursor_that_is_taken_back(name: str, id: UUID) -> None:
    place = Keyset(key=name_key(name).replace("\x00", ""), id=id)

    assert decode_cursor("list", encode_cursor("list", place)) == place


@pytest.mark.parametrize("name", ["한글" * 100, "\U0001f9fe" * 200, "ﷺ" * 200])
def test_a_long_name_of_wide_characters_makes_a_cursor_too(name: str) -> None:
    place = Keyset(key=name_key(name), id=UUID(int=1))

    assert decode_cursor("list", encode_cursor("list", place)) == place


@given(keys, st.uuids())
def test_a_cursor_of_another_list_is_refused(key: str, id: UUID) -> None:
    cursor = encode_cursor("list", Keyset(key=key, id=id))

    with pytest.raises(CursorInvalid):
        decode_cursor("other", cursor)


@given(st.text(max_size=3000))
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor("list", text)
    with pytest.raises(CursorExpired):
        EventCursor.decode(text)


@given(st.uuids(), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_an_event_cursor_comes_back_as_it_went(epoch: UUID, xid: int, position: int) -> None:
    cursor = EventCursor(epoch=epoch, xid=xid, position=position)

    assert EventCursor.decode(cursor.encode()) == cursor


def rows(*ids: int | None, total: int = 9) -> list[dict[str, object]]:
    """As a page's statement returns them: with the feed and the total in each."""
    head = {"epoch": UUID(int=7), "reached": 21, "total": total}
    return [head | {"id": UUID(int=one) if one else None, "key": f"k{one}"} for one in ids]


@pytest.mark.parametrize(
    ("ids", "after", "shown", "next_", "previous"),
    [
        ((1, 2, 3), None, [1, 2], True, False),
        ((1, 2), None, [1, 2], False, False),
        ((1,), Keyset(key="k0", id=UUID(int=99)), [1], False, True),
        ((None,), None, [], False, False),
    ],
)
def test_a_page_is_made_of_rows_read_one_further_than_it_goes(
    ids: tuple[int | None, ...], after: Keyset | None, shown: list[int], next_: object, previous: object
) -> None:
    page = page_of(rows(*ids), lambda row: row["id"].int, cursor_by("list", "key"), first=2, after=after)

    assert page.rows == tuple(shown)
    assert (page.has_next, page.has_previous, page.total) == (next_, previous, 9)
    assert [decode_cursor("list", cursor) for cursor in page.cursors] == [
        Keyset(key=f"k{one}", id=UUID(int=one)) for one in shown
    ]
    assert EventCursor.decode(page.event_cursor) == EventCursor(epoch=UUID(int=7), xid=21, position=0)


def test_a_page_may_be_known_by_another_column() -> None:
    named = [{**row, "other": row["id"], "id": None} for row in rows(1)]

    page = page_of(
        named, lambda row: row["key"], cursor_by("list", "key", id="other"), first=2, after=None, id="other"
    )

    assert page.rows == ("k1",)
    assert decode_cursor("list", page.cursors[0]) == Keyset(key="k1", id=UUID(int=1))


def test_lists_differ_by_every_part_and_by_where_the_parts_end() -> None:
    fingerprints = {list_of("a", "b"), list_of("ab"), list_of("a", "b", ""), list_of("b", "a")}

    assert len(fingerprints) == 4
