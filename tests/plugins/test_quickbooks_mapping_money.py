"""Intuit's credits, receipts, payments of bills, deposits, transfers and journals as canonical records."""

from __future__ import annotations

import pytest

from tests.plugins.intuit import parsed
from tests.plugins.test_quickbooks_mapping import NOUN, mapped, picked
from tieline.plugins import SetAside
from tieline_quickbooks.mapping import sorted_out

VENDOR = '"VendorRef": {"value": "56", "name": "Ashford Timber"}'
CUSTOMER = '"CustomerRef": {"value": "9", "name": "Birch"}'


def test_a_vendor_credit_says_what_is_left_of_it_and_which_payments_used_it() -> None:
    credit = mapped(
        "VendorCredit",
        f"""
        {VENDOR}, "DocNumber": "VC-1", "TxnDate": "2026-02-28", "TotalAmt": 75.10, "Balance": 25.10,
        "TxnTaxDetail": {{"TotalTax": 5.10}}, "LinkedTxn": [{{"TxnId": "118", "TxnType": "BillPaymentCheck"}}],
        "Line": [{{"Id": "1", "Amount": 70, "DetailType": "AccountBasedExpenseLineDetail",
          "AccountBasedExpenseLineDetail": {{"AccountRef": {{"value": "60"}}}}}}]
        """,
    )

    assert (credit.dataset, credit.name, credit.code) == ("supplier_credit_notes", "Ashford Timber", "VC-1")
    assert picked(credit, "kind", "subtotal", "tax", "total", "due", "paid") == [
        "SUPPLIER_CREDIT_NOTE",
        "70",
        "5.1",
        "75.1",
        "25.1",
        None,
    ]
    assert credit.data["contact"]["id"] == "vendor-56"
    assert credit.data["allocations"] == [{"document_id": "118", "type": "BillPaymentCheck", "amount": None}]
    assert [(line["amount"], line["account_id"]) for line in credit.data["lines"]] == [("70", "60")]


@pytest.mark.parametrize(
    ("fields", "due"),
    [('"RemainingCredit": 0, "Balance": 10', "0"), ('"Balance": 10', "10"), ('"TotalAmt": 10', None)],
)
def test_a_credit_memo_says_what_is_left_of_it(fields: str, due: str | None) -> None:
    memo = mapped("CreditMemo", f'{CUSTOMER}, "DocNumber": "CM-1", {fields}')

    assert (memo.dataset, memo.name, memo.code) == ("credit_notes", "Birch", "CM-1")
    assert picked(memo, "kind", "due", "allocations") == ["CREDIT_NOTE", due, []]


def test_a_sales_receipt_is_paid_on_its_day_into_an_account() -> None:
    receipt = mapped(
        "SalesReceipt",
        f"""
        {CUSTOMER}, "DocNumber": "SR-1", "TxnDate": "2026-03-01", "TotalAmt": 30, "Balance": 0,
        "PaymentRefNum": "3001", "PaymentMethodRef": {{"value": "2"}},
        "DepositToAccountRef": {{"value": "8", "name": "Undeposited Funds"}},
        "Line": [{{"Amount": 30, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail":
          {{"ItemRef": {{"value": "4", "name": "Chair"}}, "ItemAccountRef": {{"value": "5"}}}}}}]
        """,
    )

    assert (receipt.dataset, receipt.code) == ("sales_receipts", "SR-1")
    assert picked(receipt, "kind", "paid_on", "paid", "due", "reference", "method_id") == [
        "SALES_RECEIPT",
        "2026-03-01",
        "30",
        "0",
        "3001",
        "2",
    ]
    assert receipt.data["bank_account"] == {"id": "8", "code": None, "name": "Undeposited Funds"}
    [line] = receipt.data["lines"]
    assert (line["item_id"], line["item_code"], line["account_id"]) == ("4", "Chair", "5")


