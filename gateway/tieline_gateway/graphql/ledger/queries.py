"""Questions about what was synced of a connection's books."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.ids import ConnectionId
from tieline.ledger.datasets import Dataset, LedgerDocumentKind
from tieline.ledger.reading.repository import LedgerRecord
from tieline.ledger.service import list_documents, list_names, list_set_aside
from tieline.pages import DEFAULT_PAGE
from tieline.pages import Page as PageOfRows
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import read_id
from tieline_gateway.graphql.ledger.documents import LedgerDocument
from tieline_gateway.graphql.ledger.lists import Account, Contact, TaxRate, TrackingCategory
from tieline_gateway.graphql.ledger.pages import Page
from tieline_gateway.graphql.ledger.set_aside import RecordSetAside

_CONNECTION = (
    "Whose organisation's books: a connection, current or ended, of a client that the caller may see."
)
_AFTER = "A cursor of this same list: another connection or filter refuses it."
_ACTIVE = "Only those that are active, or only those that are not."
_NULL = "Null, with an error, for a bad id, page size or cursor."

Of = Annotated[strawberry.ID, strawberry.argument(description=_CONNECTION)]
First = Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")]
After = Annotated[str | None, strawberry.argument(description=_AFTER)]
Active = Annotated[bool | None, strawberry.argument(description=_ACTIVE)]
Kinds = Annotated[
    list[LedgerDocumentKind] | None,
    strawberry.argument(description="Only these kinds; all where none is named."),
]


@strawberry.type
class LedgerQueries:
    @strawberry.field(description=f"The chart of accounts, by name. {_NULL}")
    async def accounts(
        self,
        info: Info,
        connection_id: Of,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[Account] | None:
        page = await _names(info, connection_id, Dataset.ACCOUNTS, active=active, first=first, after=after)
        return Page.of(page, Account.of)

    @strawberry.field(description=f"Suppliers and customers, by name. {_NULL}")
    async def contacts(
        self,
        info: Info,
        connection_id: Of,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[Contact] | None:
        page = await _names(info, connection_id, Dataset.CONTACTS, active=active, first=first, after=after)
        return Page.of(page, Contact.of)

    @strawberry.field(description=f"Rates of tax, by name. {_NULL}")
    async def tax_rates(
        self,
        info: Info,
        connection_id: Of,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[TaxRate] | None:
        page = await _names(info, connection_id, Dataset.TAX_RATES, active=active, first=first, after=after)
        return Page.of(page, TaxRate.of)

    @strawberry.field(description=f"Tracking categories with their options, by name. {_NULL}")
    async def tracking_categories(
        self,
        info: Info,
        connection_id: Of,
        first: First = DEFAULT_PAGE,
        after: After = None,
        active: Active = None,
    ) -> Page[TrackingCategory] | None:
        page = await _names(
            info, connection_id, Dataset.TRACKING_CATEGORIES, active=active, first=first, after=after
        )
        return Page.of(page, TrackingCategory.of)

    @strawberry.field(description=f"Invoices, bills and bank transactions, the newest first. {_NULL}")
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
            _connection(connection_id),
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
        found = await list_set_aside(info.context.principal, _connection(connection_id))
        return [RecordSetAside.of(each) for each in found]


async def _names(
    info: Info,
    connection_id: strawberry.ID,
    dataset: Dataset,
    *,
    active: bool | None,
    first: int,
    after: str | None,
) -> PageOfRows[LedgerRecord]:
    return await list_names(
        info.context.principal, _connection(connection_id), dataset, active=active, first=first, after=after
    )


def _connection(given: strawberry.ID) -> ConnectionId:
    return ConnectionId(read_id("connection", given, field="connectionId"))
