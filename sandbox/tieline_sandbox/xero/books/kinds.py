"""The datasets of the books: each with its endpoint, how its records are made, and what its statuses are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tieline_sandbox.books import kinds
from tieline_sandbox.books.kinds import Edit
from tieline_sandbox.books.values import Record, value_of
from tieline_sandbox.codec import Malformed
from tieline_sandbox.xero.books import charts, contacts, documents
from tieline_sandbox.xero.books.filters import comparable
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.wire import ms_date

_OPEN = ("DRAFT", "SUBMITTED")
_VOIDED = "VOIDED"


@dataclass(frozen=True, kw_only=True)
class Kind(kinds.Kind[Ledger]):
    """`archived` and `deleted` are the statuses that take a record away; None where there is no such thing.
    `hides_archived`: shown only with `includeArchived`.
    """

    resource: str
    updated_field: str = "UpdatedDateUTC"
    head_fields: frozenset[str] = frozenset({"Type", "Status"})
    status_field: str = "Status"
    archived: str | None = None
    deleted: str | None = None
    is_paged: bool = False
    knows_changes: bool = True
    hides_archived: bool = False

    def spelling(self, id_: str) -> str:
        """The id as records have it: in small letters, but for the types of tax rates."""
        return id_.upper() if self.dataset == "tax_rates" else id_.lower()

    def is_there(self, record: Record) -> bool:
        gone = {status for status in (self.archived, self.deleted, _VOIDED) if status is not None}
        return record.get(self.status_field) not in gone

    def number_of(self, ledger: Ledger, id_: str) -> int | None:
        """The number of a record that the seed gives; tax rates are known by their type."""
        if self.dataset != "tax_rates":
            return ledger.number_of(self.dataset, id_)
        known = charts.rates(ledger.country, ledger.count("tax_rates"))
        return next((number for number, rate in enumerate(known) if rate.tax_type == id_), None)

    def stamped(self, record: Record, edit: Edit) -> Record:
        times = {
            self.updated_field: ms_date(edit.updated_at),
            f"{self.updated_field}String": f"{edit.updated_at:%Y-%m-%dT%H:%M:%S}Z",
        }
        return record | {name: value for name, value in times.items() if name in record}

    def sort_key(self, record: Record, field: str) -> tuple[bool, Any]:
        value = comparable(value_of(record, field))
        return value is not None, value

    def removal(self, record: Record, *, archived: bool) -> Record:
        """The fields of a record that is archived or deleted; an invoice that was approved is voided."""
        status = self.archived if archived else self.deleted
        if status is None:
            word = "archived" if archived else "deleted"
            raise Malformed(word, f"is not something that happens to {self.dataset}")
        if self.dataset == "invoices" and record["Status"] not in _OPEN:
            status = _VOIDED
        return {self.status_field: status}


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
