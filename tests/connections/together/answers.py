"""What is answered to a deed, and what is foreseen of the answer, in one form."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, TypeAlias

from tests.connections.together.facts import Facts, Line
from tests.connections.together.reckoning import Refusal, Told
from tieline.connections.repository import Connection
from tieline.errors import Refused

Answer: TypeAlias = tuple[Told, ...]


class Deed(Protocol):
    """`do` answers with what the service said; `foresee` with what it is to say, and changes the facts as it will."""

    async def do(self) -> Answer: ...

    def foresee(self, facts: Facts) -> Answer: ...


async def answered(deed: Deed) -> Answer:
    try:
        return await deed.do()
    except Refused as refused:
        return (Told(refused.code),)


def foreseen(deed: Deed, facts: Facts) -> Answer:
    try:
        return tuple(_shown_for(each, facts) for each in deed.foresee(facts))
    except Refusal as refusal:
        return (Told(refusal.code),)


def done(connection: Connection) -> Answer:
    return (told("DONE", connection),)


def told(word: str, connection: Connection | None) -> Told:
    if connection is None:
        return Told(word)
    return Told(word, Line.of(connection), connection.integrated_by)


def _shown_for(each: Told, facts: Facts) -> Told:
    if each.line is None:
        return each
    return replace(each, by=facts.credentials[each.line.credential].person)