@pytest.mark.parametrize(
    ("paid", "type_"),
    [
        (
            '"PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": "35", "name": "Checking"}}',
            "Check",
        ),
        ('"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": {"value": "35"}}', "CreditCard"),
        ('"PayType": "Pigeon", "CheckPayment": {"BankAccountRef": {"value": "35"}}', "Pigeon"),
    ],
)
def test_a_bill_payment_leaves_an_account_and_settles_bills_by_credit_too(paid: str, type_: str) -> None:
    payment = mapped(
        "BillPayment",
        f"""
        {VENDOR}, "DocNumber": "6001", "TotalAmt": 80, "TxnDate": "2026-03-04", {paid},
        "CurrencyRef": {{"value": "EUR"}}, "ExchangeRate": 1.25,
        "Line": [{{"Amount": 100.00, "LinkedTxn": [{{"TxnId": "31", "TxnType": "Bill"}}]}},
                 {{"Amount": 20, "LinkedTxn": [{{"TxnId": "32", "TxnType": "VendorCredit"}}]}}]
        """,
    )

    assert (payment.dataset, payment.name, payment.code) == ("bill_payments", "Ashford Timber", "6001")
    assert picked(payment, "direction", "type", "total", "dated_on", "currency", "currency_rate") == [
        "OUT",
        type_,
        "80",
        "2026-03-04",
        "EUR",
        "0.8",
    ]
    assert payment.data["bank_account"]["id"] == "35"
    assert payment.data["contact"]["id"] == "vendor-56"
    assert [(one["document_id"], one["type"], one["amount"]) for one in payment.data["allocations"]] == [
        ("31", "Bill", "100"),
        ("32", "VendorCredit", "20"),
    ]


DEPOSIT = """
"DepositToAccountRef": {"value": "35", "name": "Checking"}, "TxnDate": "2026-03-05", "TotalAmt": 140,
"CashBack": {"AccountRef": {"value": "9"}, "Amount": 10.00, "Memo": "Petty cash"},
"Line": [
  {"Id": "1", "Amount": 100, "LinkedTxn": [{"TxnId": "120", "TxnType": "Payment", "TxnLineId": "0"}],
   "DepositLineDetail": {"Entity": {"value": "9", "name": "Birch", "type": "CUSTOMER"}}},
  {"Id": "2", "Amount": 50, "Description": "Interest", "DetailType": "DepositLineDetail",
   "DepositLineDetail": {"AccountRef": {"value": "12"}, "ClassRef": {"value": "2", "name": "Shop"}}}
]
"""


def test_a_deposit_raises_the_bank_by_payments_and_other_money_without_what_was_kept() -> None:
    deposit = mapped("Deposit", DEPOSIT)

    assert (deposit.dataset, deposit.name) == ("deposits", None)
    assert picked(deposit, "direction", "type", "total") == ["IN", "Deposit", "140"]
    assert deposit.data["bank_account"] == {"id": "35", "code": None, "name": "Checking"}
    assert [(line["amount"], line["account_id"]) for line in deposit.data["lines"]] == [
        ("100", None),
        ("50", "12"),
        ("-10", "9"),
    ]
    assert deposit.data["lines"][1]["tracking"][0]["option"] == "Shop"
    assert deposit.data["allocations"] == [{"document_id": "120", "type": "Payment", "amount": "100"}]


def test_a_deposit_of_one_customer_alone_is_that_customers() -> None:
    lines = DEPOSIT.replace(
        '"ClassRef"', '"Entity": {"value": "9", "name": "Birch", "type": "Customer"}, "ClassRef"'
    )

    assert mapped("Deposit", lines).data["contact"] == {"id": "customer-9", "name": "Birch"}


def test_a_transfer_goes_from_one_account_to_another() -> None:
    transfer = mapped(
        "Transfer",
        """
        "FromAccountRef": {"value": "35", "name": "Checking"}, "ToAccountRef": {"value": "9", "name": "Savings"},
        "Amount": 120.50, "TxnDate": "2026-03-06", "CurrencyRef": {"value": "USD"}, "PrivateNote": "For tax"
        """,
    )

    assert (transfer.dataset, transfer.code) == ("bank_transfers", "For tax")
    assert picked(transfer, "amount", "dated_on", "currency", "reference") == [
        "120.5",
        "2026-03-06",
        "USD",
        "For tax",
    ]
    assert [transfer.data[end]["id"] for end in ("from_account", "to_account")] == ["35", "9"]


JOURNAL = """
"DocNumber": "JE-1", "TxnDate": "2026-03-31", "PrivateNote": "Accruals", "Adjustment": true,
"Line": [
  {"Id": "0", "Amount": 75.25, "Description": "Rent", "DetailType": "JournalEntryLineDetail",
   "JournalEntryLineDetail": {"PostingType": "Debit", "AccountRef": {"value": "41"},
   "Entity": {"Type": "Vendor", "EntityRef": {"value": "56", "name": "Ashford Timber"}},
   "DepartmentRef": {"value": "3", "name": "North"}}},
  {"Id": "1", "Amount": 75.25, "DetailType": "JournalEntryLineDetail",
   "JournalEntryLineDetail": {"PostingType": "Credit", "AccountRef": {"value": "35"}}},
  {"Id": "2", "Description": "As agreed", "DetailType": "DescriptionOnly"}
]
"""


