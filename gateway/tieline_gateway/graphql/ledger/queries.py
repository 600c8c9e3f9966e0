"""Questions about what was synced of a connection's books."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.ledger.datasets import Dataset, LedgerDocumentKind, PaymentKind
from tieline.ledger.service import find_single, list_documents, list_payments, list_set_aside
from tieline.pages import DEFAULT_PAGE
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.ledger.documents import LedgerDocument
from tieline_gateway.graphql.ledger.listing import NULL, Active, After, First, Of, listed, read_connection_id
from tieline_gateway.graphql.ledger.lists import (
    Account,
    Contact,
    PaymentMethod,
    PaymentTerm,
    TaxRate,
    TrackingCategory,
    TrackingValue,
)
from tieline_gateway.graphql.ledger.movements import BankTransfer, Journal
from tieline_gateway.graphql.ledger.pages import Page
from tieline_gateway.graphql.ledger.payments import Payment
from tieline_gateway.graphql.ledger.set_aside import RecordSetAside
from tieline_gateway.graphql.ledger.settings import (
    BrandingTheme,
    Currency,
    LedgerItem,
    LedgerOrganisation,
    LedgerPreferences,
    TaxAgency,
)

_KINDS = "Only these kinds; all where none is named."
Kinds = Annotated[
    list[LedgerDocumentKind] | None,
    strawberry.argument(description=_KINDS),
]
PaymentKinds = Annotated[list[PaymentKind] | None, strawberry.argument(description=_KINDS)]


@strawberry.type
class LedgerQueries:
    accounts: Page[Account] | None = listed(Dataset.ACCOUNTS, Account.of, "The chart of accounts, by name.")
    contacts: Page[Contact] | None = listed(Dataset.CONTACTS, Contact.of, "Suppliers and customers, by name.")
    tax_rates: Page[TaxRate] | None = listed(Dataset.TAX_RATES, TaxRate.of, "Rates of tax, by name.")
    tracking_categories: Page[TrackingCategory] | None = listed(
        Dataset.TRACKING_CATEGORIES,
        TrackingCategory.of,
        "Tracking categories with their options, by name.",
    )
    classes: Page[TrackingValue] | None = listed(
        Dataset.CLASSES,
        TrackingValue.of,
        "Values of the dimension Class, by name, where a provider keeps each by itself.",
    )
    departments: Page[TrackingValue] | None = listed(
        Dataset.DEPARTMENTS,
        TrackingValue.of,
        "Values of the dimension Department, by name, where a provider keeps each by itself.",
    )
    payment_methods: Page[PaymentMethod] | None = listed(
        Dataset.PAYMENT_METHODS, PaymentMethod.of, "Ways to pay, by name."
    )
    payment_terms: Page[PaymentTerm] | None = listed(
        Dataset.TERMS, PaymentTerm.of, "Rules for when a document falls due, by name."
    )
    ledger_items: Page[LedgerItem] | None = listed(
        Dataset.ITEMS, LedgerItem.of, "What is bought and sold by name, by name."
    )
    currencies: Page[Currency] | None = listed(
        Dataset.CURRENCIES, Currency.of, "Currencies that documents may be in, by name."
    )
    branding_themes: Page[BrandingTheme] | None = listed(
        Dataset.BRANDING_THEMES, BrandingTheme.of, "How invoices may look, by name."
    )
    tax_agencies: Page[TaxAgency] | None = listed(
        Dataset.TAX_AGENCIES, TaxAgency.of, "Whom taxes are declared to, by name."
    )
    bank_transfers: Page[BankTransfer] | None = listed(
        Dataset.BANK_TRANSFERS,
        BankTransfer.of,
        "Money moved between the organisation's accounts, the newest first.",
    )
    journals: Page[Journal] | None = listed(
        Dataset.JOURNALS, Journal.of, "Journals that somebody entered by hand, the newest first."
    )

    @strawberry.field(
        description="The organisation as its books have it. Null where nothing was synced yet; with an error, for a "
        "bad id."
    )
    async def ledger_organisation(self, info: Info, connection_id: Of) -> LedgerOrganisation | None:
        id_ = read_connection_id(connection_id)
        found = await find_single(info.context.principal, id_, Dataset.ORGANISATION)
        return LedgerOrganisation.of(found) if found else None

    @strawberry.field(
        description="How the books are set up. Null where the provider does not say, or nothing was synced yet; with "
        "an error, for a bad id."
    )
    async def ledger_preferences(self, info: Info, connection_id: Of) -> LedgerPreferences | None:
        id_ = read_connection_id(connection_id)
        found = await find_single(info.context.principal, id_, Dataset.PREFERENCES)
        return LedgerPreferences.of(found) if found else None

    @strawberry.field(description=f"Payments of every kind, the newest first. {NULL}")
    async def payments(
        self,
        info: Info,
        connection_id: Of,
        kinds: PaymentKinds = None,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[Payment] | None:
        page = await list_payments(
            info.context.principal,
            read_connection_id(connection_id),
            kinds=kinds or (),
            active=active,
            first=first,
            after=after,
        )
        return Page.of(page, Payment.of)

    @strawberry.field(description=f"Documents of every kind, the newest first. {NULL}")
    async def ledger_documents(
        self,
        info: Info,
        connection_id: Of,
        kinds: Kinds = None,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[LedgerDocument] | None:
        page = await list_documents(
            info.context.principal,
            read_connection_id(connection_id),
            kinds=kinds or (),
            active=active,
            first=first,
            after=after,
        )
        return Page.of(page, LedgerDocument.of)

    @strawberry.field(
        description="Records of these books that could not be read when they last came, the latest first, a hundred at "
        "most. What was read of them before is in the lists still. Null, with an error, for a bad id."
    )
    async def records_set_aside(self, info: Info, connection_id: Of) -> list[RecordSetAside] | None:
        found = await list_set_aside(info.context.principal, read_connection_id(connection_id))
        return [RecordSetAside.of(each) for each in found]
