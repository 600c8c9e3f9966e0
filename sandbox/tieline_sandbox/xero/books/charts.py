"""What documents are booked to: the chart of accounts, the tax rates, the tracking categories."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from tieline_sandbox.books.values import Record
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.wire import ms_date

_CLASSES = {
    **dict.fromkeys(("BANK", "CURRENT", "FIXED", "INVENTORY", "NONCURRENT", "PREPAYMENT"), "ASSET"),
    **dict.fromkeys(("CURRLIAB", "LIABILITY", "TERMLIAB"), "LIABILITY"),
    **dict.fromkeys(("DEPRECIATN", "DIRECTCOSTS", "EXPENSE", "OVERHEADS"), "EXPENSE"),
    **dict.fromkeys(("OTHERINCOME", "REVENUE", "SALES"), "REVENUE"),
    "EQUITY": "EQUITY",
}
_CHART = (
    ("090", "BANK", "Business Bank Account"),
    ("091", "BANK", "Business Savings Account"),
    ("200", "REVENUE", "Sales"),
    ("429", "EXPENSE", "General Expenses"),
    ("310", "DIRECTCOSTS", "Cost of Goods Sold"),
    ("610", "CURRENT", "Accounts Receivable"),
    ("800", "CURRLIAB", "Accounts Payable"),
    ("820", "CURRLIAB", "Sales Tax"),
    ("960", "EQUITY", "Retained Earnings"),
    ("860", "CURRLIAB", "Rounding"),
    ("092", "BANK", "Company Card"),
    ("260", "REVENUE", "Other Revenue"),
    ("270", "OTHERINCOME", "Interest Income"),
    ("320", "DIRECTCOSTS", "Direct Wages"),
    ("400", "OVERHEADS", "Advertising & Marketing"),
    ("404", "OVERHEADS", "Bank Fees"),
    ("408", "OVERHEADS", "Cleaning"),
    ("412", "OVERHEADS", "Consulting"),
    ("416", "DEPRECIATN", "Depreciation Expense"),
    ("420", "OVERHEADS", "Entertainment"),
    ("425", "OVERHEADS", "Freight & Courier"),
    ("433", "OVERHEADS", "Insurance"),
    ("437", "OVERHEADS", "Interest Paid"),
    ("441", "OVERHEADS", "Legal Expenses"),
    ("445", "OVERHEADS", "Light, Power & Heating"),
    ("449", "OVERHEADS", "Motor Vehicle Expenses"),
    ("461", "OVERHEADS", "Printing & Stationery"),
    ("463", "OVERHEADS", "IT Software"),
    ("469", "OVERHEADS", "Rent"),
    ("473", "OVERHEADS", "Repairs & Maintenance"),
    ("477", "OVERHEADS", "Salaries"),
    ("482", "OVERHEADS", "Pension Costs"),
    ("485", "OVERHEADS", "Subscriptions"),
    ("489", "OVERHEADS", "Telephone & Internet"),
    ("493", "OVERHEADS", "Travel"),
    ("620", "PREPAYMENT", "Prepayments"),
    ("630", "INVENTORY", "Inventory"),
    ("710", "FIXED", "Office Equipment"),
    ("720", "FIXED", "Computer Equipment"),
    ("801", "CURRLIAB", "Unpaid Expense Claims"),
    ("814", "CURRLIAB", "Wages Payable"),
    ("850", "CURRLIAB", "Suspense"),
    ("877", "CURRLIAB", "Tracking Transfers"),
    ("900", "TERMLIAB", "Loan"),
    ("970", "EQUITY", "Owner's Share Capital"),
)
_SYSTEM = {
    "610": "DEBTORS",
    "800": "CREDITORS",
    "820": "GST",
    "960": "RETAINEDEARNINGS",
    "860": "ROUNDING",
    "801": "UNPAIDEXPCLM",
    "814": "WAGEPAYABLES",
    "877": "TRACKINGTRANSFERS",
}
_DAY_TO_DAY = {"purchase": ("EXPENSE", "DIRECTCOSTS", "OVERHEADS"), "sale": ("REVENUE", "SALES")}
_STANDARD_RATES = {
    "GB": (20, "VAT"),
    "IE": (23, "VAT"),
    "AU": (10, "GST"),
    "NZ": (15, "GST"),
    "US": (8, "Sales Tax"),
}
_TRACKING = (
    ("Region", ("North", "South", "East", "West", "Overseas", "Islands")),
    ("Department", ("Office", "Workshop", "Shop", "Delivery", "Online", "Events")),
)
_OPTIONS = 5


@dataclass(frozen=True, kw_only=True)
class TaxRate:
    """`sides` are the kinds of documents it is for."""

    tax_type: str
    name: str
    percent: Decimal
    report: str
    sides: tuple[str, ...]


def account_entry(number: int) -> tuple[str, str, str]:
    """Code, type and name; after the usual chart come numbered cost centres."""
    if number < len(_CHART):
        return _CHART[number]
    return str(5_000 + number), "OVERHEADS", f"Cost Centre {number - len(_CHART) + 1}"


def account(ledger: Ledger, number: int) -> Record:
    code, type_, name = account_entry(number)
    is_archived = number >= len(_CHART) and ledger.dice("accounts", number).chance(10)
    made: Record = {
        "AccountID": ledger.id_of("accounts", number),
        "Code": code,
        "Name": name,
        "Status": "ARCHIVED" if is_archived else "ACTIVE",
        "Type": type_,
        "TaxType": _tax_type_of(type_),
        "Class": _CLASSES[type_],
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": type_ == "OVERHEADS",
        "ReportingCode": _CLASSES[type_][:3],
        "ReportingCodeName": _CLASSES[type_].title(),
        "HasAttachments": False,
        "AddToWatchlist": False,
        "UpdatedDateUTC": ms_date(ledger.updated_at("accounts", number)),
    }
    if code in _SYSTEM:
        made["SystemAccount"] = _SYSTEM[code]
    if type_ == "BANK":
        digits = str(int(ledger.id_of("accounts", number)[-12:], 16))[-8:]
        kind = "CREDITCARD" if name == "Company Card" else "BANK"
        made |= {"BankAccountNumber": digits, "BankAccountType": kind, "CurrencyCode": ledger.currency}
    return made


def _tax_type_of(type_: str) -> str:
    if type_ in _DAY_TO_DAY["purchase"]:
        return "INPUT2"
    return "OUTPUT2" if type_ in _DAY_TO_DAY["sale"] else "NONE"


@lru_cache(maxsize=512)
def accounts_for(side: str, count: int) -> tuple[int, ...]:
    """The numbers of those that lines of purchases or sales are booked to."""
    return tuple(n for n in range(count) if account_entry(n)[1] in _DAY_TO_DAY[side])


@lru_cache(maxsize=512)
def bank_accounts(count: int) -> tuple[int, ...]:
    return tuple(n for n in range(count) if account_entry(n)[1] == "BANK") or (0,)


@lru_cache(maxsize=512)
def rates(country: str, count: int) -> tuple[TaxRate, ...]:
    """The tax rates of a country; beyond the usual ones the organisation's own."""
    percent, word = _STANDARD_RATES.get(country, (0, "Tax"))
    full, reduced, nothing = Decimal(percent), Decimal(5), Decimal(0)
    both = ("purchase", "sale")
    usual = (
        ("OUTPUT2", f"{percent}% ({word} on Income)", full, "OUTPUT2", ("sale",)),
        ("INPUT2", f"{percent}% ({word} on Expenses)", full, "INPUT2", ("purchase",)),
        ("NONE", f"No {word}", nothing, "NONE", both),
        ("ZERORATEDOUTPUT", "Zero Rated Income", nothing, "ZERORATEDOUTPUT", ("sale",)),
        ("ZERORATEDINPUT", "Zero Rated Expenses", nothing, "ZERORATEDINPUT", ("purchase",)),
        ("RROUTPUT", f"5% ({word} on Income)", reduced, "OUTPUT", ("sale",)),
        ("RRINPUT", f"5% ({word} on Expenses)", reduced, "INPUT", ("purchase",)),
        ("EXEMPTOUTPUT", "Exempt Income", nothing, "EXEMPTOUTPUT", ("sale",)),
        ("EXEMPTINPUT", "Exempt Expenses", nothing, "EXEMPTINPUT", ("purchase",)),
        ("REVERSECHARGES", "Reverse Charge Expenses", nothing, "REVERSECHARGES", ("purchase",)),
    )
    own = ((f"TAX{n:03}", f"Own rate {n}", Decimal(n % 25), "OUTPUT", both) for n in range(1, count))
    everything = (*usual, *own)[:count]
    return tuple(
        TaxRate(tax_type=tax_type, name=name, percent=rate, report=report, sides=sides)
        for tax_type, name, rate, report, sides in everything
    )


