"""Both plugins' mappings, noun by noun: a record that says everything is told whole, and no field for another."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.plugins import quickbooks_full_records as quickbooks
from tests.plugins import xero_full_records as xero
from tests.plugins.full_records import Full, Sort, Watched, values
from tests.plugins.xero_records import sort as sort_xero
from tieline.plugins import Record
from tieline_xero.mapping import NOUNS

ALL: list[tuple[Sort, Full]] = [
    *((sort_xero, full) for full in xero.FULL),
    *((quickbooks.sort, full) for full in quickbooks.FULL),
]
NAMES = [f"{full.noun}-{full.dataset}-{full.told.get('type')}" for _, full in ALL]
FLAGS = [(sort, full, flag) for sort, full in ALL for flag in full.flips]
OTHERS = [(sort, full, first) for sort, full in ALL for first in full.instead]
each = pytest.mark.parametrize(("sort", "full"), ALL, ids=NAMES)


@each
def test_a_record_in_which_everything_is_said_is_told_whole(sort: Sort, full: Full) -> None:
    assert sort(full.noun, full.said) == full.record


@each
def test_a_full_record_lacks_nothing_that_its_mapping_looks_for(sort: Sort, full: Full) -> None:
    """Xero's days have a twin, named `…String`, which has a test of its own."""
    missed: set[str] = set()

    sort(full.noun, Watched(full.said, missed))

    assert {name for name in missed if not name.endswith("String")} <= full.lacks


@pytest.mark.parametrize("full", [full for _, full in ALL], ids=NAMES)
def test_no_two_fields_of_a_full_record_say_the_same(full: Full) -> None:
    assert [said for said, times in Counter(values(full.said)).items() if times > 1] == []


@pytest.mark.parametrize(
    ("sort", "full", "flag"), FLAGS, ids=[f"{full.noun}-{full.dataset}-{flag}" for _, full, flag in FLAGS]
)
def test_a_flag_changes_what_it_is_about_and_nothing_else(sort: Sort, full: Full, flag: str) -> None:
    made = sort(full.noun, full.flipped(flag))

    assert isinstance(made, Record)
    assert [name for name in full.told if full.told[name] != made.data[name]] == [full.flips[flag]]


@pytest.mark.parametrize(
    ("sort", "full", "first"),
    OTHERS,
    ids=[f"{full.noun}-{full.dataset}-{first}" for _, full, first in OTHERS],
)
def test_where_a_field_is_missing_another_one_counts_and_nowhere_else(
    sort: Sort, full: Full, first: str
) -> None:
    assert sort(full.noun, full.renamed(first)) == full.record


@each
def test_what_was_deleted_is_gone_whatever_else_it_says(sort: Sort, full: Full) -> None:
    status = NOUNS[full.noun].status_field if sort is sort_xero else "status"

    assert sort(full.noun, {**full.said, status: "Deleted"}) == (full.dataset, full.told["id"])


def test_every_noun_has_a_full_record() -> None:
    assert {full.noun for full in xero.FULL} == set(NOUNS)
    assert {full.noun for full in quickbooks.FULL} == set(quickbooks.NOUNS)
