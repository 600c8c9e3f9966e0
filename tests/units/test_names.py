"""The key that names sort and match by."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tieline.errors import Invalid
from tieline.names import NAME_KEY_LENGTH, clean_name, name_key, name_words, search_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAFÉ", "cafe"),
        ("Straße", "STRASSE"),
        ("Ｆｕｌｌ", "full"),
        ("Cafe\u0301", "Café"),
        ("  a   b ", "A B"),
        ("İstanbul", "istanbul"),
    ],
)
def test_case_accents_width_and_spaces_do_not_count(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@given(st.text(max_size=300))
@example("a" * (NAME_KEY_LENGTH - 1) + " b")
def test_the_key_of_a_key_is_itself_and_bounded(name: str) -> None:
    key = name_key(name)

    assert name_key(key) == key
    assert len(key) <= NAME_KEY_LENGTH


@given(st.text(max_size=300))
def test_words_are_distinct_bounded_and_found_by_a_search_for_the_name(name: str) -> None:
    words = name_words(name)

    assert len(set(words)) == len(words) <= 64
    assert all(1 <= len(word) <= 64 for word in words)
    assert set(search_words(name)[:32]) <= set(words)


def test_a_name_with_an_apostrophe_or_points_is_found_with_and_without_them() -> None:
    assert name_words("O’Brien & A.B.C. Ltd") == ("o", "brien", "a", "b", "c", "ltd", "obrien", "abc")


@given(st.text(max_size=250))
def test_a_clean_name_stays_as_it_is_and_can_be_searched_for(name: str) -> None:
    try:
        cleaned = clean_name(name, field="name")
    except Invalid:
        return

    assert cleaned == " ".join(name.split())
    assert clean_name(cleaned, field="name") == cleaned
    assert name_words(cleaned)


@pytest.mark.parametrize("name", ["", "  ", "…", "x" * 201, "tab\x00le", "bad\u202ename"])
def test_a_name_that_cannot_be_kept_is_refused_with_its_field(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(name, field="name")

    assert refused.value.field == "name"
