"""The kinds of records that books hold: Intuit's name, our dataset, and the function from one to the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tieline.canonical import (
    Account,
    BankTransaction,
    BankTransfer,
    Contact,
    Document,
    Item,
    Journal,
    Organisation,
    Payment,
    PaymentMethod,
    Preferences,
    TaxAgency,
    TaxRate,
    Term,
    TrackingValue,
)
from tieline_quickbooks.mapping.banking import deposit, purchase, transfer
from tieline_quickbooks.mapping.contacts import contact_id, customer, vendor
from tieline_quickbooks.mapping.documents import bill, credit_memo, invoice, sales_receipt, vendor_credit
from tieline_quickbooks.mapping.items import item
from tieline_quickbooks.mapping.journals import journal_entry
from tieline_quickbooks.mapping.lists import account, department, payment_method, term, tracking_class
from tieline_quickbooks.mapping.payments import bill_payment, payment
from tieline_quickbooks.wire import Entry

Canonical: TypeAlias = (
    Account
    | BankTransaction
    | BankTransfer
    | Contact
    | Document
    | Item
    | Journal
    | Organisation
    | Payment
    | PaymentMethod
    | Preferences
    | TaxAgency
    | TaxRate
    | Term
    | TrackingValue
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """One kind of record: Intuit's name for it, the dataset it belongs to, and how it becomes a canonical one.

    Of a list, inactive records are queried too; a transaction knows no such thing.
    """

    entity: str
    dataset: str
    mapped: Callable[[str, Entry], Canonical]
    is_list: bool = False
    is_contact: bool = False

    def id_of(self, id: str) -> str:
        return contact_id(self.entity, id) if self.is_contact else id


NOUNS = (
    Noun(entity="Account", dataset="accounts", mapped=account, is_list=True),
    Noun(entity="Vendor", dataset="contacts", mapped=vendor, is_list=True, is_contact=True),
    Noun(entity="Customer", dataset="contacts", mapped=customer, is_list=True, is_contact=True),
    Noun(entity="Class", dataset="classes", mapped=tracking_class, is_list=True),
    Noun(entity="Department", dataset="departments", mapped=department, is_list=True),
    Noun(entity="Term", dataset="terms", mapped=term, is_list=True),
    Noun(entity="PaymentMethod", dataset="payment_methods", mapped=payment_method, is_list=True),
    Noun(entity="Item", dataset="items", mapped=item, is_list=True),
    Noun(entity="Bill", dataset="bills", mapped=bill),
    Noun(entity="VendorCredit", dataset="supplier_credit_notes", mapped=vendor_credit),
    Noun(entity="BillPayment", dataset="bill_payments", mapped=bill_payment),
    Noun(entity="Purchase", dataset="bank_transactions", mapped=purchase),
    Noun(entity="Invoice", dataset="invoices", mapped=invoice),
    Noun(entity="CreditMemo", dataset="credit_notes", mapped=credit_memo),
    Noun(entity="SalesReceipt", dataset="sales_receipts", mapped=sales_receipt),
    Noun(entity="Payment", dataset="payments", mapped=payment),
    Noun(entity="Deposit", dataset="deposits", mapped=deposit),
    Noun(entity="Transfer", dataset="bank_transfers", mapped=transfer),
    Noun(entity="JournalEntry", dataset="journals", mapped=journal_entry),
)
"""What change data capture covers, lists before what refers to them."""
