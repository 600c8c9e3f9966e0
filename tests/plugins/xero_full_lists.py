"""Full records of what Xero's documents refer to, and of the organisation itself."""

from __future__ import annotations

from decimal import Decimal

from tests.plugins.full_records import Full

CHANGED = {"UpdatedDateUTC": "/Date(1793700000123+0000)/"}

ORGANISATION = Full(
    noun="organisation",
    said=CHANGED
    | {
        "OrganisationID": "ORG-1",
        "Name": "Ashford",
        "LegalName": "Ashford Bakery Ltd",
        "CountryCode": "GB",
        "BaseCurrency": "GBP",
        "TaxNumber": "GB 123",
        "RegistrationNumber": "0455",
        "Timezone": "GMTSTANDARDTIME",
        "FinancialYearEndDay": 30,
        "FinancialYearEndMonth": 4,
        "PeriodLockDate": "/Date(1767139200000+0000)/",
        "EndOfYearLockDate": "/Date(1743379200000+0000)/",
        "Class": "PREMIUM",
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
    },
    dataset="organisation",
    name="Ashford",
    code=None,
    told={
        "id": "org-1",
        "name": "Ashford",
        "legal_name": "Ashford Bakery Ltd",
        "country": "GB",
        "currency": "GBP",
        "tax_number": "GB 123",
        "registration_number": "0455",
        "timezone": "GMTSTANDARDTIME",
        "year_end_day": 30,
        "year_end_month": 4,
        "locked_until": "2025-12-31",
        "closed_until": "2025-03-31",
        "edition": "PREMIUM",
        "is_demo": True,
        "status": "ACTIVE",
        "active": True,
    },
    flips={"IsDemoCompany": "is_demo"},
)

ACCOUNT = Full(
    noun="accounts",
    said=CHANGED
    | {
        "AccountID": "ACC-1",
        "Code": "090",
        "Name": "Business account",
        "Type": "BANK",
        "Class": "ASSET",
        "Description": "For wages",
        "CurrencyCode": "EUR",
        "TaxType": "NONE",
        "BankAccountType": "CREDITCARD",
        "BankAccountNumber": "12-3456-789",
        "SystemAccount": "DEBTORS",
        "EnablePaymentsToAccount": True,
        "Status": "ACTIVE",
    },
    dataset="accounts",
    name="Business account",
    code="090",
    told={
        "id": "acc-1",
        "code": "090",
        "name": "Business account",
        "type": "BANK",
        "classification": "ASSET",
        "description": "For wages",
        "currency": "EUR",
        "tax_code": "NONE",
        "bank_account_type": "CREDITCARD",
        "bank_account_number": "12-3456-789",
        "system_role": "DEBTORS",
        "takes_payments": True,
        "status": "ACTIVE",
        "active": True,
    },
    flips={"EnablePaymentsToAccount": "takes_payments"},
)

TAX_RATE = Full(
    noun="tax_rates",
    said=CHANGED
    | {
        "TaxType": "TAX001",
        "Name": "Sales tax",
        "EffectiveRate": Decimal("8.1250"),
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": True,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": True,
        "ReportTaxType": "OUTPUT",
        "TaxComponents": [
            {"Name": "State", "Rate": Decimal("6.25"), "IsCompound": True, "IsNonRecoverable": False},
            {"Name": "City", "Rate": Decimal("1.875"), "IsCompound": False, "IsNonRecoverable": True},
        ],
        "Status": "ACTIVE",
    },
    dataset="tax_rates",
    name="Sales tax",
    code="TAX001",
    told={
        "id": "TAX001",
        "code": "TAX001",
        "name": "Sales tax",
        "percent": "8.125",
        "applies_to": ["ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE"],
        "report_code": "OUTPUT",
        "components": [
            {"name": "State", "percent": "6.25", "is_compound": True, "is_recoverable": True},
            {"name": "City", "percent": "1.875", "is_compound": False, "is_recoverable": False},
        ],
        "status": "ACTIVE",
        "active": True,
    },
)

TRACKING_CATEGORY = Full(
    noun="tracking_categories",
    said=CHANGED
    | {
        "TrackingCategoryID": "TC-1",
        "Name": "Region",
        "Options": [{"TrackingOptionID": "TO-1", "Name": "North", "Status": "ARCHIVED"}],
        "Status": "ACTIVE",
    },
    dataset="tracking_categories",
    name="Region",
    code=None,
    told={
        "id": "tc-1",
        "name": "Region",
        "options": [{"id": "to-1", "name": "North", "status": "ARCHIVED", "active": False}],
        "status": "ACTIVE",
        "active": True,
    },
)

ITEM = Full(
    noun="items",
    said=CHANGED
    | {
        "ItemID": "IT-1",
        "Code": "FLOUR",
        "Name": "Plain flour",
        "IsSold": True,
        "IsPurchased": True,
        "Description": "By the bag",
        "PurchaseDescription": "25 kg",
        "SalesDetails": {
            "UnitPrice": Decimal("15.50"),
            "AccountID": "ACC-200",
            "AccountCode": "200",
            "TaxType": "OUTPUT2",
        },
        "PurchaseDetails": {
            "UnitPrice": Decimal("12.3450"),
            "AccountID": "ACC-310",
            "AccountCode": "310",
            "COGSAccountCode": "311",
            "TaxType": "INPUT2",
        },
        "IsTrackedAsInventory": True,
        "QuantityOnHand": Decimal("7.5"),
        "InventoryAssetAccountCode": "630",
        "Status": "ACTIVE",
    },
    dataset="items",
    name="Plain flour",
    code="FLOUR",
    told={
        "id": "it-1",
        "code": "FLOUR",
        "name": "Plain flour",
        "type": None,
        "sale": {
            "description": "By the bag",
            "unit_price": "15.5",
            "account_id": "acc-200",
            "account_code": "200",
            "tax_code": "OUTPUT2",
        },
        "purchase": {
            "description": "25 kg",
            "unit_price": "12.345",
            "account_id": "acc-310",
            "account_code": "310",
            "tax_code": "INPUT2",
        },
        "is_tracked": True,
        "quantity": "7.5",
        "stock_account_id": None,
        "stock_account_code": "630",
        "parent_id": None,
        "status": "ACTIVE",
        "active": True,
    },
    flips={"IsSold": "sale", "IsPurchased": "purchase", "IsTrackedAsInventory": "is_tracked"},
    instead={"PurchaseDetails.AccountCode": "COGSAccountCode"},
)

CURRENCY = Full(
    noun="currencies",
    said=CHANGED | {"Code": "NZD", "Description": "New Zealand Dollar", "Status": "ARCHIVED"},
    dataset="currencies",
    name="New Zealand Dollar",
    code="NZD",
    told={"id": "NZD", "name": "New Zealand Dollar", "status": "ARCHIVED", "active": False},
)

BRANDING_THEME = Full(
    noun="branding_themes",
    said=CHANGED | {"BrandingThemeID": "BT-1", "Name": "Standard", "SortOrder": 2, "Status": "ARCHIVED"},
    dataset="branding_themes",
    name="Standard",
    code=None,
    told={"id": "bt-1", "name": "Standard", "position": 2, "status": "ARCHIVED", "active": False},
)

LISTS = [ORGANISATION, ACCOUNT, TAX_RATE, TRACKING_CATEGORY, ITEM, CURRENCY, BRANDING_THEME]
