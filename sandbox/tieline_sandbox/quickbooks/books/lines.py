"""Lines of documents with what was bought or sold, and the tax of all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import items, lists, taxes
from tieline_sandbox.quickbooks.books.ledger import Books, id_of
from tieline_sandbox.seeds import Dice

CENT = Decimal("0.01")
ZERO = Decimal(0)
_BASES = ("TaxExcluded", "TaxExcluded", "TaxExcluded", "TaxInclusive", "NotApplicable")


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Lines with their net amounts. `basis` is how amounts were given; None in the United States."""

    lines: list[Record]
    basis: str | None
    net: Decimal
    detail: Record

    @property
    def total(self) -> Decimal:
        tax: Decimal = self.detail.get("TotalTax", ZERO)
        return self.net + tax

    def fields(self) -> Record:
        given = {} if self.basis is None else {"GlobalTaxCalculation": self.basis}
        return {"Line": self.lines, "TxnTaxDetail": self.detail, "TotalAmt": self.total, **given}


def sums(books: Books, dice: Dice, side: str) -> Sums:
    basis = None if books.country == "US" else dice.pick(_BASES)
    lines: list[Record] = []
    taxed: defaultdict[taxes.Rate, Decimal] = defaultdict(Decimal)
    owed: defaultdict[taxes.Rate, Decimal] = defaultdict(Decimal)
    for place in range(1 + dice.below(4)):
        line, rate, tax = _line(books, dice, side, basis)
        lines.append({"Id": str(place + 1), "LineNum": place + 1, **line})
        if rate is not None:
            taxed[rate] += line["Amount"]
            owed[rate] += tax
    net = sum((line["Amount"] for line in lines), ZERO)
    detail: Record = {"TotalTax": sum(owed.values(), ZERO)}
    if taxed:
        detail["TaxLine"] = [_tax_line(rate, owed[rate], taxed[rate]) for rate in taxed]
    return Sums(lines=lines, basis=basis, net=net, detail=detail)


def _line(
    books: Books, dice: Dice, side: str, basis: str | None
) -> tuple[Record, taxes.Rate | None, Decimal]:
    """A line without its number, the rate that applies to it, and the tax."""
    quantity, unit = Decimal(1 + dice.below(12)), Decimal(100 + dice.below(90_000)).scaleb(-2)
    code, rate = _code(books, dice, side, basis)
    given = (quantity * unit).quantize(CENT, ROUND_HALF_UP)
    percent = rate.percent if rate else ZERO
    base = 100 + percent if basis == "TaxInclusive" else Decimal(100)
    tax = (given * percent / base).quantize(CENT, ROUND_HALF_UP)
    amount = given - tax if basis == "TaxInclusive" else given
    detail: Record = {"TaxCodeRef": {"value": code}} if code else {}
    if basis == "TaxInclusive":
        detail["TaxInclusiveAmt"] = given
    if books.count("classes") and dice.chance(40):
        detail["ClassRef"] = lists.class_ref(dice.below(books.count("classes")))
    kind = "AccountBasedExpenseLineDetail" if side == "purchase" else "SalesItemLineDetail"
    if side == "purchase":
        account = items.account_ref(books, side, dice.below(1 << 30))
        detail |= {"AccountRef": account, "BillableStatus": "NotBillable"}
    else:
        price = (amount / quantity).quantize(Decimal("0.0000001"))
        detail |= {**items.sold(books, dice.below(1 << 30)), "Qty": quantity, "UnitPrice": price}
    made = {"Description": dice.pick(items.NAMES), "Amount": amount, "DetailType": kind, kind: detail}
    return made, rate, tax


def _code(books: Books, dice: Dice, side: str, basis: str | None) -> tuple[str | None, taxes.Rate | None]:
    """The tax code of a line, and the rate behind it: in the United States purchases have none."""
    if books.country == "US":
        taxable = side == "sale" and books.count("tax_rates") > 0 and dice.chance(70)
        return ("TAX", taxes.rates(books)[0]) if taxable else ("NON", None)
    if basis == "NotApplicable" or not books.count("tax_codes"):
        return None, None
    number = 0 if dice.chance(60) else dice.below(books.count("tax_codes"))
    return taxes.tax_code_id(books, number), taxes.rate_of(books, number)


def _tax_line(rate: taxes.Rate, tax: Decimal, net: Decimal) -> Record:
    detail = {
        "TaxRateRef": {"value": id_of("tax_rates", rate.number)},
        "PercentBased": True,
        "TaxPercent": rate.percent,
        "NetAmountTaxable": net,
    }
    return {"Amount": tax, "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
