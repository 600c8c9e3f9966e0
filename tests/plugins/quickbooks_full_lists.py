"""Full records of what Intuit's documents refer to, of the company and of its preferences."""

from __future__ import annotations

from decimal import Decimal

from tests.plugins.full_records import Full

CHANGED = {
    "Id": "7",
    "MetaData": {"LastUpdatedTime": "2026-11-03T02:00:00.123-08:00"},
    "status": "Synchronized",
}
LISTED = CHANGED | {"Active": True}
LISTED_TOLD = {"id": "7", "status": "Synchronized", "active": True}
ACTIVE = {"Active": "active"}
NAMED = {"FullyQualifiedName": "Name"}
RATES = {
    "3": {"Name": "State", "RateValue": Decimal("6.25")},
    "4": {"Name": "City", "RateValue": Decimal("1.875")},
}

PREFERENCES = Full(
    noun="Preferences",
    said=CHANGED
    | {
        "CurrencyPrefs": {"HomeCurrency": {"value": "GBP"}, "MultiCurrencyEnabled": True},
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": False},
        "AccountingInfoPrefs": {
            "BookCloseDate": "2025-12-31",
            "ClassTrackingPerTxn": True,
            "ClassTrackingPerTxnLine": False,
            "TrackDepartments": True,
        },
        "SalesFormsPrefs": {"CustomTxnNumbers": True, "DefaultTerms": {"value": "3"}},
        "OtherPrefs": {"NameValue": [{"Name": "WarnDuplicateBillNumber", "Value": "true"}]},
    },
    dataset="preferences",
    name=None,
    code=None,
    told={
        "id": "7",
        "currency": "GBP",
        "is_multi_currency": True,
        "uses_tax": True,
        "tracks_classes": True,
        "tracks_classes_by_line": False,
        "tracks_departments": True,
        "numbers_documents_by_hand": True,
        "warns_of_double_numbers": True,
        "term_id": "3",
        "status": "Synchronized",
        "active": True,
    },
    flips={
        "CurrencyPrefs.MultiCurrencyEnabled": "is_multi_currency",
        "TaxPrefs.UsingSalesTax": "uses_tax",
        "AccountingInfoPrefs.ClassTrackingPerTxn": "tracks_classes",
        "AccountingInfoPrefs.ClassTrackingPerTxnLine": "tracks_classes_by_line",
        "AccountingInfoPrefs.TrackDepartments": "tracks_departments",
        "SalesFormsPrefs.CustomTxnNumbers": "numbers_documents_by_hand",
    },
    instead={"TaxPrefs.UsingSalesTax": "PartnerTaxEnabled"},
)

COMPANY = Full(
    noun="CompanyInfo",
    said=CHANGED
    | {
        "CompanyName": "Ashford",
        "LegalName": "Ashford Bakery Ltd",
        "Country": "GBR",
        "EmployerId": "12-3456789",
        "DefaultTimeZone": "Europe/London",
        "FiscalYearStartMonth": "May",
        "NameValue": [{"Name": "OfferingSku", "Value": "QuickBooks Online Plus"}],
        "SampleFile": True,
    },
    dataset="organisation",
    name="Ashford",
    code=None,
    told={
        "id": "7",
        "name": "Ashford",
        "legal_name": "Ashford Bakery Ltd",
        "country": "GB",
        "currency": "GBP",
        "tax_number": "12-3456789",
        "registration_number": None,
        "timezone": "Europe/London",
        "year_end_day": 30,
        "year_end_month": 4,
        "locked_until": None,
        "closed_until": "2025-12-31",
        "edition": "QuickBooks Online Plus",
        "is_demo": True,
        "status": "Synchronized",
        "active": True,
    },
    flips={"SampleFile": "is_demo"},
)

ACCOUNT = Full(
    noun="Account",
    said=LISTED
    | {
        "AcctNum": "2100",
        "FullyQualifiedName": "Cards:Visa",
        "Name": "Visa",
        "AccountType": "Credit Card",
        "Classification": "Liability",
        "Description": "For travel",
        "CurrencyRef": {"value": "EUR"},
        "TaxCodeRef": {"value": "5"},
        "AccountSubType": "CreditCard",
        "BankNum": "12-3456-789",
    },
    dataset="accounts",
    name="Cards:Visa",
    code="2100",
    told=LISTED_TOLD
    | {
        "code": "2100",
        "name": "Cards:Visa",
        "type": "Credit Card",
        "classification": "LIABILITY",
        "description": "For travel",
        "currency": "EUR",
        "tax_code": "5",
        "bank_account_type": "CreditCard",
        "bank_account_number": "12-3456-789",
        "system_role": None,
        "takes_payments": True,
    },
    flips=ACTIVE,
    instead=NAMED,
)

