"""What an organisation buys and sells by name: a third only buys it, a third only sells it, a third both."""

from __future__ import annotations

from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books import charts
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.wire import ms_date

_THINGS = ("Bread, sliced", "Oak board", "Saddle", "Notebook", "Hamper", "Lamp", "Bouquet", "Brake pad")


def item_code(number: int) -> str:
    return f"ITEM-{number + 1:04}"


def item(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("items", number)
    is_bought, is_sold = number % 3 != 1, number % 3 != 0
    thing = _THINGS[number % len(_THINGS)]
    made: Record = {
        "ItemID": ledger.id_of("items", number),
        "Code": item_code(number),
        "Name": f"{thing} {number // len(_THINGS) + 1}",
        "IsSold": is_sold,
        "IsPurchased": is_bought,
        "IsTrackedAsInventory": False,
        "UpdatedDateUTC": ms_date(ledger.updated_at("items", number)),
        "PurchaseDetails": _details(ledger, dice, "purchase") if is_bought else {},
        "SalesDetails": _details(ledger, dice, "sale") if is_sold else {},
    }
    if is_sold:
        made["Description"] = f"{thing}, as sold"
    if is_bought:
        made["PurchaseDescription"] = f"{thing}, as bought"
    return made | (_stock(dice) if is_bought and is_sold and dice.chance(50) else {})


def _details(ledger: Ledger, dice: Dice, side: str) -> Record:
    exact = 10_000 + dice.below(900_000) if dice.chance(25) else 100 * (100 + dice.below(9_000))
    made: Record = {"UnitPrice": Decimal(exact).scaleb(-4)}
    fitting = charts.accounts_for(side, ledger.count("accounts"))
    if fitting:
        made["AccountCode"] = charts.account_entry(dice.pick(fitting))[0]
    rates = [one for one in charts.rates(ledger.country, ledger.count("tax_rates")) if side in one.sides]
    return made | ({"TaxType": rates[0].tax_type} if rates else {})


def _stock(dice: Dice) -> Record:
    return {
        "IsTrackedAsInventory": True,
        "InventoryAssetAccountCode": "630",
        "QuantityOnHand": Decimal(dice.below(500)),
        "TotalCostPool": Decimal(dice.below(1_000_000)).scaleb(-2),
    }
