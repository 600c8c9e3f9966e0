"""Questions about what was synced of a connection's books."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.ledger.datasets import Dataset, LedgerDocumentKind
from tieline.ledger.service import list_documents, list_set_aside
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
from tieline_gateway.graphql.ledger.pages import Page
from tieline_gateway.graphql.ledger.payments import Payment
from tieline_gateway.graphql.ledger.set_aside import RecordSetAside

Kinds = Annotated[
    list[LedgerDocumentKind] | None,
    strawberry.argument(description="Only these kinds; all where none is named."),
]


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
    payments: Page[Payment] | None = listed(
        Dataset.PAYMENTS, Payment.of, "Money that settles documents, the newest first."
    )

    @strawberry.field(description=f"Invoices, bills and bank transactions, the newest first. {NULL}")
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