def tax_rate(ledger: Ledger, number: int) -> Record:
    rate = rates(ledger.country, max(ledger.count("tax_rates"), number + 1))[number]
    purchase, sale = "purchase" in rate.sides, "sale" in rate.sides
    component = {"Name": "Tax", "Rate": rate.percent, "IsCompound": False, "IsNonRecoverable": False}
    return {
        "Name": rate.name,
        "TaxType": rate.tax_type,
        "ReportTaxType": rate.report,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": purchase,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": sale,
        "DisplayTaxRate": rate.percent,
        "EffectiveRate": rate.percent,
        "Status": "ACTIVE",
        "TaxComponents": [component],
    }


def tracking_category(ledger: Ledger, number: int) -> Record:
    name, options = _tracking(number)
    id_ = ledger.id_of("tracking_categories", number)
    return {
        "Name": name,
        "Status": "ACTIVE",
        "TrackingCategoryID": id_,
        "Options": [
            {
                "TrackingOptionID": ledger.id_of("tracking_options", number * 100 + place),
                "TrackingCategoryID": id_,
                "Name": option,
                "Status": "ARCHIVED" if place == _OPTIONS else "ACTIVE",
            }
            for place, option in enumerate(options)
        ],
    }


def tracked(ledger: Ledger, number: int, place: int) -> Record:
    """A line's mark: one of the category's live options."""
    name, options = _tracking(number)
    return {
        "TrackingCategoryID": ledger.id_of("tracking_categories", number),
        "TrackingOptionID": ledger.id_of("tracking_options", number * 100 + place % _OPTIONS),
        "Name": name,
        "Option": options[place % _OPTIONS],
    }


def _tracking(number: int) -> tuple[str, tuple[str, ...]]:
    name, options = _TRACKING[number % len(_TRACKING)]
    lap = number // len(_TRACKING)
    return (f"{name} {lap + 1}" if lap else name), options
