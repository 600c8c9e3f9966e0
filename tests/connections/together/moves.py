"""Connections that are hung on somebody's own sign-in: one, chosen ones, or all that are broken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tests.connections.together.answers import Answer, done, told
from tests.connections.together.facts import Facts, Line, Person
from tests.connections.together.reckoning import (
    Refusal,
    Told,
    covers,
    hand_over,
    hang,
    move,
    own_trip,
    permitted,
    unreached,
)
from tieline.connections import service
from tieline.connections.moving.service import MoveOutcome, reassign, reconnect_all
from tieline.ids import ConnectionId, SignInId
from tieline.plugins import Product


@dataclass(frozen=True, kw_only=True)
class Reconnect:
    by: Person
    sign_in: UUID
    connection: UUID

    async def do(self) -> Answer:
        named = ConnectionId(self.connection)
        return done(await service.reconnect(self.by.principal, named, SignInId(self.sign_in)))

    def foresee(self, facts: Facts) -> Answer:
        line = permitted(facts, self.by, self.connection)
        trip = own_trip(facts, self.by, self.sign_in)
        refused = unreached(facts, trip, line.organisation, line.product)
        another = any(is_new and each != line.organisation for each, (_, is_new) in trip.found.items())
        if refused == "NOT_IN_THIS_LOGIN" and another:
            raise Refusal("DIFFERENT_ORGANISATION")
        if refused is not None:
            raise Refusal(refused)
        if facts.serves(line.organisation) not in (None, line.client):
            raise Refusal("ORGANISATION_IN_USE")
        credential = trip.found[line.organisation][0]
        if line.reason is None and line.credential == credential:
            return (Told("DONE", line),)
        return (Told("DONE", hang(facts, line, credential)),)


@dataclass(frozen=True, kw_only=True)
class ReconnectAll:
    by: Person
    sign_in: UUID

    async def do(self) -> Answer:
        mended = await reconnect_all(self.by.principal, SignInId(self.sign_in))
        assert mended.remaining == 0
        return _in_order(_moved(each) for each in mended.outcomes)

    def foresee(self, facts: Facts) -> Answer:
        trip = own_trip(facts, self.by, self.sign_in)
        if not self.by.manages and not self.by.administers & facts.clients:
            raise Refusal("FORBIDDEN")
        mine = [
            each
            for each in facts.lines.values()
            if facts.slugs[each.organisation] == trip.slug
            and facts.sees(self.by, each.client)
            and self.by.may(each.client)
        ]
        broken = [each for each in mine if each.reason not in {None, "DISCONNECTED"}]
        answer = [Told("RECONNECTED", each) for each in mine if self._mended(facts, trip.mended, each)]
        answer += [move(facts, trip, each, "RECONNECTED") for each in broken]
        _hand_over_moved(facts, answer[-len(broken) :] if broken else [], trip.person)
        return _in_order(answer)

    def _mended(self, facts: Facts, mended: frozenset[UUID], line: Line) -> bool:
        """By completing the sign-in, and it works through it still."""
        kept = facts.credentials[line.credential]
        through = facts.trips[self.sign_in].credentials
        works = line.reason is None and kept.is_live and line.credential in through
        return works and line.id in mended and any(covers(facts, line.credential, each) for each in Product)


@dataclass(frozen=True, kw_only=True)
class Reassign:
    by: Person
    sign_in: UUID
    connections: tuple[UUID, ...]

    async def do(self) -> Answer:
        named = [ConnectionId(each) for each in self.connections]
        outcomes = await reassign(self.by.principal, SignInId(self.sign_in), named)
        assert [each.connection_id for each in outcomes] == named
        return tuple(_moved(each) for each in outcomes)

    def foresee(self, facts: Facts) -> Answer:
        trip = own_trip(facts, self.by, self.sign_in)
        firsts = {each: self._row(facts, each) for each in dict.fromkeys(self.connections)}
        answer: list[Told] = []
        for number, named in enumerate(self.connections):
            line = firsts[named]
            if named in self.connections[:number]:
                answer.append(Told("NAMED_TWICE", self._shown(facts, named)))
            elif isinstance(line, Told):
                answer.append(line)
            else:
                answer.append(move(facts, trip, line, "REASSIGNED"))
        _hand_over_moved(facts, answer, trip.person)
        return tuple(answer)

    def _row(self, facts: Facts, connection: UUID) -> Line | Told:
        line = facts.line(connection)
        if line is None or not facts.sees(self.by, line.client):
            return Told("NOT_FOUND")
        if not self.by.may(line.client):
            return Told("FORBIDDEN", line)
        return Told("DISCONNECTED", line) if line.reason == "DISCONNECTED" else line

    def _shown(self, facts: Facts, connection: UUID) -> Line | None:
        """As it is once all of this is done."""
        line = facts.line(connection) or facts.ended.get(connection)
        return line if line is not None and facts.sees(self.by, line.client) else None


def _moved(outcome: MoveOutcome) -> Told:
    return told(outcome.outcome.value, outcome.connection)


def _in_order(answer: Iterable[Told]) -> Answer:
    return tuple(sorted(answer, key=lambda each: str(each.line and each.line.id)))


def _hand_over_moved(facts: Facts, answer: Iterable[Told], person: UUID) -> None:
    for each in answer:
        if each.word in {"REASSIGNED", "RECONNECTED", "TO_BE_CHECKED"} and each.line is not None:
            hand_over(facts, each.line.credential, person)