def test_a_journal_entrys_debits_are_positive_and_its_credits_negative() -> None:
    journal = mapped("JournalEntry", JOURNAL)

    assert (journal.dataset, journal.name, journal.code) == ("journals", "Accruals", "JE-1")
    assert picked(journal, "dated_on", "is_adjustment", "reverses_on") == ["2026-03-31", True, None]
    first, second, third = journal.data["lines"]
    assert [(line["amount"], line["account_id"]) for line in (first, second, third)] == [
        ("75.25", "41"),
        ("-75.25", "35"),
        (None, None),
    ]
    assert first["contact"] == {"id": "vendor-56", "name": "Ashford Timber"}
    assert first["tracking"][0]["option"] == "North"
    assert third["description"] == "As agreed"


def test_an_entry_that_is_neither_debit_nor_credit_is_set_aside_with_a_sentence() -> None:
    made = sorted_out(NOUN["JournalEntry"], parsed(f'{{"Id": "7", {JOURNAL.replace("Debit", "Sideways")}}}'))

    assert isinstance(made, SetAside)
    assert made.why == "Its PostingType is neither Debit nor Credit."


@pytest.mark.parametrize(
    ("entity", "fields", "active"),
    [
        ("BillPayment", '"TotalAmt": 0, "PrivateNote": "Voided"', False),
        ("Transfer", '"Amount": 0, "PrivateNote": "Voided - twice"', False),
        ("Transfer", '"Amount": 5, "PrivateNote": "Voided cheque"', True),
        ("JournalEntry", JOURNAL.replace("Accruals", "Voided cheque"), True),
        ("JournalEntry", '"PrivateNote": "Voided", "Line": [{"Amount": 0}]', False),
        ("Deposit", '"status": "Voided", "TotalAmt": 10', False),
    ],
)
def test_what_was_voided_stands_and_has_no_effect(entity: str, fields: str, *, active: bool) -> None:
    assert mapped(entity, fields).active is active


ITEM = """
"Name": "Chair", "FullyQualifiedName": "Seats:Chair", "Sku": "CH-1", "Type": "Inventory", "UnitPrice": 49.90,
"Description": "Oak chair", "IncomeAccountRef": {"value": "5"}, "SalesTaxCodeRef": {"value": "2"},
"PurchaseCost": 20, "PurchaseDesc": "Chair, bought in", "ExpenseAccountRef": {"value": "7"},
"TrackQtyOnHand": true, "QtyOnHand": 12.5, "AssetAccountRef": {"value": "81"}, "ParentRef": {"value": "3"}
"""


def test_an_item_says_how_it_is_sold_and_bought() -> None:
    item = mapped("Item", ITEM)

    assert (item.dataset, item.name, item.code, item.active) == ("items", "Seats:Chair", "CH-1", True)
    assert picked(item, "type", "is_tracked", "quantity", "stock_account_id", "parent_id") == [
        "Inventory",
        True,
        "12.5",
        "81",
        "3",
    ]
    sale, purchase = picked(item, "sale", "purchase")
    assert (sale["description"], sale["unit_price"], sale["account_id"], sale["tax_code"]) == (
        "Oak chair",
        "49.9",
        "5",
        "2",
    )
    assert (purchase["unit_price"], purchase["account_id"], purchase["tax_code"]) == ("20", "7", None)


@pytest.mark.parametrize(
    ("fields", "sides"),
    [
        (
            '"Type": "Service", "UnitPrice": 0, "PurchaseCost": 0, "IncomeAccountRef": {"value": "5"}',
            (True, False),
        ),
        ('"Type": "NonInventory", "UnitPrice": 0, "PurchaseCost": 3.5', (False, True)),
        ('"Type": "Category", "UnitPrice": 0, "PurchaseCost": 0', (False, False)),
        ('"Type": "Something new"', (False, False)),
    ],
)
def test_an_item_that_is_not_sold_or_not_bought_has_no_such_side(
    fields: str, sides: tuple[bool, bool]
) -> None:
    item = mapped("Item", fields)

    assert tuple(side is not None for side in picked(item, "sale", "purchase")) == sides
    assert item.data["type"] in fields
