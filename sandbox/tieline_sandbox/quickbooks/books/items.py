"""What is bought and sold by name, and the accounts that it is booked to."""

from __future__ import annotations

from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import lists
from tieline_sandbox.quickbooks.books.ledger import Books, id_of
from tieline_sandbox.quickbooks.wire import on
from tieline_sandbox.seeds import Dice

NAMES = ("Paper", "Lumber", "Site visit", "Monthly retainer", "Spare parts", "Cleaning", "Printing", "Fuel")
_TYPES = ("Service", "NonInventory", "Inventory")
_UNNAMED: Record = {"value": "1", "name": "Services"}


def item(books: Books, number: int) -> Record:
    """A service, goods, or goods whose stock is counted; services are not bought."""
    dice, name, type_ = books.dice("items", number), item_name(number), _TYPES[number % len(_TYPES)]
    made = books.stem("items", number) | {
        "Name": name,
        "FullyQualifiedName": name,
        "Description": f"{name} as agreed",
        "Active": number == 0 or number % 11 != 0,
        "Type": type_,
        "Taxable": dice.chance(70),
        "UnitPrice": Decimal(100 + dice.below(50_000)).scaleb(-2),
        "PurchaseCost": Decimal(0),
        "IncomeAccountRef": account_ref(books, "sale", number),
        "TrackQtyOnHand": type_ == "Inventory",
    }
    if dice.chance(60):
        made["Sku"] = f"SKU-{100 + number}"
    if type_ == "Inventory":
        made |= _stock(books, number, dice)
    return made if type_ == "Service" else made | _bought(books, number, dice)


def _stock(books: Books, number: int, dice: Dice) -> Record:
    asset = lists.PREPAID if books.count("accounts") > lists.PREPAID else lists.UNDEPOSITED
    return {
        "QtyOnHand": Decimal(dice.below(500)),
        "InvStartDate": on(books.updated_at("items", number).date()),
        "AssetAccountRef": lists.account_ref(asset),
    }


def _bought(books: Books, number: int, dice: Dice) -> Record:
    return {
        "PurchaseDesc": f"{item_name(number)}, bought in",
        "PurchaseCost": Decimal(50 + dice.below(20_000)).scaleb(-2),
        "ExpenseAccountRef": account_ref(books, "purchase", number),
    }


def item_name(number: int) -> str:
    return lists.lapped(NAMES, number)


def sold(books: Books, throw: int) -> Record:
    """The item of a line, and the account that its sale is booked to."""
    count = books.count("items")
    number = throw % max(1, count)
    item_ref = {"value": id_of("items", number), "name": item_name(number)} if count else _UNNAMED
    return {"ItemRef": item_ref, "ItemAccountRef": account_ref(books, "sale", number)}


def account_ref(books: Books, side: str, throw: int) -> Record:
    """One of those that lines of purchases or sales are booked to; empty where there is none."""
    fitting = lists.accounts_for(side, books.count("accounts"))
    return lists.account_ref(fitting[throw % len(fitting)]) if fitting else {}
