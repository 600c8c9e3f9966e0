"""Who a company trades with: vendors and customers, whose names are in one row."""

from __future__ import annotations

from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.names import FAMILY_NAMES, GIVEN_NAMES, TOWNS, TRADES
from tieline_sandbox.quickbooks.books.ledger import Books, id_of
from tieline_sandbox.quickbooks.books.lists import currency, payment_method_ref, term_ref
from tieline_sandbox.quickbooks.model import Dataset
from tieline_sandbox.seeds import Dice

_PAIRS = len(FAMILY_NAMES) ** 2
COUNTRIES = {"US": "USA", "GB": "GBR", "IE": "IRL", "AU": "AUS", "NZ": "NZL", "CA": "CAN"}


def vendor(books: Books, number: int) -> Record:
    dice = books.dice("vendors", number)
    made = _party(books, "vendors", number, dice) | {"Vendor1099": dice.chance(20)}
    if dice.chance(60):
        made["TermRef"] = term_ref(dice.below(max(1, books.count("terms"))))
    if dice.chance(40):
        made["TaxIdentifier"] = f"{dice.below(90) + 10}-{1_000_000 + dice.below(9_000_000)}"
    return made


def customer(books: Books, number: int) -> Record:
    dice = books.dice("customers", number)
    made = _party(books, "customers", number, dice)
    made |= {
        "FullyQualifiedName": made["DisplayName"],
        "Taxable": dice.chance(70),
        "Job": False,
        "IsProject": False,
        "BillWithParent": False,
        "BalanceWithJobs": made["Balance"],
        "PreferredDeliveryMethod": "Print",
    }
    if dice.chance(50):
        made["SalesTermRef"] = term_ref(dice.below(max(1, books.count("terms"))))
    if dice.chance(30):
        made["PaymentMethodRef"] = payment_method_ref(dice.below(max(1, books.count("payment_methods"))))
    return made


def party_ref(books: Books, dataset: Dataset, throw: int) -> Record:
    """The vendor or customer of a document."""
    number = throw % max(1, books.count(dataset))
    return {"value": id_of(dataset, number), "name": display_name(books, dataset, number)}


def display_name(books: Books, dataset: Dataset, number: int) -> str:
    """No two vendors or customers of a company share one."""
    place = 2 * number + (dataset == "customers") + Dice("parties", books.seed).below(1_000)
    lap, place = divmod(place, _PAIRS * len(TRADES))
    pair, trade = divmod(place, len(TRADES))
    first, second = divmod(pair, len(FAMILY_NAMES))
    name = f"{FAMILY_NAMES[first]} & {FAMILY_NAMES[second]} {TRADES[trade]}"
    return f"{name} {lap + 1}" if lap else name


def address(street: str, city: str, country: str) -> Record:
    """Countries have three letters since October 2025."""
    return {"Line1": street, "City": city, "Country": COUNTRIES.get(country, country), "PostalCode": "10001"}


def _party(books: Books, dataset: Dataset, number: int, dice: Dice) -> Record:
    name, first, last = display_name(books, dataset, number), dice.pick(GIVEN_NAMES), dice.pick(FAMILY_NAMES)
    stem = books.stem(dataset, number)
    made = stem | {
        "GivenName": first,
        "FamilyName": last,
        "CompanyName": name,
        "DisplayName": name,
        "PrintOnCheckName": name,
        "Active": number == 0 or not dice.chance(6),
        "V4IDPseudonym": f"{int(stem['Id']):032x}",
        "Balance": Decimal(dice.below(100_000)).scaleb(-2),
        "CurrencyRef": currency(books.currency),
    }
    if dice.chance(80):
        made["PrimaryEmailAddr"] = {"Address": f"{first}.{last}.{number}@example.invalid".lower()}
    if dice.chance(60):
        made["PrimaryPhone"] = {"FreeFormNumber": f"({200 + dice.below(700)}) 555-{dice.below(10_000):04}"}
    if dice.chance(70):
        street = f"{1 + dice.below(200)} {dice.pick(FAMILY_NAMES)} Street"
        made["BillAddr"] = address(street, dice.pick(TOWNS), books.country)
    return made
