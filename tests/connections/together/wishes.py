"""What somebody may want to do, drawn without knowing what there is, and made a deed of what there is by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st

from tests.connections.together.answers import Deed
from tests.connections.together.deeds import BulkConnect, Change, Connect, Delete, Disconnect, Row
from tests.connections.together.facts import Facts, Person
from tests.connections.together.ledger import MANY, ONE
from tests.connections.together.moves import Reassign, Reconnect, ReconnectAll
from tests.connections.together.stage import ALONE, BOOKS, LOGINS, Stage
from tieline.plugins import Product

T = TypeVar("T")


class Kind(StrEnum):
    CONNECT = "CONNECT"
    BULK = "BULK"
    RECONNECT = "RECONNECT"
    RECONNECT_ALL = "RECONNECT_ALL"
    REASSIGN = "REASSIGN"
    CHANGE = "CHANGE"
    DISCONNECT = "DISCONNECT"
    DELETE = "DELETE"
    SIGN_IN = "SIGN_IN"


_MOVES = (Kind.RECONNECT_ALL, Kind.REASSIGN)
_OFTEN = (*Kind, *(each for each in Kind if each is not Kind.DELETE), *(_MOVES * 2), Kind.CONNECT, Kind.BULK)
_WHO = (0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5)
"""Places among the people; past the last it is a stranger, of another practice."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Places to take what is wanted from, by remainder. `stray`: from all that there is, not from what may be good."""

    kind: Kind
    who: int
    sign_in: int
    product: Product
    pairs: tuple[tuple[int, int], ...]
    stray: bool


wishes = st.builds(
    Wish,
    kind=st.sampled_from(_OFTEN),
    who=st.sampled_from(_WHO),
    sign_in=st.sampled_from((0, 0, 0, 1, 2)),
    product=st.sampled_from(Product),
    pairs=st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11)),
        min_size=1,
        max_size=4,
        unique_by=(lambda pair: pair[0] % 4, lambda pair: pair[1] % 6),
    ).map(tuple),
    stray=st.sampled_from((False,) * 5 + (True,)),
)


