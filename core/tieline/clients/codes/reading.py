"""Which cells of a spreadsheet hold the codes, and whose they are: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieline.clients.details import read_code
from tieline.errors import Invalid, Refused
from tieline.names import name_key
from tieline.spreadsheets import MAX_ROWS, read

_CODE = ("practice code", "client code", "code")
_NAME = ("name", "client name", "client")
_CLIENT_ID = ("client id", "id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where to look: columns by their number, from 1 on; one that is None is found by its header."""

    has_header: bool = True
    code: int | None = None
    name: int | None = None
    client_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A row that has a code. `number` is the row's in the spreadsheet, from 1 on; what it does not say is empty."""

    number: int
    code: str
    name: str
    client_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """A row that cannot be used, and why."""

    number: int
    refusal: Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """What a spreadsheet says; `without_code` rows say nothing."""

    lines: tuple[Line, ...]
    wrong: tuple[Wrong, ...]
    without_code: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Columns:
    """Their places, from 0 on."""

    code: int
    name: int | None
    client_id: int | None


def read_sheet(text: str, layout: Layout) -> Sheet:
    """Raises Invalid for what is no CSV, and where columns cannot be told."""
    rows = read(text)
    start = next((place for place, row in enumerate(rows) if any(row)), len(rows))
    if start == len(rows):
        raise Invalid("This CSV is empty.", field="csv")
    columns = _columns(rows[start] if layout.has_header else [], layout, width=max(map(len, rows)))
    lines: list[Line] = []
    wrong: list[Wrong] = []
    without_code = 0
    for number, row in enumerate(rows[start + layout.has_header :], start + layout.has_header + 1):
        line = _line(number, row, columns)
        if not line.code:
            without_code += any(cell.strip() for cell in row)
            continue
        try:
            read_code(line.code, field="csv")
        except Invalid as invalid:
            wrong.append(Wrong(number=number, refusal=invalid))
        else:
            lines.append(line)
    if len(lines) > MAX_ROWS:
        raise Invalid(f"A CSV has at most {MAX_ROWS:,} rows: send it in parts.", field="csv")
    return Sheet(lines=tuple(lines), wrong=tuple(wrong), without_code=without_code)


def _columns(header: Sequence[str], layout: Layout, *, width: int) -> _Columns:
    titles = [name_key(title) for title in header]
    code = _place(layout.code, _CODE, titles, width, field="codeColumn")
    name = _place(layout.name, _NAME, titles, width, field="nameColumn")
    client_id = _place(layout.client_id, _CLIENT_ID, titles, width, field="clientIdColumn")
    if code is None:
        raise Invalid("Say by its number which column holds the practice codes.", field="codeColumn")
    if name is None and client_id is None:
        raise Invalid("Say by its number which column holds the names of the clients.", field="nameColumn")
    for other, field in ((name, "nameColumn"), (client_id, "clientIdColumn")):
        if other == code:
            raise Invalid("This column holds the practice codes: choose another one.", field=field)
    return _Columns(code=code, name=name, client_id=client_id)


def _place(
    number: int | None, known: Sequence[str], titles: Sequence[str], width: int, *, field: str
) -> int | None:
    if number is None:
        return next((titles.index(title) for title in known if title in titles), None)
    if number < 1:
        raise Invalid("Columns are counted from 1 on.", field=field)
    if number > width:
        raise Invalid(f"There is no column {number}: the widest row has {width}.", field=field)
    return number - 1


def _line(number: int, row: Sequence[str], columns: _Columns) -> Line:
    def cell(place: int | None) -> str:
        return row[place].strip() if place is not None and place < len(row) else ""

    return Line(
        number=number, code=cell(columns.code), name=cell(columns.name), client_id=cell(columns.client_id)
    )
