"""What documents are booked to and paid by: accounts, classes, departments, terms, payment methods."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from tieline_sandbox.books.values import Record
from tieline_sandbox.names import TOWNS
from tieline_sandbox.quickbooks.books.ledger import Books, id_of

_CLASSIFICATIONS = {
    **dict.fromkeys(("Bank", "Accounts Receivable", "Other Current Asset", "Fixed Asset"), "Asset"),
    **dict.fromkeys(("Accounts Payable", "Credit Card", "Other Current Liability"), "Liability"),
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    **dict.fromkeys(("Income", "Other Income"), "Revenue"),
    **dict.fromkeys(("Expense", "Other Expense", "Cost of Goods Sold"), "Expense"),
}
_CHART = (
    ("Checking", "Bank", "Checking"),
    ("Company Card", "Credit Card", "CreditCard"),
    ("Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    ("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("Sales", "Income", "SalesOfProductIncome"),
    ("General Expenses", "Expense", "OfficeGeneralAdministrativeExpenses"),
    ("Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    ("Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
    ("Savings", "Bank", "Savings"),
    ("Services", "Income", "ServiceFeeIncome"),
    ("Interest Earned", "Other Income", "InterestEarned"),
    ("Advertising", "Expense", "AdvertisingPromotional"),
    ("Automobile", "Expense", "Auto"),
    ("Bank Charges", "Expense", "BankCharges"),
    ("Dues & Subscriptions", "Expense", "DuesSubscriptions"),
    ("Equipment Rental", "Expense", "EquipmentRental"),
    ("Insurance", "Expense", "Insurance"),
    ("Legal & Professional Fees", "Expense", "LegalProfessionalFees"),
    ("Meals and Entertainment", "Expense", "EntertainmentMeals"),
    ("Rent or Lease", "Expense", "RentOrLeaseOfBuildings"),
    ("Repairs & Maintenance", "Expense", "RepairMaintenance"),
    ("Travel", "Expense", "Travel"),
    ("Utilities", "Expense", "Utilities"),
    ("Prepaid Expenses", "Other Current Asset", "PrepaidExpenses"),
    ("Machinery & Equipment", "Fixed Asset", "MachineryAndEquipment"),
    ("Payroll Clearing", "Other Current Liability", "PayrollClearing"),
    ("Loan Payable", "Long Term Liability", "NotesPayable"),
    ("Retained Earnings", "Equity", "RetainedEarnings"),
    ("Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss"),
)
_DAY_TO_DAY = {"purchase": ("Expense", "Cost of Goods Sold"), "sale": ("Income",)}
_MONEY = ("Bank", "Credit Card")
_TERMS = (("Due on receipt", 0), ("Net 10", 10), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))
_METHODS = (
    ("Cash", "NON_CREDIT_CARD"),
    ("Check", "NON_CREDIT_CARD"),
    ("Visa", "CREDIT_CARD"),
    ("MasterCard", "CREDIT_CARD"),
    ("American Express", "CREDIT_CARD"),
    ("Direct Debit", "NON_CREDIT_CARD"),
)
_CLASSES = ("Retail", "Wholesale", "Online", "Events", "Office")
CHECKING, CARD, PAYABLE, RECEIVABLE, UNDEPOSITED = 0, 1, 2, 3, 7
SAVINGS, INTEREST, PREPAID = 9, 11, 24


def account_entry(number: int) -> tuple[str, str, str]:
    """Name, type and subtype; after the usual chart come numbered cost centres."""
    if number < len(_CHART):
        return _CHART[number]
    return f"Cost Center {number - len(_CHART) + 1}", "Expense", "OtherMiscellaneousServiceCost"


def account(books: Books, number: int) -> Record:
    name, type_, subtype = account_entry(number)
    own = number >= len(_CHART)
    made = books.stem("accounts", number) | {
        "Name": name,
        "SubAccount": own,
        "FullyQualifiedName": f"{_CHART[5][0]}:{name}" if own else name,
        "Active": not own or not books.dice("accounts", number).chance(10),
        "Classification": _CLASSIFICATIONS[type_],
        "AccountType": type_,
        "AccountSubType": subtype,
        "AcctNum": str(1000 + number * 10),
        "CurrentBalance": Decimal(books.dice("balances", number).below(1_000_000)).scaleb(-2),
        "CurrencyRef": currency(books.currency),
    }
    made["CurrentBalanceWithSubAccounts"] = made["CurrentBalance"]
    return made | {"ParentRef": {"value": id_of("accounts", 5)}} if own else made


def account_ref(number: int) -> Record:
    return {"value": id_of("accounts", number), "name": account_entry(number)[0]}


@lru_cache(maxsize=512)
def accounts_for(side: str, count: int) -> tuple[int, ...]:
    """The numbers of those that lines of purchases or sales are booked to."""
    return tuple(n for n in range(count) if account_entry(n)[1] in _DAY_TO_DAY[side])


@lru_cache(maxsize=512)
def money_accounts(count: int) -> tuple[int, ...]:
    return tuple(n for n in range(count) if account_entry(n)[1] in _MONEY) or (0,)


def class_(books: Books, number: int) -> Record:
    name = lapped(_CLASSES, number)
    named = {"Name": name, "SubClass": False, "FullyQualifiedName": name}
    return books.stem("classes", number) | named | {"Active": number == 0 or number % 9 != 0}


def class_ref(number: int) -> Record:
    return {"value": id_of("classes", number), "name": lapped(_CLASSES, number)}


def department(books: Books, number: int) -> Record:
    name = lapped(TOWNS, number)
    named = {"Name": name, "SubDepartment": False, "FullyQualifiedName": name}
    return books.stem("departments", number) | named | {"Active": True}


def department_ref(number: int) -> Record:
    return {"value": id_of("departments", number), "name": lapped(TOWNS, number)}


def term(books: Books, number: int) -> Record:
    name, days = term_entry(number)
    made = {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days}
    return books.stem("terms", number) | made | {"DiscountDays": 0, "DiscountPercent": 0}


def term_entry(number: int) -> tuple[str, int]:
    """Name and days."""
    return _TERMS[number] if number < len(_TERMS) else (f"Net {60 + number}", 60 + number)


def term_ref(number: int) -> Record:
    return {"value": id_of("terms", number), "name": term_entry(number)[0]}


def payment_method(books: Books, number: int) -> Record:
    kind = _METHODS[number % len(_METHODS)][1]
    made = {"Name": lapped([name for name, _ in _METHODS], number), "Active": True, "Type": kind}
    return books.stem("payment_methods", number) | made


def payment_method_ref(number: int) -> Record:
    return {"value": id_of("payment_methods", number)}


def currency(code: str) -> Record:
    return {"value": code, "name": code}


def lapped(names: tuple[str, ...] | list[str], number: int) -> str:
    lap, place = divmod(number, len(names))
    return f"{names[place]} {lap + 1}" if lap else names[place]
