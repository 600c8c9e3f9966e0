"""Intuit's records as canonical ones: amounts to the last digit, days as days, and never an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.intuit import parsed
from tieline.canonical import to_data
from tieline.plugins import Record, SetAside
from tieline_quickbooks.mapping import NOUNS, preferences, sorted_out

NOUN = {noun.entity: noun for noun in NOUNS}
STAMP = '"MetaData": {"LastUpdatedTime": "2026-03-04T09:10:11-08:00"}'


def mapped(entity: str, fields: str = "", id: str = "7") -> Any:
    made = sorted_out(NOUN[entity], parsed(f'{{"Id": "{id}", {STAMP}{", " if fields else ""}{fields}}}'))
    assert isinstance(made, Record), made
    return made


def picked(record: Any, *names: str) -> list[Any]:
    return [record.data[name] for name in names]


BILL = """
"DocNumber": "B-100", "TxnDate": "2026-02-28", "DueDate": "2026-03-30", "TotalAmt": 120.10, "Balance": 20.10,
"VendorRef": {"value": "56", "name": "Ashford Timber"}, "CurrencyRef": {"value": "EUR"}, "ExchangeRate": 1.25,
"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": {"TotalTax": 20.10},
"DepartmentRef": {"value": "3", "name": "North"},
"SomethingNew": {"deep": [1]},
"Line": [
  {"Id": "1", "Amount": 100.00, "Description": "Oak", "DetailType": "AccountBasedExpenseLineDetail",
   "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "60"}, "TaxCodeRef": {"value": "5"},
   "ClassRef": {"value": "2", "name": "Shop"}}},
  {"Amount": 100.00, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
]
"""


def test_a_bill_is_what_it_says() -> None:
    bill = mapped("Bill", BILL)

    assert (bill.dataset, bill.external_id, bill.name, bill.code) == ("bills", "7", "Ashford Timber", "B-100")
    assert bill.updated_at.isoformat() == "2026-03-04T17:10:11+00:00"
    assert picked(bill, "kind", "dated_on", "due_on", "tax_basis") == [
        "BILL",
        "2026-02-28",
        "2026-03-30",
        "EXCLUSIVE",
    ]
    assert picked(bill, "subtotal", "tax", "total", "paid", "due") == ["100", "20.1", "120.1", "100", "20.1"]
    assert picked(bill, "currency", "currency_rate") == ["EUR", "0.8"]
    assert bill.data["contact"] == {"id": "vendor-56", "name": "Ashford Timber"}
    [line] = bill.data["lines"]
    assert (line["amount"], line["account_id"], line["tax_code"]) == ("100", "60", "5")
    assert [(one["category"], one["option_id"], one["option"]) for one in line["tracking"]] == [
        ("Class", "2", "Shop"),
        ("Department", "3", "North"),
    ]


def test_an_invoice_counts_bundles_discounts_and_tax_within() -> None:
    invoice = mapped(
        "Invoice",
        """
        "CustomerRef": {"value": "9", "name": "Birch"}, "GlobalTaxCalculation": "TaxInclusive", "TotalAmt": 110,
        "Line": [
          {"Id": "1", "Amount": 100, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail":
            {"ItemRef": {"value": "4", "name": "Chair"}, "Qty": 2, "UnitPrice": 50, "TaxInclusiveAmt": 120.00}},
          {"DetailType": "GroupLineDetail", "GroupLineDetail": {"Line":
            [{"Id": "3", "Amount": 5, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}}]}},
          {"Amount": 10, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"DiscountPercent": 10}}
        ]
        """,
    )

    assert invoice.data["contact"]["id"] == "customer-9"
    assert [(line["id"], line["amount"], line["item_code"]) for line in invoice.data["lines"]] == [
        ("1", "120", "Chair"),
        ("3", "5", None),
        (None, "-10", None),
    ]


@pytest.mark.parametrize(("credit", "direction"), [("true", "IN"), ("false", "OUT"), ("null", "OUT")])
def test_a_purchase_leaves_the_bank_unless_it_is_a_refund(credit: str, direction: str) -> None:
    purchase = mapped(
        "Purchase",
        f"""
        "PaymentType": "CreditCard", "Credit": {credit}, "TotalAmt": 0.07, "TxnDate": "2026-01-02",
        "AccountRef": {{"value": "41", "name": "Visa"}}, "EntityRef": {{"value": "56", "name": "A", "type": "Vendor"}}
        """,
    )

    assert purchase.dataset == "bank_transactions"
    assert picked(purchase, "type", "direction", "total") == ["CreditCard", direction, "0.07"]
    assert purchase.data["contact"]["id"] == "vendor-56"
    assert purchase.data["bank_account"] == {"id": "41", "code": None, "name": "Visa"}


def test_a_payment_says_which_documents_it_settles() -> None:
    payment = mapped(
        "Payment",
        """
        "CustomerRef": {"value": "9", "name": "Birch"}, "TotalAmt": 100.5, "UnappliedAmt": 0.5,
        "PaymentMethodRef": {"value": "2"}, "PaymentRefNum": "C-1",
        "Line": [{"Amount": 100, "LinkedTxn": [{"TxnId": "31", "TxnType": "Invoice"}]}]
        """,
    )

    assert (payment.dataset, payment.name, payment.code) == ("payments", "Birch", "C-1")
    assert picked(payment, "direction", "total", "unallocated", "method_id") == ["IN", "100.5", "0.5", "2"]
    assert payment.data["allocations"] == [{"document_id": "31", "type": "Invoice", "amount": "100"}]


def test_how_several_documents_share_the_amount_of_one_line_is_not_guessed() -> None:
    payment = mapped(
        "Payment",
        """
        "TotalAmt": 120, "Line": [
          {"Amount": 100, "LinkedTxn": [{"TxnId": "31", "TxnType": "Invoice"}, {"TxnId": "32", "TxnType": "Invoice"}]},
          {"Amount": 20, "LinkedTxn": [{"TxnId": "33", "TxnType": "Invoice"}]}
        ]
        """,
    )

    assert [(one["document_id"], one["amount"]) for one in payment.data["allocations"]] == [
        ("31", None),
        ("32", None),
        ("33", "20"),
    ]


@pytest.mark.parametrize(
    ("fields", "active"),
    [
        ('"TotalAmt": 10', True),
        ('"TotalAmt": 0', True),
        ('"TotalAmt": 0, "PrivateNote": "Voided"', False),
        ('"TotalAmt": 10, "PrivateNote": "Voided cheque enclosed"', True),
        ('"status": "Voided", "TotalAmt": 10', False),
    ],
)
def test_a_voided_document_stands_and_has_no_effect(fields: str, *, active: bool) -> None:
    assert mapped("Invoice", fields).active is active


def test_an_account_says_its_side_and_whether_money_is_kept_in_it() -> None:
    account = mapped(
        "Account",
        '"Name": "Visa", "FullyQualifiedName": "Cards:Visa", "AcctNum": "2100", "AccountType": "Credit Card", '
        '"AccountSubType": "CreditCard", "Classification": "Liability", "Active": false',
    )

    assert (account.name, account.code, account.active) == ("Cards:Visa", "2100", False)
    assert picked(account, "classification", "takes_payments", "bank_account_type") == [
        "LIABILITY",
        True,
        "CreditCard",
    ]


def test_a_vendor_and_a_customer_of_one_id_are_two_contacts() -> None:
    fields = (
        '"DisplayName": "Ash", "PrimaryEmailAddr": {"Address": "a@ash.test"}, "BillAddr": {"City": "Kent"}'
    )
    vendor, customer = mapped("Vendor", fields), mapped("Customer", fields)

    assert {
        one.external_id: picked(one, "is_supplier", "is_customer", "email") for one in (vendor, customer)
    } == {
        "vendor-7": [True, False, "a@ash.test"],
        "customer-7": [False, True, "a@ash.test"],
    }
    assert vendor.data["addresses"][0]["city"] == "Kent"


def test_the_tax_code_of_a_vendor_is_for_purchases_and_that_of_a_customer_for_sales() -> None:
    fields = '"DisplayName": "Ash", "DefaultTaxCodeRef": {"value": "5"}'

    assert {
        entity: picked(mapped(entity, fields), "purchase_tax_code", "sales_tax_code")
        for entity in ("Vendor", "Customer")
    } == {"Vendor": ["5", None], "Customer": [None, "5"]}


@pytest.mark.parametrize(
    ("entity", "fields", "dataset", "told"),
    [
        (
            "Class",
            '"Name": "A", "FullyQualifiedName": "B:A"',
            "classes",
            {"category": "Class", "name": "B:A"},
        ),
        ("Department", '"Name": "A", "ParentRef": {"value": "1"}', "departments", {"parent_id": "1"}),
        ("Term", '"Name": "Net 30", "DueDays": 30', "terms", {"due_days": 30}),
        (
            "PaymentMethod",
            '"Name": "Visa", "Type": "CREDIT_CARD"',
            "payment_methods",
            {"type": "CREDIT_CARD"},
        ),
    ],
)
def test_lists_that_documents_refer_to(entity: str, fields: str, dataset: str, told: dict[str, Any]) -> None:
    record = mapped(entity, fields)

    assert record.dataset == dataset
    assert {name: record.data[name] for name in told} == told


def test_what_was_deleted_is_gone_whatever_else_it_says() -> None:
    stub = parsed(f'{{"domain": "QBO", "status": "Deleted", "Id": "9", {STAMP}}}')

    assert sorted_out(NOUN["Bill"], stub) == ("bills", "9")
    assert sorted_out(NOUN["Vendor"], stub) == ("contacts", "vendor-9")


@pytest.mark.parametrize(
    ("element", "why"),
    [
        ("7", "It is no object."),
        ("{}", "It has no Id."),
        ('{"Id": "1", "TotalAmt": "a lot"}', "Its TotalAmt is no amount."),
        ('{"Id": "1", "TotalAmt": 1e99}', "Its TotalAmt is no amount."),
        ('{"Id": "1", "TxnDate": "someday"}', "Its TxnDate is no day."),
        ('{"Id": "1", "TxnDate": "2026-02-30"}', "Its TxnDate is no day."),
        ('{"Id": "1", "Line": {}}', "Its Line are no list of objects."),
        ('{"Id": "1", "VendorRef": "56"}', "Its VendorRef is no object."),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_a_sentence(element: str, why: str) -> None:
    made = sorted_out(NOUN["Bill"], parsed(element))

    assert isinstance(made, SetAside)
    assert (made.dataset, made.why) == ("bills", why)


_WORDS = (
    "Id status Line TotalAmt TxnDate VendorRef CustomerRef EntityRef Balance ExchangeRate MetaData LinkedTxn "
    "DetailType GroupLineDetail Active Name DisplayName BillAddr value name type ParentRef CurrencyRef "
    "JournalEntryLineDetail DepositLineDetail PostingType Entity EntityRef Type Amount CashBack AccountRef "
    "CheckPayment BankAccountRef FromAccountRef UnitPrice IncomeAccountRef QtyOnHand RemainingCredit PrivateNote"
)
_FIELDS = _WORDS.split()
_things = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(max_size=8)
    | st.sampled_from(["GroupLineDetail", "JournalEntryLineDetail", "DepositLineDetail"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=6),
    max_leaves=15,
)


PREFERENCES = """
"CurrencyPrefs": {"MultiCurrencyEnabled": true, "HomeCurrency": {"value": "GBP"}}, "TaxPrefs": {"UsingSalesTax": true},
"AccountingInfoPrefs": {"ClassTrackingPerTxn": false, "ClassTrackingPerTxnLine": true, "TrackDepartments": true},
"SalesFormsPrefs": {"CustomTxnNumbers": true, "DefaultTerms": {"value": "3"}},
"OtherPrefs": {"NameValue": [{"Name": "DateFormat", "Value": "x"},
                             {"Name": "WarnDuplicateBillNumber", "Value": "true"}]}
"""


def test_preferences_say_how_the_books_are_set_up() -> None:
    told = to_data(preferences("4620", parsed(f"{{{PREFERENCES}}}")))
    assert told == {
        "id": "4620",
        "currency": "GBP",
        "is_multi_currency": True,
        "uses_tax": True,
        "tracks_classes": True,
        "tracks_classes_by_line": True,
        "tracks_departments": True,
        "numbers_documents_by_hand": True,
        "warns_of_double_numbers": True,
        "term_id": "3",
        "status": None,
        "active": True,
    }

    nothing = to_data(preferences("4620", {}))
    assert {name for name, value in nothing.items() if value} == {"id", "active"}


@given(entity=st.sampled_from(sorted(NOUN)), element=_things)
def test_anything_at_all_is_sorted(entity: str, element: object) -> None:
    made = sorted_out(NOUN[entity], element)

    assert isinstance(made, Record | SetAside | tuple)
