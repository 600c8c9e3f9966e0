"""The datasets of the books: each with its entity, how its records are made, and what they can be asked by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline_sandbox.books import kinds
from tieline_sandbox.books.kinds import Edit
from tieline_sandbox.books.values import Record, value_of
from tieline_sandbox.quickbooks.books import banking, items, lists, parties, purchases, sales, taxes
from tieline_sandbox.quickbooks.books.ledger import Books, number_of
from tieline_sandbox.quickbooks.model import Dataset
from tieline_sandbox.quickbooks.wire import instant, read_instant

UPDATED, CREATED = "MetaData.LastUpdatedTime", "MetaData.CreateTime"
_EVERY = ("Id", UPDATED, CREATED)
_LIST = ("Active", "Name")
_PARTY = ("Active", "DisplayName", "CompanyName", "GivenName", "FamilyName", "Balance")
_TRANSACTION = ("DocNumber", "TxnDate", "TotalAmt")


@dataclass(frozen=True, kw_only=True)
class Kind(kinds.Kind[Books]):
    """`is_list`: its records are hidden when they are inactive and are never deleted; transactions are.

    `fields` are those that a query may filter and order by. `has_changes`: change data capture knows it.
    """

    entity: str
    fields: tuple[str, ...]
    id_field: str = "Id"
    updated_field: str = UPDATED
    is_list: bool = True
    has_changes: bool = True

    def number_of(self, ledger: Books, id_: str) -> int | None:
        if self.entity == "TaxCode":
            return taxes.tax_code_number(ledger, id_)
        dataset: Any = self.dataset
        return number_of(dataset, id_)

    def stamped(self, record: Record, edit: Edit) -> Record:
        """With its time and version; of a deleted record only a stub is left."""
        made = instant(edit.created_at) if edit.created_at else value_of(record, CREATED)
        times = {"CreateTime": made, "LastUpdatedTime": instant(edit.updated_at)}
        if record.get("status") == "Deleted":
            return {"domain": "QBO", "status": "Deleted", "Id": edit.id, "MetaData": times}
        return record | {"SyncToken": str(edit.version), "MetaData": times}

    def sort_key(self, record: Record, field: str) -> tuple[bool, Any]:
        value = comparable(field, value_of(record, field))
        return value is not None, value

    def path(self, name: str) -> str | None:
        """The field that a query means, however it writes capitals; None for what cannot be asked by."""
        return next((one for one in (*_EVERY, *self.fields) if one.lower() == name.lower()), None)


def comparable(field: str, value: Any) -> Any:
    """Instants as such, whatever their offset; ids as numbers where they are some."""
    if field.startswith("MetaData.") and isinstance(value, str):
        found: datetime | None = read_instant(value)
        return found
    if field == "Id" and isinstance(value, str):
        return (0, int(value), "") if value.isdecimal() else (1, 0, value)
    return value


def _list(dataset: Dataset, entity: str, make: Any, *more: str, has_changes: bool = True) -> Kind:
    fields = (*_LIST, *more)
    return Kind(dataset=dataset, entity=entity, make=make, fields=fields, has_changes=has_changes)


def _party(dataset: Dataset, entity: str, make: Any) -> Kind:
    return Kind(dataset=dataset, entity=entity, make=make, fields=_PARTY)


def _transaction(dataset: Dataset, entity: str, make: Any, *more: str) -> Kind:
    return Kind(dataset=dataset, entity=entity, make=make, fields=(*_TRANSACTION, *more), is_list=False)


KINDS = (
    _list("accounts", "Account", lists.account, "AccountType", "AccountSubType", "Classification", "AcctNum"),
    _party("vendors", "Vendor", parties.vendor),
    _party("customers", "Customer", parties.customer),
    _list("classes", "Class", lists.class_, "FullyQualifiedName"),
    _list("departments", "Department", lists.department, "FullyQualifiedName"),
    _list("tax_codes", "TaxCode", taxes.tax_code, "Hidden", has_changes=False),
    _list("tax_rates", "TaxRate", taxes.tax_rate, "RateValue", has_changes=False),
    Kind(
        dataset="tax_agencies",
        entity="TaxAgency",
        make=taxes.tax_agency,
        fields=("DisplayName",),
        has_changes=False,
    ),
    _list("items", "Item", items.item, "FullyQualifiedName", "Sku", "Type"),
    _list("payment_methods", "PaymentMethod", lists.payment_method, "Type"),
    _list("terms", "Term", lists.term, "Type"),
    _transaction("bills", "Bill", purchases.bill, "DueDate", "Balance"),
    _transaction("vendor_credits", "VendorCredit", purchases.vendor_credit, "Balance"),
    _transaction("bill_payments", "BillPayment", purchases.bill_payment, "PayType"),
    _transaction("purchases", "Purchase", purchases.purchase, "PaymentType"),
    _transaction("invoices", "Invoice", sales.invoice, "DueDate", "Balance"),
    _transaction("credit_memos", "CreditMemo", sales.credit_memo, "Balance"),
    _transaction("sales_receipts", "SalesReceipt", sales.sales_receipt, "Balance"),
    _transaction("payments", "Payment", sales.payment),
    _transaction("deposits", "Deposit", banking.deposit),
    _transaction("transfers", "Transfer", banking.transfer, "Amount"),
    _transaction("journal_entries", "JournalEntry", banking.journal_entry),
)
BY_ENTITY = {kind.entity.lower(): kind for kind in KINDS}
BY_DATASET = {kind.dataset: kind for kind in KINDS}
