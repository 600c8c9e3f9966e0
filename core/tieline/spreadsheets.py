"""CSV as spreadsheet programs speak it: read as they save it, and written so that no cell of it runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import islice

from tieline.errors import Invalid

MAX_CHARACTERS = 900_000
MAX_ROWS = 5_000
_BOM = "\ufeff"
_SEPARATORS = ",;\t"
_SAID = re.compile(r'"?sep=([^"\w\s]|\t)"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_LOOKED_AT = 20
# What spreadsheet programs take for the beginning of a formula, in half and full width; `'` in front makes it a text.
_FORMULA = re.compile(r"['\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")


def render(rows: Iterable[Sequence[str]]) -> str:
    """CSV by RFC 4180, behind the mark by which spreadsheet programs know UTF-8. Every cell is a text."""
    written = io.StringIO(newline="")
    sheet = csv.writer(written, quoting=csv.QUOTE_ALL)
    sheet.writerows([as_text(cell) for cell in row] for row in rows)
    return _BOM + written.getvalue()


def read(text: str) -> list[list[str]]:
    """The rows of a CSV, separated by commas, semicolons or tabs; what `as_text` did to cells is taken back.

    A first line such as `sep=;`, which spreadsheet programs take for themselves, says the separator and is no row.
    Raises Invalid for what is no CSV, and for more than 5,000 rows.
    """
    if len(text) > MAX_CHARACTERS:
        raise Invalid(f"A CSV has at most {MAX_CHARACTERS:,} characters: send it in parts.", field="csv")
    text = text.removeprefix(_BOM)
    if "\x00" in text:
        raise Invalid("This is no CSV: it holds a NUL character. Save it as CSV in UTF-8.", field="csv")
    said = _SAID.match(text)
    text = text[said.end() :] if said else text
    separator = said[1] if said else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if len(rows) > MAX_ROWS:
                raise Invalid(f"A CSV has at most {MAX_ROWS:,} rows: send it in parts.", field="csv")
            rows.append([from_text(cell) for cell in row])
    except csv.Error as broken:
        raise Invalid(
            f"Line {reader.line_num} is not CSV: look at its quotation marks.", field="csv"
        ) from broken
    return rows


def as_text(cell: str) -> str:
    """The cell as a spreadsheet program shows it, and does not compute it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def from_text(cell: str) -> str:
    """What `as_text` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell


def _separator(text: str) -> str:
    """What stands in most of the first rows, outside of quotation marks; of several what stands there most often."""
    outside = "".join(text.split('"')[::2])
    rows = list(islice((line for line in outside.splitlines() if line.strip(" ")), _LOOKED_AT))

    def told(separator: str) -> tuple[int, int]:
        counts = [row.count(separator) for row in rows]
        return sum(count > 0 for count in counts), sum(counts)

    return max(_SEPARATORS, key=told)