ITEM = Full(
    noun="Item",
    said=LISTED
    | {
        "Sku": "CH-1",
        "FullyQualifiedName": "Seats:Chair",
        "Name": "Chair",
        "Type": "Inventory",
        "Description": "Oak chair",
        "UnitPrice": Decimal("49.90"),
        "IncomeAccountRef": {"value": "50"},
        "SalesTaxCodeRef": {"value": "2"},
        "PurchaseDesc": "Chair, bought in",
        "PurchaseCost": Decimal("20.5"),
        "ExpenseAccountRef": {"value": "70"},
        "COGSAccountRef": {"value": "71"},
        "PurchaseTaxCodeRef": {"value": "3"},
        "TrackQtyOnHand": True,
        "QtyOnHand": Decimal("12.5"),
        "AssetAccountRef": {"value": "81"},
        "ParentRef": {"value": "4"},
    },
    dataset="items",
    name="Seats:Chair",
    code="CH-1",
    told=LISTED_TOLD
    | {
        "code": "CH-1",
        "name": "Seats:Chair",
        "type": "Inventory",
        "sale": {
            "description": "Oak chair",
            "unit_price": "49.9",
            "account_id": "50",
            "account_code": None,
            "tax_code": "2",
        },
        "purchase": {
            "description": "Chair, bought in",
            "unit_price": "20.5",
            "account_id": "70",
            "account_code": None,
            "tax_code": "3",
        },
        "is_tracked": True,
        "quantity": "12.5",
        "stock_account_id": "81",
        "stock_account_code": None,
        "parent_id": "4",
    },
    flips=ACTIVE | {"TrackQtyOnHand": "is_tracked"},
    instead=NAMED | {"ExpenseAccountRef": "COGSAccountRef"},
)

TERM = Full(
    noun="Term",
    said=LISTED
    | {
        "Name": "2 % at once",
        "DueDays": 30,
        "DayOfMonthDue": 15,
        "DiscountPercent": Decimal("2.50"),
        "DiscountDays": 10,
    },
    dataset="terms",
    name="2 % at once",
    code=None,
    told=LISTED_TOLD
    | {
        "name": "2 % at once",
        "due_days": 30,
        "due_day_of_month": 15,
        "discount_percent": "2.5",
        "discount_days": 10,
    },
    flips=ACTIVE,
)

PAYMENT_METHOD = Full(
    noun="PaymentMethod",
    said=LISTED | {"Name": "Visa", "Type": "CREDIT_CARD"},
    dataset="payment_methods",
    name="Visa",
    code=None,
    told=LISTED_TOLD | {"name": "Visa", "type": "CREDIT_CARD"},
    flips=ACTIVE,
)

TAX_CODE = Full(
    noun="TaxCode",
    said=LISTED
    | {
        "Name": "Sales tax",
        "Hidden": False,
        "SalesTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value": "3"}}]},
        "PurchaseTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value": "4"}}]},
    },
    dataset="tax_rates",
    name="Sales tax",
    code=None,
    told=LISTED_TOLD
    | {
        "code": "7",
        "name": "Sales tax",
        "percent": "6.25",
        "applies_to": [],
        "report_code": None,
        "components": [
            {"name": "State", "percent": "6.25", "is_compound": False, "is_recoverable": True},
            {"name": "City", "percent": "1.875", "is_compound": False, "is_recoverable": True},
        ],
    },
    flips=ACTIVE | {"Hidden": "active"},
)

TAX_AGENCY = Full(
    noun="TaxAgency",
    said=LISTED
    | {
        "DisplayName": "HMRC",
        "TaxRegistrationNumber": "GB 123",
        "TaxTrackedOnSales": True,
        "TaxTrackedOnPurchases": True,
    },
    dataset="tax_agencies",
    name="HMRC",
    code=None,
    told=LISTED_TOLD
    | {"name": "HMRC", "registration_number": "GB 123", "tracks_sales": True, "tracks_purchases": True},
    flips=ACTIVE | {"TaxTrackedOnSales": "tracks_sales", "TaxTrackedOnPurchases": "tracks_purchases"},
)


def tracking_value(noun: str, dataset: str) -> Full:
    return Full(
        noun=noun,
        said=LISTED | {"FullyQualifiedName": "South:Kent", "Name": "Kent", "ParentRef": {"value": "4"}},
        dataset=dataset,
        name="South:Kent",
        code=None,
        told=LISTED_TOLD | {"category": noun, "name": "South:Kent", "parent_id": "4"},
        flips=ACTIVE,
        instead=NAMED,
    )


LISTS = [
    *(PREFERENCES, COMPANY, ACCOUNT, ITEM, TERM, PAYMENT_METHOD, TAX_CODE, TAX_AGENCY),
    *(tracking_value("Class", "classes"), tracking_value("Department", "departments")),
]
