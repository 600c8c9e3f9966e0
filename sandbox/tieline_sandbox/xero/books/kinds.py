"""The datasets of the books: each with its endpoint, how its records are made, and what its statuses are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tieline_sandbox.xero.books import charts, contacts, documents
from tieline_sandbox.xero.books.ledger import Ledger, Record
from tieline_sandbox.xero.model import Dataset

Make = Callable[[Ledger, int], Record]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`head` gives some fields of a record cheaply, for filters. `archived` and `deleted` are the statuses that
    take a record away; None where there is no such thing. `hides_archived`: shown only with `includeArchived`.
    """

    dataset: Dataset
    resource: str
    id_field: str
    make: Make
    head: Make | None = None
    status_field: str = "Status"
    archived: str | None = None
    deleted: str | None = None
    is_paged: bool = False
    knows_changes: bool = True
    hides_archived: bool = False

    def spelling(self, id_: str) -> str:
        """The id as records have it: in small letters, but for the types of tax rates."""
        return id_.upper() if self.dataset == "tax_rates" else id_.lower()

    def number_of(self, ledger: Ledger, id_: str) -> int | None:
        """The number of a record that the seed gives; tax rates are known by their type."""
        if self.dataset != "tax_rates":
            return ledger.number_of(self.dataset, id_)
        known = charts.rates(ledger.country, ledger.count("tax_rates"))
        return next((number for number, rate in enumerate(known) if rate.tax_type == id_), None)


KINDS = (
    Kind(
        dataset="accounts",
        resource="Accounts",
        id_field="AccountID",
        make=charts.account,
        archived="ARCHIVED",
        deleted="DELETED",
    ),
    Kind(
        dataset="tax_rates",
        resource="TaxRates",
        id_field="TaxType",
        make=charts.tax_rate,
        archived="ARCHIVED",
        deleted="DELETED",
        knows_changes=False,
    ),
    Kind(
        dataset="tracking_categories",
        resource="TrackingCategories",
        id_field="TrackingCategoryID",
        make=charts.tracking_category,
        archived="ARCHIVED",
        deleted="DELETED",
        knows_changes=False,
        hides_archived=True,
    ),
    Kind(
        dataset="contacts",
        resource="Contacts",
        id_field="ContactID",
        make=contacts.contact,
        status_field="ContactStatus",
        archived="ARCHIVED",
        is_paged=True,
        hides_archived=True,
    ),
    Kind(
        dataset="invoices",
        resource="Invoices",
        id_field="InvoiceID",
        make=documents.invoice,
        head=documents.invoice_head,
        deleted="DELETED",
        is_paged=True,
    ),
    Kind(
        dataset="bank_transactions",
        resource="BankTransactions",
        id_field="BankTransactionID",
        make=documents.bank_transaction,
        head=documents.bank_transaction_head,
        deleted="DELETED",
        is_paged=True,
    ),
)
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
BY_DATASET = {kind.dataset: kind for kind in KINDS}
