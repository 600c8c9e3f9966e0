"""CSV as spreadsheet programs save it and show it: what is written is read again, and never computed."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.errors import Invalid
from tieline.spreadsheets import MAX_CHARACTERS, as_text, from_text, read, render

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
risky = st.text(st.sampled_from("'=+-@\t\r\n \uff1d\uff0ba;,\""), max_size=6)
cells = texts | risky


@given(st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=6))
def test_what_is_written_is_read_again(rows: list[list[str]]) -> None:
    assert read(render(rows)) == rows


@given(cells)
def test_no_cell_begins_as_a_formula_does_and_none_is_lost(cell: str) -> None:
    shown = next(csv.reader(io.StringIO(render([[cell, ""]]).removeprefix("\ufeff"), newline="")))[0]

    assert not re.match(r" *[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]", shown)
    assert from_text(as_text(cell)) == cell


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+44 20", "'+44 20"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("'=1", "''=1"),
        ("'Tis Ltd", "'Tis Ltd"),
        ("A=B", "A=B"),
        ("", ""),
    ],
)
def test_a_cell_that_would_be_computed_is_marked_as_text(cell: str, written: str) -> None:
    assert as_text(cell) == written


def test_it_is_written_as_spreadsheet_programs_read_it() -> None:
    assert render([["Name", "Café"], ['Say "hi"', "two\nlines"]]) == (
        '\ufeff"Name","Café"\r\n"Say ""hi""","two\nlines"\r\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "Name,Code\nAcorn,A-1\n",
        "\ufeffName,Code\r\nAcorn,A-1",
        "Name;Code\nAcorn;A-1\n",
        "Name\tCode\rAcorn\tA-1\r",
        '"Name"\t"Code"\n"Acorn"\t"A-1"\n',
        'Name,Code\n"Acorn","A-1"',
        "sep=;\nName;Code\nAcorn;A-1",
        '\ufeff"sep=,"\r\nName,Code\r\nAcorn,A-1\r\n',
        "SEP=\t\rName\tCode\rAcorn\tA-1",
        "sep=|\nName|Code\nAcorn|A-1",
    ],
)
def test_it_is_read_however_it_was_saved(text: str) -> None:
    assert read(text) == [["Name", "Code"], ["Acorn", "A-1"]]


def test_separators_in_quotation_marks_separate_nothing() -> None:
    assert read('"Name; first, last; only",Code\n"A;B;C",1') == [
        ["Name; first, last; only", "Code"],
        ["A;B;C", "1"],
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Clients, by name, of today\nName;Code\nAcorn;A-1", [["Name", "Code"], ["Acorn", "A-1"]]),
        ("Name;Code\nAcorn, Birch, Cedar;A-1", [["Name", "Code"], ["Acorn, Birch, Cedar", "A-1"]]),
        ("Name\tCode, old\tCode, new\nAcorn, Ltd\t1\t2", [["Acorn, Ltd", "1", "2"]]),
        ("\n\nName,Code;\nAcorn,1", [["Name", "Code;"], ["Acorn", "1"]]),
        ("sep=;\nA,B;C", [["A,B", "C"]]),
        ("sep=ab\nA,B", [["sep=ab"], ["A", "B"]]),
    ],
)
def test_the_separator_is_what_most_rows_agree_on_or_what_the_first_line_says(
    text: str, rows: list[list[str]]
) -> None:
    assert read(text)[-len(rows) :] == rows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\x00b", "This is no CSV: it holds a NUL character. Save it as CSV in UTF-8."),
        ('a,b\nc,"d', "Line 2 is not CSV: look at its quotation marks."),
        ('a,b\n"c"d,e', "Line 2 is not CSV: look at its quotation marks."),
        ("a\n" * 5_002, "A CSV has at most 5,000 rows: send it in parts."),
        ("a" * (MAX_CHARACTERS + 1), "A CSV has at most 900,000 characters: send it in parts."),
    ],
)
def test_what_is_no_csv_or_too_much_is_refused_with_what_to_do(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)

    assert (str(refused.value), refused.value.field) == (sentence, "csv")


def test_five_thousand_rows_below_a_header_are_read() -> None:
    assert len(read("a\n" * 5_001)) == 5_001
