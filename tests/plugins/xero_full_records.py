"""Xero's full records of every noun; here those of the bank and the journals."""

from __future__ import annotations

from decimal import Decimal

from tests.plugins.full_records import Full
from tests.plugins.xero_full_contacts import CONTACT
from tests.plugins.xero_full_documents import ATTACHED, COMMON, COMMON_TOLD, DOCUMENTS, TRACKED, TRACKING
from tests.plugins.xero_full_lists import CHANGED, LISTS

BANK_TRANSACTION = Full(
    noun="bank_transactions",
    said=COMMON
    | {
        "BankTransactionID": "BT-1",
        "Type": "SPEND",
        "BankAccount": {"AccountID": "ACC-90", "Code": "090", "Name": "Bank"},
        "IsReconciled": True,
    },
    dataset="bank_transactions",
    name="Timber & Sons",
    code="As agreed",
    told=COMMON_TOLD
    | {
        "id": "bt-1",
        "type": "SPEND",
        "direction": "OUT",
        "bank_account": {"id": "acc-90", "code": "090", "name": "Bank"},
        "is_reconciled": True,
        "allocations": [],
    },
    flips=ATTACHED | {"IsReconciled": "is_reconciled"},
)

BANK_TRANSFER = Full(
    noun="bank_transfers",
    said=CHANGED
    | {
        "BankTransferID": "TR-1",
        "FromBankAccount": {
            "AccountID": "ACC-90",
            "Code": "090",
            "Name": "Bank",
            "CurrencyCode": "EUR",
        },
        "ToBankAccount": {"AccountID": "ACC-91", "Code": "091", "Name": "Savings"},
        "Reference": "For tax",
        "Date": "/Date(1793664000000+0000)/",
        "CurrencyRate": Decimal("1.25"),
        "Amount": Decimal("20.50"),
        "HasAttachments": True,
        "Status": "AUTHORISED",
    },
    dataset="bank_transfers",
    name=None,
    code="For tax",
    told={
        "id": "tr-1",
        "from_account": {"id": "acc-90", "code": "090", "name": "Bank"},
        "to_account": {"id": "acc-91", "code": "091", "name": "Savings"},
        "reference": "For tax",
        "dated_on": "2026-11-03",
        "currency": "EUR",
        "currency_rate": "1.25",
        "amount": "20.5",
        "has_attachments": True,
        "status": "AUTHORISED",
        "active": True,
    },
    flips=ATTACHED,
)

JOURNAL = Full(
    noun="journals",
    said=CHANGED
    | {
        "ManualJournalID": "MJ-1",
        "Narration": "Accrued wages",
        "Date": "/Date(1793664000000+0000)/",
        "LineAmountTypes": "Exclusive",
        "HasAttachments": True,
        "Status": "POSTED",
        "JournalLines": [
            {
                "IsBlank": False,
                "Description": "November",
                "LineAmount": Decimal("-100.10"),
                "TaxType": "NONE",
                "TaxAmount": Decimal("0.5"),
                "AccountID": "ACC-477",
                "AccountCode": "477",
                **TRACKING,
            },
            {"IsBlank": True},
        ],
    },
    dataset="journals",
    name="Accrued wages",
    code=None,
    told={
        "id": "mj-1",
        "number": None,
        "narration": "Accrued wages",
        "dated_on": "2026-11-03",
        "reverses_on": None,
        "currency": None,
        "currency_rate": None,
        "tax_basis": "EXCLUSIVE",
        "is_adjustment": False,
        "has_attachments": True,
        "status": "POSTED",
        "active": True,
        "lines": [
            {
                "id": None,
                "description": "November",
                "amount": "-100.1",
                "tax_code": "NONE",
                "tax_amount": "0.5",
                "account_id": "acc-477",
                "account_code": "477",
                "contact": None,
                "tracking": TRACKED,
            }
        ],
    },
    flips=ATTACHED,
)

FULL = [*LISTS, CONTACT, *DOCUMENTS, BANK_TRANSACTION, BANK_TRANSFER, JOURNAL]
