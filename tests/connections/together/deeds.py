"""What people do: each deed is done through a service, and foreseen from facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias
from uuid import UUID

from tests.connections.together.facts import Facts, Line, Person
from tests.connections.together.ledger import Ledger
from tests.connections.together.reckoning import (
    Good,
    Refusal,
    Told,
    covers,
    hand_over,
    hang,
    heal,
    move,
    own_trip,
    permitted,
    put,
    unreached,
    weigh,
)
from tieline.clients.service import delete_client
from tieline.connections import service
from tieline.connections.changing import change_connection
from tieline.connections.decisions import Asked
from tieline.connections.moving.service import MoveOutcome, reassign, reconnect_all
from tieline.connections.repository import Connection
from tieline.errors import Refused
from tieline.ids import AppId, ClientId, ConnectionId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline.sign_ins.service import NewSignIn, answer_consent, complete_sign_in, start_sign_in
from tieline.sign_ins.states import Purpose

Answer: TypeAlias = tuple[Told, ...]
Row: TypeAlias = tuple[UUID, UUID]
"""A client, and an organisation."""


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


@dataclass(frozen=True, kw_only=True)
class Connect:
    by: Person
    sign_in: UUID
    product: str
    client: UUID
    organisation: UUID

    async def do(self) -> Answer:
        return _done(
            await service.connect(
                self.by.principal,
                SignInId(self.sign_in),
                client_id=ClientId(self.client),
                product=Product(self.product),
                organisation_id=OrganisationId(self.organisation),
            )
        )

    def foresee(self, facts: Facts) -> Answer:
        trip, key = own_trip(facts, self.by, self.sign_in), (self.client, self.product)
        good = weigh(facts, self.by, trip, key, self.organisation)
        if isinstance(good, str):
            raise Refusal(good)
        return (Told("DONE", put(facts, key, self.organisation, good)),)


@dataclass(frozen=True, kw_only=True)
class BulkConnect:
    by: Person
    sign_in: UUID
    product: str
    rows: tuple[Row, ...]

    async def do(self) -> Answer:
        rows = [
            Asked(client_id=ClientId(one), organisation_id=OrganisationId(other)) for one, other in self.rows
        ]
        product = Product(self.product)
        told = await service.bulk_connect(self.by.principal, SignInId(self.sign_in), product, rows)
        assert [each.asked for each in told] == rows
        return tuple(_told(each.outcome, each.connection) for each in told)

    def foresee(self, facts: Facts) -> Answer:
        trip, before = own_trip(facts, self.by, self.sign_in), facts.copy()
        clients: set[UUID] = set()
        organisations: set[UUID] = set()
        told: list[Told] = []
        for client, organisation in self.rows:
            good = weigh(before, self.by, trip, (client, self.product), organisation)
            if client in clients:
                told.append(Told("NAMED_TWICE"))
            elif organisation in organisations:
                told.append(Told("ORGANISATION_IN_USE"))
            elif isinstance(good, str):
                told.append(Told(good))
            else:
                clients.add(client)
                organisations.add(organisation)
                told.append(self._connected(facts, client, organisation, good))
        return tuple(told)

    def _connected(self, facts: Facts, client: UUID, organisation: UUID, good: Good) -> Told:
        standing = good.standing
        stays = standing is not None and standing.organisation == organisation and standing.reason is None
        line = put(facts, (client, self.product), organisation, good)
        return Told("ALREADY_CONNECTED" if stays else "CONNECTED", line)


@dataclass(frozen=True, kw_only=True)
class Reconnect:
    by: Person
    sign_in: UUID
    connection: UUID

    async def do(self) -> Answer:
        named = ConnectionId(self.connection)
        return _done(await service.reconnect(self.by.principal, named, SignInId(self.sign_in)))

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
        told = [Told("RECONNECTED", each) for each in mine if self._mended(facts, trip.mended, each)]
        told += [move(facts, trip, each, "RECONNECTED") for each in broken]
        _hand_over_moved(facts, told[-len(broken) :] if broken else [], trip.person)
        return _in_order(told)

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
        told = await reassign(self.by.principal, SignInId(self.sign_in), named)
        assert [each.connection_id for each in told] == named
        return tuple(_moved(each) for each in told)

    def foresee(self, facts: Facts) -> Answer:
        trip = own_trip(facts, self.by, self.sign_in)
        firsts = {each: self._row(facts, each) for each in dict.fromkeys(self.connections)}
        told: list[Told] = []
        for number, named in enumerate(self.connections):
            line = firsts[named]
            if named in self.connections[:number]:
                told.append(Told("NAMED_TWICE", self._shown(facts, named)))
            elif isinstance(line, Told):
                told.append(line)
            else:
                told.append(move(facts, trip, line, "REASSIGNED"))
        _hand_over_moved(facts, told, trip.person)
        return tuple(told)

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


@dataclass(frozen=True, kw_only=True)
class Change:
    by: Person
    sign_in: UUID
    connection: UUID
    organisation: UUID

    async def do(self) -> Answer:
        return _done(
            await change_connection(
                self.by.principal,
                ConnectionId(self.connection),
                SignInId(self.sign_in),
                OrganisationId(self.organisation),
            )
        )

    def foresee(self, facts: Facts) -> Answer:
        named = facts.line(self.connection) or facts.ended.get(self.connection)
        if named is None or not facts.sees(self.by, named.client):
            raise Refusal("NOT_FOUND")
        trip, standing = own_trip(facts, self.by, self.sign_in), facts.lines.get(named.key)
        if standing is None or (standing.id != named.id and standing.organisation != self.organisation):
            raise Refusal("NOT_FOUND")
        good = weigh(facts, self.by, trip, named.key, self.organisation, moves=True)
        if isinstance(good, str):
            raise Refusal(good)
        return (Told("DONE", put(facts, named.key, self.organisation, good)),)


@dataclass(frozen=True, kw_only=True)
class Disconnect:
    by: Person
    connection: UUID

    async def do(self) -> Answer:
        return _done(await service.disconnect(self.by.principal, ConnectionId(self.connection)))

    def foresee(self, facts: Facts) -> Answer:
        line = permitted(facts, self.by, self.connection)
        facts.lines[line.key] = replace(line, reason="DISCONNECTED")
        return (Told("DONE", facts.lines[line.key]),)


@dataclass(frozen=True, kw_only=True)
class Delete:
    by: Person
    client: UUID

    async def do(self) -> Answer:
        await delete_client(self.by.principal, ClientId(self.client))
        return (Told("DONE"),)

    def foresee(self, facts: Facts) -> Answer:
        if not facts.sees(self.by, self.client):
            raise Refusal("NOT_FOUND")
        if not self.by.manages:
            raise Refusal("FORBIDDEN")
        for line in [each for each in facts.lines.values() if each.client == self.client]:
            facts.end(line)
        facts.clients.discard(self.client)
        return (Told("DONE"),)


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """The whole trip: to the provider, a consent there as this subject, and back."""

    by: Person
    slug: str
    subject: str
    organisations: tuple[str, ...]
    products: tuple[Product, ...]
    ledger: Ledger = field(repr=False)
    app: tuple[UUID, str] = field(repr=False)
    tell: Callable[[UUID], None] = field(repr=False)

    async def do(self) -> Answer:
        new = NewSignIn(provider=self.slug, purpose=Purpose.CONNECT, products=self.products)
        started = await start_sign_in(self.by.principal, new)
        assert started.authorization_url is not None
        back = self.ledger.consent(started.authorization_url, self.subject, self.organisations)
        answer = await answer_consent(self.slug, AppId(self.app[0]), back)
        assert answer.proof is not None, answer
        await complete_sign_in(self.by.principal, started.sign_in.id, answer.proof)
        self.tell(started.sign_in.id)
        return (Told("READY"),)

    def foresee(self, facts: Facts) -> Answer:
        if not self.by.manages and not self.by.administers & facts.clients:
            raise Refusal("FORBIDDEN")
        known = {books: one for one, books in facts.externals.items() if facts.slugs[one] == self.slug}
        granted = self.ledger.granted.get((self.app[1], self.subject))
        reached = {*self.organisations, *(granted.marks if granted is not None else ())}
        for credential, kept in facts.credentials.items():
            if (kept.slug, kept.subject) == (self.slug, self.subject):
                scopes = frozenset(_SCOPES[each] for each in self.products)
                facts.credentials[credential] = replace(
                    kept, is_live=True, scopes=scopes, person=self.by.principal.person_id or kept.person
                )
                consented = {known[each]: each in self.organisations for each in reached if each in known}
                heal(facts, credential, consented)
        return (Told("READY"),)


_SCOPES = {Product.BOOKKEEPING: "ledger", Product.DATA_HEALTH: "reports"}


def _done(connection: Connection) -> Answer:
    return (_told("DONE", connection),)


def _moved(outcome: MoveOutcome) -> Told:
    return _told(outcome.outcome.value, outcome.connection)


def _shown_for(told: Told, facts: Facts) -> Told:
    if told.line is None:
        return told
    return replace(told, by=facts.credentials[told.line.credential].person)


def _told(word: str, connection: Connection | None) -> Told:
    if connection is None:
        return Told(word)
    return Told(word, Line.of(connection), connection.integrated_by)


def _in_order(told: Iterable[Told]) -> Answer:
    return tuple(sorted(told, key=lambda each: str(each.line and each.line.id)))


def _hand_over_moved(facts: Facts, told: Iterable[Told], person: UUID) -> None:
    for each in told:
        if each.word in {"REASSIGNED", "RECONNECTED", "TO_BE_CHECKED"} and each.line is not None:
            hand_over(facts, each.line.credential, person)