@dataclass(kw_only=True)
class Choice:
    """What a stage has to choose from, and another one's things, which nobody here may have."""

    stage: Stage
    facts: Facts
    other: Facts
    stranger: Person

    def deed(self, wish: Wish) -> Deed | None:
        """None where there is nothing of the kind."""
        people = [*self.stage.people, self.stranger]
        by, client = people[wish.who % len(people)], wish.pairs[0][0]
        if wish.kind is Kind.SIGN_IN:
            return self._sign_in(by, wish) if by is not self.stranger else None
        if wish.kind is Kind.DELETE:
            return Delete(by=by, client=self._client(by, client, wish))
        connections, sign_in = self._connections(by, wish), self._trip(by, wish)
        if wish.kind is Kind.DISCONNECT and connections:
            return Disconnect(by=by, connection=_nth(connections, client))
        if sign_in is None:
            return self._sign_in(by, wish)
        if wish.kind in {Kind.CONNECT, Kind.BULK, Kind.RECONNECT_ALL}:
            return self._connect(by, wish, sign_in)
        return self._move(by, wish, sign_in, connections) if connections else None

    def _move(self, by: Person, wish: Wish, sign_in: UUID, connections: Sequence[UUID]) -> Deed:
        places = [place for place, _ in _perhaps_twice(wish)]
        if not wish.stray and wish.kind is not Kind.CHANGE:
            connections = self._reached(sign_in, connections)
        named = _nth(connections, places[0])
        if wish.kind is Kind.RECONNECT:
            return Reconnect(by=by, sign_in=sign_in, connection=named)
        if wish.kind is Kind.CHANGE:
            wanted = self._organisation(sign_in, wish.pairs[0][1], wish)
            return Change(by=by, sign_in=sign_in, connection=named, organisation=wanted)
        rows = tuple(_nth(connections, place) for place in places)
        return Reassign(by=by, sign_in=sign_in, connections=rows)

    def _reached(self, sign_in: UUID, connections: Sequence[UUID]) -> Sequence[UUID]:
        """Those of these that the sign-in may be good for, if there are any."""
        found = self.facts.trips[sign_in].found if sign_in in self.facts.trips else {}
        reached = [
            each.id
            for each in self.facts.lines.values()
            if each.id in connections and each.organisation in found
        ]
        return sorted(each for each in reached if each is not None) or connections

    def _connect(self, by: Person, wish: Wish, sign_in: UUID) -> Deed:
        if wish.kind is Kind.RECONNECT_ALL:
            return ReconnectAll(by=by, sign_in=sign_in)
        rows: tuple[Row, ...] = tuple(
            (self._client(by, client, wish), self._organisation(sign_in, organisation, wish))
            for client, organisation in _perhaps_twice(wish)
        )
        if wish.kind is Kind.BULK:
            return BulkConnect(by=by, sign_in=sign_in, product=wish.product.value, rows=rows)
        [(client, organisation), *_] = rows
        return Connect(
            by=by, sign_in=sign_in, product=wish.product.value, client=client, organisation=organisation
        )

    def _sign_in(self, by: Person, wish: Wish) -> Deed:
        which, size = wish.pairs[0]
        products = (wish.product,) if wish.stray else tuple(Product)
        if which % 4 == 0:
            books = _nth(ALONE, size)
            return self.stage.sign_in(by, ONE, books, [books], *products)
        login = _nth(tuple(LOGINS), which)
        books_of_login = LOGINS[login]
        some = books_of_login[size % 3 :] if size < 6 else books_of_login
        return self.stage.sign_in(by, MANY, login, some, *products)

    def _trip(self, by: Person, wish: Wish) -> UUID | None:
        """One of the person's own that is not over, the latest first; a stray one may be any and anybody's."""
        if by is self.stranger:
            return self.stage.signed_in[0][1]
        if wish.stray:
            all_of_them = [*(each for _, each in self.stage.signed_in), *self.other.trips]
            return _nth(all_of_them, wish.pairs[0][1])
        own = [each for person, each in reversed(self.stage.signed_in) if person == by]
        usable = [each for each in own if each in self.facts.trips and not self.facts.trips[each].is_over]
        return usable[wish.sign_in % len(usable)] if usable else None

    def _client(self, by: Person, place: int, wish: Wish) -> UUID:
        """One that is seen; a stray one may be any."""
        seen = [each for each in self.stage.clients if self.facts.sees(by, each)]
        if by is self.stranger:
            return _nth(self.stage.clients, place)
        if wish.stray or not seen:
            return _nth([*self.stage.clients, *sorted(self.other.clients)], place)
        return _nth(seen, place)

    def _organisation(self, sign_in: UUID, place: int, wish: Wish) -> UUID:
        """One that the sign-in has found; a stray one may be any."""
        trip = self.facts.trips.get(sign_in)
        found = sorted(trip.found) if trip is not None else []
        books = _nth(sorted(BOOKS), place)
        found = [each for each in found if self.facts.externals[each] == books] or found
        strays = [*sorted(self.facts.slugs), *sorted(self.other.slugs)]
        return _nth(strays if wish.stray or not found else found, place)

    def _connections(self, by: Person, wish: Wish) -> list[UUID]:
        """Current ones that are seen; a stray one may be any, have ended, or be another practice's."""
        lines = [each for each in self.facts.lines.values() if each.id is not None]
        current = sorted(each.id for each in lines if each.id is not None)
        if not wish.stray and by is not self.stranger:
            return sorted(
                each.id for each in lines if each.id is not None and self.facts.sees(by, each.client)
            )
        if by is self.stranger:
            return current
        other = [each.id for each in self.other.lines.values() if each.id is not None]
        return [*current, *sorted(self.facts.ended), *other]


def _perhaps_twice(wish: Wish) -> Sequence[tuple[int, int]]:
    """A stray wish names its first row again."""
    return [*wish.pairs, wish.pairs[0]] if wish.stray else wish.pairs


def _nth(some: Sequence[T], place: int) -> T:
    return some[place % len(some)]
