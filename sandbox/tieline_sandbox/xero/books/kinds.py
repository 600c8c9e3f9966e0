"""The datasets of the books: each with its endpoint, how its records are made, and what its statuses are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tieline_sandbox.books import kinds
from tieline_sandbox.books.kinds import Edit
from tieline_sandbox.books.values import Record, value_of
from tieline_sandbox.codec import Malformed
from tieline_sandbox.xero.books import (
    banking,
    charts,
    contacts,
    crediting,
    invoices,
    items,
    journals,
    settings,
    settling,
)
from tieline_sandbox.xero.books.filters import comparable
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.model import Organisation
from tieline_sandbox.xero.wire import ms_date

_OPEN = ("DRAFT", "SUBMITTED")
_ARCHIVED, _DELETED, _VOIDED = "ARCHIVED", "DELETED", "VOIDED"
_CHANGED = (("UpdatedDateUTC", False),)


@dataclass(frozen=True, kw_only=True)
class Kind(kinds.Kind[Ledger]):
    """`archived` and `deleted` are the statuses that take a record away; None where there is no such thing.
    `voids`: once approved it is not deleted but voided. `hides`: shown only to those who ask, such as with
    `includeArchived`. `vanishes`: what is deleted is not shown at all. `ids`: those of the seed, where they
    are no UUIDs. `also` is another field that a single record may be asked for by. `lines` are only in pages and
    single reads.
    """

    resource: str
    updated_field: str = "UpdatedDateUTC"
    head_fields: frozenset[str] = frozenset({"Type", "Status"})
    status_field: str = "Status"
    archived: str | None = None
    deleted: str | None = None
    voids: bool = False
    is_paged: bool = False
    knows_changes: bool = True
    hides: str | None = None
    vanishes: bool = False
    ids: Callable[[Ledger], Sequence[str]] | None = None
    also: str | None = None
    lines: str | None = None
    order: tuple[tuple[str, bool], ...] = ()

    def spelling(self, id_: str) -> str:
        """The id as records have it: in small letters, but for codes."""
        return id_.upper() if self.ids else id_.lower()

    def is_there(self, record: Record) -> bool:
        gone = {status for status in (self.archived, self.deleted, _VOIDED) if status is not None}
        return record.get(self.status_field) not in gone

    def number_of(self, ledger: Ledger, id_: str) -> int | None:
        """The number of a record that the seed gives."""
        if self.ids is None:
            return ledger.number_of(self.dataset, id_)
        return next((number for number, known in enumerate(self.ids(ledger)) if known == id_), None)

    def hidden(self, *, archived: bool, deleted: bool) -> frozenset[str]:
        """The statuses that an answer leaves out, unless those with them were asked for."""
        shown = {status for status, wanted in ((_ARCHIVED, archived), (_DELETED, deleted)) if wanted}
        hidden = {self.hides} - shown if self.hides else set()
        return frozenset(hidden | {_DELETED} if self.vanishes else hidden)

    def stamped(self, record: Record, edit: Edit) -> Record:
        at = f"{edit.updated_at:%Y-%m-%dT%H:%M:%S}"
        times = {self.updated_field: ms_date(edit.updated_at), f"{self.updated_field}String": f"{at}Z"}
        if edit.created_at is not None:
            times |= {"CreatedDateUTC": ms_date(edit.created_at), "CreatedDateUTCString": at}
        return record | {name: value for name, value in times.items() if name in record}

    def sort_key(self, record: Record, field: str) -> tuple[bool, Any]:
        value = comparable(value_of(record, field))
        return value is not None, value

    def removal(self, record: Record, *, archived: bool) -> Record:
        """The fields of a record that is archived or deleted; what was approved is voided."""
        status = self.archived if archived else self.deleted
        if status is None:
            word = "archived" if archived else "deleted"
            raise Malformed(word, f"is not something that happens to {self.dataset}")
        if self.voids and not archived and record["Status"] not in _OPEN:
            status = _VOIDED
        return {self.status_field: status}


def _document(kind: str, **more: Any) -> Kind:
    """What is voided once it is approved, and has lines and pages."""
    return Kind(
        resource=f"{kind}s",
        id_field=f"{kind}ID",
        deleted=_DELETED,
        voids=True,
        is_paged=True,
        **{"lines": "LineItems", **more},
    )


KINDS = (
    Kind(
        dataset="accounts",
        resource="Accounts",
        id_field="AccountID",
        make=charts.account,
        archived=_ARCHIVED,
        deleted=_DELETED,
    ),
    Kind(
        dataset="tax_rates",
        resource="TaxRates",
        id_field="TaxType",
        make=charts.tax_rate,
        archived=_ARCHIVED,
        deleted=_DELETED,
        knows_changes=False,
        ids=lambda ledger: [
            rate.tax_type for rate in charts.rates(ledger.country, ledger.count("tax_rates"))
        ],
    ),
    Kind(
        dataset="tracking_categories",
        resource="TrackingCategories",
        id_field="TrackingCategoryID",
        make=charts.tracking_category,
        archived=_ARCHIVED,
        deleted=_DELETED,
        knows_changes=False,
        hides=_ARCHIVED,
    ),
    Kind(
        dataset="contacts",
        resource="Contacts",
        id_field="ContactID",
        also="ContactNumber",
        make=contacts.contact,
        status_field="ContactStatus",
        archived=_ARCHIVED,
        is_paged=True,
        hides=_ARCHIVED,
    ),
    Kind(
        dataset="currencies",
        resource="Currencies",
        id_field="Code",
        make=settings.currency,
        deleted=_DELETED,
        knows_changes=False,
        vanishes=True,
        ids=settings.currency_codes,
    ),
    Kind(
        dataset="branding_themes",
        resource="BrandingThemes",
        id_field="BrandingThemeID",
        make=settings.branding_theme,
        deleted=_DELETED,
        knows_changes=False,
        vanishes=True,
    ),
    Kind(
        dataset="items",
        resource="Items",
        id_field="ItemID",
        also="Code",
        make=items.item,
        deleted=_DELETED,
        vanishes=True,
    ),
    _document("Invoice", dataset="invoices", make=settling.invoice, head=invoices.head, also="InvoiceNumber"),
    _document("CreditNote", dataset="credit_notes", make=crediting.credit_note, also="CreditNoteNumber"),
    _document("Prepayment", dataset="prepayments", make=crediting.prepayment),
    _document("Overpayment", dataset="overpayments", make=crediting.overpayment),
    Kind(
        dataset="payments",
        resource="Payments",
        id_field="PaymentID",
        make=settling.payment,
        deleted=_DELETED,
        is_paged=True,
    ),
    Kind(
        dataset="bank_transactions",
        resource="BankTransactions",
        id_field="BankTransactionID",
        make=banking.bank_transaction,
        head=banking.bank_transaction_head,
        deleted=_DELETED,
        is_paged=True,
        lines="LineItems",
    ),
    Kind(
        dataset="bank_transfers",
        resource="BankTransfers",
        id_field="BankTransferID",
        make=banking.bank_transfer,
        deleted=_DELETED,
        hides=_DELETED,
    ),
    _document(
        "ManualJournal",
        dataset="manual_journals",
        make=journals.manual_journal,
        archived=_ARCHIVED,
        lines="JournalLines",
        order=_CHANGED,
    ),
)
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
BY_DATASET = {kind.dataset: kind for kind in KINDS}


def kind_of(resource: str, organisation: Organisation) -> Kind:
    """In the order that the organisation has unasked."""
    kind = BY_RESOURCE[resource]
    return replace(kind, order=()) if kind.order and organisation.journal_order == "CREATED" else kind
