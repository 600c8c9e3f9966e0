"""Which client a line of a spreadsheet is about: pure. By its id, else by its name, else by the code it has already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from tieline.clients.codes.reading import Line, Wrong
from tieline.clients.repository import Client
from tieline.errors import LinesContradict
from tieline.ids import ClientId, parse_id
from tieline.names import match_key, name_key

MOST_BEARERS = 10
_MOST_OTHERS = 5
"""So many of the lines that a line contradicts are named; a wrong column makes thousands contradict each other."""


class MatchedBy(StrEnum):
    """What a line and its client have in common; by a code, the client is called otherwise."""

    CLIENT_ID = "CLIENT_ID"
    NAME = "NAME"
    PRACTICE_CODE = "PRACTICE_CODE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A line that is about one client."""

    line: Line
    client: Client
    by: MatchedBy


@dataclass(frozen=True, kw_only=True, slots=True)
class Ambiguous:
    """A line that may be about any of these, ten at most."""

    line: Line
    clients: tuple[Client, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """Every line is in one of these, in the order of the lines."""

    matched: tuple[Match, ...]
    unmatched: tuple[Line, ...]
    ambiguous: tuple[Ambiguous, ...]
    wrong: tuple[Wrong, ...]


def match_lines(lines: Sequence[Line], clients: Collection[Client]) -> Matching:
    """Two lines that say the same code, or are about the same client, are both wrong: nobody knows which is meant."""
    known = _Known(clients)
    codes = _sharing((line.code, line.number) for line in lines)
    found = {line.number: known.bearers(line) for line in lines if line.code not in codes}
    single = ((bearers[0].id, number) for number, (bearers, _) in found.items() if len(bearers) == 1)
    meant = _sharing(single)
    matched: list[Match] = []
    unmatched: list[Line] = []
    ambiguous: list[Ambiguous] = []
    wrong: list[Wrong] = []
    for line in lines:
        if line.code in codes:
            wrong.append(_wrong(line, codes[line.code], "say the same code"))
            continue
        bearers, by = found[line.number]
        if not bearers:
            unmatched.append(line)
        elif len(bearers) > 1:
            ambiguous.append(Ambiguous(line=line, clients=tuple(bearers[:MOST_BEARERS])))
        elif bearers[0].id in meant:
            wrong.append(_wrong(line, meant[bearers[0].id], "are about the same client"))
        else:
            matched.append(Match(line=line, client=bearers[0], by=by))
    return Matching(
        matched=tuple(matched),
        unmatched=tuple(unmatched),
        ambiguous=tuple(ambiguous),
        wrong=tuple(wrong),
    )


class _Known:
    """The clients by what a line may call them."""

    def __init__(self, clients: Collection[Client]) -> None:
        self._ids: dict[ClientId, Client] = {}
        self._codes: dict[str, Client] = {}
        self._named: dict[str, list[Client]] = defaultdict(list)
        self._spelled: dict[tuple[str, str], list[Client]] = defaultdict(list)
        for client in clients:
            self._ids[client.id] = client
            if client.practice_code is not None:
                self._codes[client.practice_code] = client
            spelled = name_key(client.name)
            for key in {match_key(name) for name in (client.name, client.legal_name) if name}:
                self._named[key].append(client)
                self._spelled[key, spelled].append(client)

    def bearers(self, line: Line) -> tuple[list[Client], MatchedBy]:
        """Those whom the line may be about. An id decides alone."""
        if line.client_id:
            parsed = parse_id(line.client_id)
            there = self._ids.get(ClientId(parsed)) if parsed is not None else None
            return [there] if there is not None else [], MatchedBy.CLIENT_ID
        named = self._narrowed(line) if line.name else []
        holder = self._codes.get(line.code)
        if named or holder is None:
            return named, MatchedBy.NAME
        return [holder], MatchedBy.PRACTICE_CODE

    def _narrowed(self, line: Line) -> list[Client]:
        """Of several bearers of the name the one that is spelled so, or that has the code already."""
        key = match_key(line.name)
        named = self._named.get(key, [])
        if len(named) > 1:
            named = self._spelled.get((key, name_key(line.name)), named)
        holder = self._codes.get(line.code)
        return [holder] if len(named) > 1 and any(each is holder for each in named) and holder else named


def _sharing(pairs: Iterable[tuple[object, int]]) -> dict[object, list[int]]:
    """What several lines share, and their numbers."""
    numbers: dict[object, list[int]] = defaultdict(list)
    for shared, number in pairs:
        numbers[shared].append(number)
    return {shared: lines for shared, lines in numbers.items() if len(lines) > 1}


def _wrong(line: Line, numbers: Sequence[int], what: str) -> Wrong:
    few = [number for number in islice(numbers, _MOST_OTHERS + 1) if number != line.number][:_MOST_OTHERS]
    others, more = ", ".join(map(str, few)), len(numbers) - 1 - len(few)
    rest = f" and {more} more" if more else ""
    return Wrong(number=line.number, refusal=LinesContradict(f"{others}{rest}", what, field="csv"))
