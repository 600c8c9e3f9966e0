"""The lines of a document, the tax on each, and the sums of all."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books import charts
from tieline_sandbox.xero.books.items import item_code
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.model import Dataset

CENT = Decimal("0.01")
ZERO = Decimal(0)
NO_TAX = "NoTax"
_GOODS = (
    "Flour",
    "Timber, planed",
    "Site visit",
    "Monthly retainer",
    "Spare parts",
    "Cleaning",
    "Printing",
    "Fuel",
)
_BASES = ("Exclusive", "Exclusive", "Exclusive", "Inclusive", NO_TAX)


@dataclass(frozen=True, kw_only=True)
class Sums:
    lines: list[Record]
    basis: str
    sub_total: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.sub_total + self.tax

    def fields(self) -> Record:
        return {
            "LineAmountTypes": self.basis,
            "LineItems": self.lines,
            "SubTotal": self.sub_total,
            "TotalTax": self.tax,
            "Total": self.total,
        }


def sums_of(
    ledger: Ledger, dice: Dice, dataset: Dataset, number: int, side: str, *, taxed: bool = True
) -> Sums:
    basis = dice.pick(_BASES) if taxed else NO_TAX
    lines = [
        _line(ledger, dice, side, basis, ledger.id_of(f"{dataset} lines", number * 64 + place))
        for place in range(1 + dice.below(4))
    ]
    amounts = sum((line["LineAmount"] for line in lines), ZERO)
    tax = sum((line["TaxAmount"] for line in lines), ZERO)
    return Sums(
        lines=lines, basis=basis, sub_total=amounts - tax if basis == "Inclusive" else amounts, tax=tax
    )


def _line(ledger: Ledger, dice: Dice, side: str, basis: str, id_: str) -> Record:
    """Tax is computed for each line and rounded; unit amounts may have four decimals."""
    quantity = Decimal(1 + dice.below(12))
    exact = 10_000 + dice.below(9_000_000) if dice.chance(25) else 100 * (100 + dice.below(90_000))
    unit = Decimal(exact).scaleb(-4)
    amount = (quantity * unit).quantize(CENT, ROUND_HALF_UP)
    tax_type, tax = _tax(ledger, dice, side, basis, amount)
    made: Record = {
        "LineItemID": id_,
        "Description": dice.pick(_GOODS),
        "Quantity": quantity,
        "UnitAmount": unit,
        "TaxType": tax_type,
        "TaxAmount": tax,
        "LineAmount": amount,
        "Tracking": [],
    }
    fitting = charts.accounts_for(side, ledger.count("accounts"))
    if fitting:
        account = dice.pick(fitting)
        made |= {
            "AccountCode": charts.account_entry(account)[0],
            "AccountID": ledger.id_of("accounts", account),
        }
    if ledger.count("tracking_categories") and dice.chance(40):
        made["Tracking"] = [charts.tracked(ledger, 0, dice.below(100))]
    if ledger.count("items") and dice.chance(20):
        made["ItemCode"] = item_code(dice.below(ledger.count("items")))
    return made


def _tax(ledger: Ledger, dice: Dice, side: str, basis: str, amount: Decimal) -> tuple[str, Decimal]:
    fitting = [rate for rate in charts.rates(ledger.country, ledger.count("tax_rates")) if side in rate.sides]
    rate = dice.pick(fitting) if fitting and dice.chance(40) else (fitting[0] if fitting else None)
    if basis == NO_TAX or rate is None:
        return "NONE", ZERO
    base = 100 + rate.percent if basis == "Inclusive" else Decimal(100)
    return rate.tax_type, (amount * rate.percent / base).quantize(CENT, ROUND_HALF_UP)
