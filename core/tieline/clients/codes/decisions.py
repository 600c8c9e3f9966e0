"""What becomes of each code that is to be set: pure. Clients may swap codes, and no two end with the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tieline.clients.details import read_code
from tieline.clients.repository import Client
from tieline.errors import CodeTaken, Forbidden, Invalid, NamedTwice, NotFound, Refused
from tieline.ids import ClientId


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """One row: this client gets this code; None or an empty one takes the client's code away."""

    client_id: ClientId
    code: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeFacts:
    """What is known when rows are decided: the clients that the caller sees, and who has the codes in question.

    Codes are the practice's own: to be an administrator of the client is not enough.
    """

    clients: Mapping[ClientId, Client]
    forbidden: Forbidden | None
    holders: Mapping[str, ClientId]


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The row is good: the client has this code from now on, or had it already."""

    client: Client
    code: str | None

    @property
    def is_change(self) -> bool:
        return self.code != self.client.practice_code


def decide_all(rows: Sequence[Coded], facts: CodeFacts) -> list[Given | Refused]:
    """One answer a row, in their order. A code is free where its holder gets another one by a row that is good."""
    return _Deciding(rows, facts).settled()


class _Deciding:
    """Rows that are good so far; one that is refused keeps its client's code, which may refuse another."""

    def __init__(self, rows: Sequence[Coded], facts: CodeFacts) -> None:
        self._holders = facts.holders
        self._answers: list[Given | Refused] = []
        self._row_of: dict[ClientId, int] = {}
        for place, row in enumerate(rows):
            answer = NamedTwice("is about the same client", field="clientId")
            self._answers.append(_alone(row, facts) if row.client_id not in self._row_of else answer)
            if isinstance(self._answers[-1], Given):
                self._row_of[row.client_id] = place
        self._claimed: dict[str, int] = {}

    def settled(self) -> list[Given | Refused]:
        second: list[tuple[int, str]] = []
        for place, answer in enumerate(self._answers):
            if not isinstance(answer, Given) or answer.code is None:
                continue
            if not self._is_free(answer.code, answer.client.id):
                self._refuse(place, CodeTaken(answer.code, field="practiceCode"))
            elif answer.code in self._claimed:
                second.append((place, answer.code))
                self._refuse(place, NamedTwice("gives the same code to another client", field="practiceCode"))
            else:
                self._claimed[answer.code] = place
        for place, code in second:
            if code not in self._claimed:
                self._answers[place] = CodeTaken(code, field="practiceCode")
        return self._answers

    def _is_free(self, code: str, client_id: ClientId) -> bool:
        """Whether nobody has it, or whoever has it gets another one."""
        holder = self._holders.get(code)
        if holder is None or holder == client_id:
            return True
        place = self._row_of.get(holder)
        answer = self._answers[place] if place is not None else None
        return isinstance(answer, Given) and answer.is_change

    def _refuse(self, place: int, refusal: Refused) -> None:
        """This row, and whichever counted on the code that its client keeps."""
        waiting: list[tuple[int, Refused]] = [(place, refusal)]
        while waiting:
            place, refusal = waiting.pop()
            answer = self._answers[place]
            assert isinstance(answer, Given)
            self._answers[place] = refusal
            if answer.code is not None and self._claimed.get(answer.code) == place:
                del self._claimed[answer.code]
            kept = answer.client.practice_code
            counting = self._claimed.get(kept) if kept is not None else None
            if kept is not None and counting is not None:
                waiting.append((counting, CodeTaken(kept, field="practiceCode")))


def _alone(row: Coded, facts: CodeFacts) -> Given | Refused:
    """What becomes of a row, whatever others there are."""
    client = facts.clients.get(row.client_id)
    if client is None:
        return NotFound("client", row.client_id, field="clientId")
    if facts.forbidden is not None:
        return facts.forbidden
    if row.code is None or not row.code.strip():
        return Given(client=client, code=None)
    try:
        return Given(client=client, code=read_code(row.code, field="practiceCode"))
    except Invalid as invalid:
        return invalid
