"""A practice with many companies at QuickBooks Online, each with a consent of its own, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from tests.chaos.portfolio import Portfolio, added, app_of, firm_at
from tests.chaos.stand import Stand
from tests.plugins.quickbooks_books import DATASET_AT_SANDBOX
from tests.support.intuit import Company, QuickBooks
from tests.support.intuit import Person as Owner
from tests.support.rounds import Rounds
from tests.support.sandbox import Books, Person
from tests.sync.synced import Kept, as_kept
from tieline_quickbooks.mapping import NOUNS, Noun, Sorted, sorted_out, tax_agency, tax_code

_SNAPSHOT = frozenset({"organisation", "preferences"})


@dataclass(frozen=True, kw_only=True)
class Companies(Portfolio):
    """Its `person` is who may connect them all, its books' ids are realms."""

    edited: ClassVar[str] = "vendors"
    id_field: ClassVar[str] = "Id"
    name_field: ClassVar[str] = "DisplayName"
    removal: ClassVar[str] = "deactivated"
    passed_over: frozenset[str] = _SNAPSHOT

    def at_sandbox(self, books: Books) -> str:
        return f"/quickbooks/companies/{books.tenant_id}"

    async def truth(self, books: Books) -> Kept:
        company = Company(realm_id=books.tenant_id, name=books.name)
        return as_kept(_sorted(await QuickBooks(sandbox=self.stand.sandbox).books(company)))

    async def calls(self) -> int:
        counted = (await self.stand.sandbox.control("GET", "/quickbooks/counters"))["companies"]
        return sum(counted[books.tenant_id]["calls"] for books in self.person.organisations)


async def many_companies(stand: Stand, companies: int, *, seed: str, url: str) -> Companies:
    """As many clients as companies, connected for BOOKKEEPING by one admin, each with a first run that is queued.

    The gateway must run. The same seed makes the same books; `url` is where Intuit is.
    """
    firm, quickbooks = await firm_at(stand), QuickBooks(sandbox=stand.sandbox)
    app = await app_of(stand, firm.practice_id, "quickbooks", url)
    names = [f"Company {number:05}" for number in range(companies)]
    owner = await quickbooks.populate(*names, seed=seed)
    above = await stand.deployment.connect()
    rounds = Rounds(firm=firm, quickbooks=quickbooks, app=app, person=owner, browser=stand.http, above=above)
    connections = await added(stand, firm.admin, await rounds.queue(*owner.companies))
    await above.close()
    assert sorted(connections) == names
    return Companies(stand=stand, admin=firm.admin, app=app, person=_person(owner), connections=connections)


def _person(owner: Owner) -> Person:
    books = tuple(Books(tenant_id=one.realm_id, name=one.name) for one in owner.companies)
    return Person(id=owner.id, email=owner.email, organisations=books)


def _sorted(books: dict[str, Any]) -> Iterator[Sorted]:
    rates = {one["Id"]: one for one in books["tax_rates"]}
    codes = Noun(entity="TaxCode", dataset="tax_rates", mapped=partial(tax_code, rates=rates))
    agencies = Noun(entity="TaxAgency", dataset="tax_agencies", mapped=tax_agency)
    at_sandbox = {**DATASET_AT_SANDBOX, "TaxCode": "tax_codes", "TaxAgency": "tax_agencies"}
    for noun in (*NOUNS, codes, agencies):
        for element in books[at_sandbox[noun.entity]]:
            yield sorted_out(noun, element)
