"""Intuit's full records of every noun, and how they are sorted; here those of payments, the bank and the journals."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from tests.plugins.full_records import Full
from tests.plugins.quickbooks_full_contacts import CONTACTS
from tests.plugins.quickbooks_full_documents import (
    CLASS,
    DEPARTMENT,
    DOCUMENTS,
    LACKING_LINES,
    NO_LINE,
    SPENT,
    SPENT_TOLD,
    TAXED,
    TAXED_TOLD,
    TRANSACTION,
    TRANSACTION_TOLD,
)
from tests.plugins.quickbooks_full_lists import LISTS, PREFERENCES, RATES
from tieline_quickbooks import mapping
from tieline_quickbooks.mapping import Noun, Sorted

COMPANY = partial(mapping.organisation, preferences=PREFERENCES.said)
NOUNS = {noun.entity: noun for noun in mapping.NOUNS} | {
    "CompanyInfo": Noun(entity="CompanyInfo", dataset="organisation", mapped=COMPANY),
    "Preferences": Noun(entity="Preferences", dataset="preferences", mapped=mapping.preferences),
    "TaxAgency": Noun(entity="TaxAgency", dataset="tax_agencies", mapped=mapping.tax_agency),
    "TaxCode": Noun(entity="TaxCode", dataset="tax_rates", mapped=partial(mapping.tax_code, rates=RATES)),
}
BANK = {"id": "35", "code": None, "name": "Checking"}
SETTLING = [{"Amount": Decimal("40.02"), "LinkedTxn": [{"TxnId": "31", "TxnType": "Invoice"}]}]
SETTLING_TOLD = [{"document_id": "31", "type": "Invoice", "amount": "40.02"}]


def sort(noun: str, element: object) -> Sorted:
    return mapping.sorted_out(NOUNS[noun], element)


def paid(noun: str, dataset: str, code: str, said: dict[str, Any], told: dict[str, Any]) -> Full:
    return Full(
        noun=noun,
        said=TRANSACTION
        | {
            "PayType": "Check",
            "PaymentMethodRef": {"value": "2"},
            "TotalAmt": Decimal("44.45"),
            "Line": SETTLING,
        }
        | said,
        dataset=dataset,
        name="Birch",
        code=code,
        told=TRANSACTION_TOLD
        | {
            "type": "Check",
            "reference": code,
            "bank_account": BANK,
            "method_id": "2",
            "total": "44.45",
            "allocations": SETTLING_TOLD,
        }
        | told,
    )


PAYMENT = paid(
    "Payment",
    "payments",
    "C-1",
    {
        "CustomerRef": {"value": "9", "name": "Birch"},
        "PaymentRefNum": "C-1",
        "UnappliedAmt": Decimal("4.43"),
        "DepositToAccountRef": {"value": "35", "name": "Checking"},
    },
    {
        "direction": "IN",
        "contact": {"id": "customer-9", "name": "Birch"},
        "unallocated": "4.43",
    },
)
BILL_PAYMENT = paid(
    "BillPayment",
    "bill_payments",
    "N-6",
    {
        "VendorRef": {"value": "9", "name": "Birch"},
        "DocNumber": "N-6",
        "CheckPayment": {"BankAccountRef": {"value": "35", "name": "Checking"}},
    },
    {"direction": "OUT", "contact": {"id": "vendor-9", "name": "Birch"}, "unallocated": None},
)
PURCHASE = Full(
    noun="Purchase",
    said=TAXED
    | {
        "PaymentType": "CreditCard",
        "Credit": True,
        "EntityRef": {"value": "9", "name": "Birch", "type": "Employee"},
        "AccountRef": {"value": "35", "name": "Checking"},
        "Line": SPENT,
    },
    dataset="bank_transactions",
    name="Birch",
    code="N-123",
    told=TAXED_TOLD
    | {
        "type": "CreditCard",
        "direction": "IN",
        "reference": "N-123",
        "contact": {"id": "employee-9", "name": "Birch"},
        "bank_account": BANK,
        "is_reconciled": False,
        "lines": SPENT_TOLD,
        "allocations": [],
    },
    flips={"Credit": "direction"},
    lacks=LACKING_LINES,
)
DEPOSIT = Full(
    noun="Deposit",
    said=TAXED
    | {
        "DepositToAccountRef": {"value": "35", "name": "Checking"},
        "Line": [
            {
                "Id": "15",
                "Description": "Interest",
                "Amount": Decimal("50.50"),
                "DetailType": "DepositLineDetail",
                "DepositLineDetail": {
                    "Entity": {"value": "9", "name": "Birch", "type": "CUSTOMER"},
                    "AccountRef": {"value": "12"},
                    "ClassRef": {"value": "20", "name": "Shop"},
                },
                "LinkedTxn": [{"TxnId": "120", "TxnType": "Payment"}],
            }
        ],
        "CashBack": {
            "AccountRef": {"value": "91"},
            "Amount": Decimal("10.10"),
            "Memo": "Petty cash",
        },
    },
    dataset="deposits",
    name="Birch",
    code="N-123",
    told=TAXED_TOLD
    | {
        "type": "Deposit",
        "direction": "IN",
        "reference": "N-123",
        "contact": {"id": "customer-9", "name": "Birch"},
        "bank_account": BANK,
        "is_reconciled": False,
        "lines": [
            NO_LINE
            | {
                "id": "15",
                "description": "Interest",
                "amount": "50.5",
                "account_id": "12",
                "tracking": [CLASS, DEPARTMENT],
            },
            NO_LINE
            | {
                "id": None,
                "description": "Petty cash",
                "amount": "-10.1",
                "account_id": "91",
                "tracking": [],
            },
        ],
        "allocations": [{"document_id": "120", "type": "Payment", "amount": "50.5"}],
    },
    lacks=LACKING_LINES,
)
TRANSFER = Full(
    noun="Transfer",
    said=TRANSACTION
    | {
        "FromAccountRef": {"value": "35", "name": "Checking"},
        "ToAccountRef": {"value": "36", "name": "Savings"},
        "DocNumber": "N-8",
        "Amount": Decimal("120.50"),
        "AttachableRef": [{"IncludeOnSend": False}],
    },
    dataset="bank_transfers",
    name=None,
    code="N-8",
    told=TRANSACTION_TOLD
    | {
        "from_account": BANK,
        "to_account": {"id": "36", "code": None, "name": "Savings"},
        "reference": "N-8",
        "amount": "120.5",
        "has_attachments": True,
    },
    instead={"DocNumber": "PrivateNote"},
)
JOURNAL = Full(
    noun="JournalEntry",
    said=TRANSACTION
    | {
        "DocNumber": "N-9",
        "GlobalTaxCalculation": "TaxExcluded",
        "Adjustment": True,
        "AttachableRef": [{"IncludeOnSend": False}],
        "Line": [
            {
                "Id": "16",
                "Description": "Rent",
                "Amount": Decimal("75.25"),
                "DetailType": "JournalEntryLineDetail",
                "JournalEntryLineDetail": {
                    "PostingType": "Credit",
                    "TaxCodeRef": {"value": "5"},
                    "TaxAmount": Decimal("15.05"),
                    "AccountRef": {"value": "41"},
                    "Entity": {"Type": "Vendor", "EntityRef": {"value": "9", "name": "Birch"}},
                    "ClassRef": {"value": "20", "name": "Shop"},
                    "DepartmentRef": {"value": "30", "name": "North"},
                },
            }
        ],
    },
    dataset="journals",
    name="As agreed",
    code="N-9",
    told=TRANSACTION_TOLD
    | {
        "number": "N-9",
        "narration": "As agreed",
        "reverses_on": None,
        "tax_basis": "EXCLUSIVE",
        "is_adjustment": True,
        "has_attachments": True,
        "lines": [
            {
                "id": "16",
                "description": "Rent",
                "amount": "-75.25",
                "tax_code": "5",
                "tax_amount": "15.05",
                "account_id": "41",
                "account_code": None,
                "contact": {"id": "vendor-9", "name": "Birch"},
                "tracking": [CLASS, DEPARTMENT],
            }
        ],
    },
    flips={"Adjustment": "is_adjustment"},
)

FULL = [*LISTS, *CONTACTS, *DOCUMENTS, PAYMENT, BILL_PAYMENT, PURCHASE, DEPOSIT, TRANSFER, JOURNAL]
