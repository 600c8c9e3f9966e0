"""What people do, beside hanging on their own sign-in what stands: each deed is done by a service, and foreseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

from tests.connections.together.answers import Answer, done, told
from tests.connections.together.facts import Facts, Person
from tests.connections.together.ledger import Ledger
from tests.connections.together.reckoning import Good, Refusal, Told, heal, own_trip, permitted, put, weigh
from tieline.clients.service import delete_client
from tieline.connections import service
from tieline.connections.changing import change_connection
from tieline.connections.decisions import Asked
from tieline.ids import AppId, ClientId, ConnectionId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline.sign_ins.service import NewSignIn, answer_consent, complete_sign_in, start_sign_in
from tieline.sign_ins.states import Purpose
from tieline.vault import Secret

Row: TypeAlias = tuple[UUID, UUID]
"""A client, and an organisation."""

_SCOPES = {Product.BOOKKEEPING: "ledger", Product.DATA_HEALTH: "reports"}


@dataclass(frozen=True, kw_only=True)
class Connect:
    by: Person
    sign_in: UUID
    product: str
    client: UUID
    organisation: UUID

    async def do(self) -> Answer:
        return done(
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
        rows, product = self.asked(), Product(self.product)
        outcomes = await service.bulk_connect(self.by.principal, SignInId(self.sign_in), product, rows)
        assert [each.asked for each in outcomes] == rows
        return tuple(told(each.outcome, each.connection) for each in outcomes)

    def asked(self) -> list[Asked]:
        return [
            Asked(client_id=ClientId(one), organisation_id=OrganisationId(other)) for one, other in self.rows
        ]

    def foresee(self, facts: Facts) -> Answer:
        trip, before = own_trip(facts, self.by, self.sign_in), facts.copy()
        clients: set[UUID] = set()
        organisations: set[UUID] = set()
        answer: list[Told] = []
        for client, organisation in self.rows:
            good = weigh(before, self.by, trip, (client, self.product), organisation)
            if client in clients:
                answer.append(Told("NAMED_TWICE"))
            elif organisation in organisations:
                answer.append(Told("ORGANISATION_IN_USE"))
            elif isinstance(good, str):
                answer.append(Told(good))
            else:
                clients.add(client)
                organisations.add(organisation)
                answer.append(self._connected(facts, client, organisation, good))
        return tuple(answer)

    def _connected(self, facts: Facts, client: UUID, organisation: UUID, good: Good) -> Told:
        standing = good.standing
        stays = standing is not None and standing.organisation == organisation and standing.reason is None
        line = put(facts, (client, self.product), organisation, good)
        return Told("ALREADY_CONNECTED" if stays else "CONNECTED", line)


@dataclass(frozen=True, kw_only=True)
class Change:
    by: Person
    sign_in: UUID
    connection: UUID
    organisation: UUID

    async def do(self) -> Answer:
        return done(
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
        return done(await service.disconnect(self.by.principal, ConnectionId(self.connection)))

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
        sign_in_id, proof = await self.consent()
        await complete_sign_in(self.by.principal, sign_in_id, proof)
        self.tell(sign_in_id)
        return (Told("READY"),)

    async def consent(self) -> tuple[SignInId, Secret]:
        """As far as the consent and its proof."""
        new = NewSignIn(provider=self.slug, purpose=Purpose.CONNECT, products=self.products)
        started = await start_sign_in(self.by.principal, new)
        assert started.authorization_url is not None
        self.ledger.sent.add(started.sign_in.id)
        back = self.ledger.consent(started.authorization_url, self.subject, self.organisations)
        answer = await answer_consent(self.slug, AppId(self.app[0]), back)
        assert answer.proof is not None, answer
        return started.sign_in.id, answer.proof

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
