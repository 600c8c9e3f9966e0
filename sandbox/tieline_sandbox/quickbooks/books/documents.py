"""Bills, purchases, invoices and payments: their lines, the tax of all of them, what is still owed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import lists, taxes
from tieline_sandbox.quickbooks.books.ledger import Books, id_of
from tieline_sandbox.quickbooks.books.parties import party_ref
from tieline_sandbox.quickbooks.model import Dataset
from tieline_sandbox.quickbooks.wire import on
from tieline_sandbox.seeds import Dice

CENT = Decimal("0.01")
_ZERO = Decimal(0)
_GOODS = ("Paper", "Lumber", "Site visit", "Monthly retainer", "Spare parts", "Cleaning", "Printing", "Fuel")
_BASES = ("TaxExcluded", "TaxExcluded", "TaxExcluded", "TaxInclusive", "NotApplicable")
_FOREIGN = {"EUR": Decimal("1.1532"), "USD": Decimal("1.2718"), "GBP": Decimal("0.8671")}


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """Lines with their net amounts. `basis` is how amounts were given; None in the United States."""

    lines: list[Record]
    basis: str | None
    net: Decimal
    detail: Record

    @property
    def total(self) -> Decimal:
        tax: Decimal = self.detail.get("TotalTax", _ZERO)
        return self.net + tax

    def fields(self) -> Record:
        given = {} if self.basis is None else {"GlobalTaxCalculation": self.basis}
        return {"Line": self.lines, "TxnTaxDetail": self.detail, "TotalAmt": self.total, **given}


def bill(books: Books, number: int) -> Record:
    dice = books.dice("bills", number)
    day = _day(books, "bills", number, dice)
    term = dice.below(max(1, books.count("terms")))
    made = books.stem("bills", number) | {
        "VendorRef": party_ref(books, "vendors", dice.below(1 << 30)),
        "APAccountRef": lists.account_ref(lists.PAYABLE),
        "TxnDate": on(day),
        "DueDate": on(day + timedelta(days=lists.term_entry(term)[1])),
        "SalesTermRef": lists.term_ref(term),
        **_currency(books, dice),
        **_sums(books, dice, "purchase").fields(),
    }
    made["Balance"] = made["TotalAmt"] if dice.chance(50) else _ZERO
    if made["CurrencyRef"]["value"] != books.currency:
        made["HomeBalance"] = (made["Balance"] * made["ExchangeRate"]).quantize(CENT, ROUND_HALF_UP)
    if not dice.chance(5):
        made["DocNumber"] = f"{dice.pick('ABKLS')}-{1000 + number % 9000}"
    return made | _placed(books, dice)


def purchase(books: Books, number: int) -> Record:
    dice = books.dice("purchases", number)
    account = dice.pick(lists.money_accounts(books.count("accounts")))
    is_card = lists.account_entry(account)[1] == "Credit Card"
    made = books.stem("purchases", number) | {
        "AccountRef": lists.account_ref(account),
        "PaymentType": "CreditCard" if is_card else dice.pick(("Cash", "Check")),
        "Credit": is_card and dice.chance(10),
        "TxnDate": on(_day(books, "purchases", number, dice)),
        "CurrencyRef": lists.currency(books.currency),
        **_sums(books, dice, "purchase").fields(),
    }
    if dice.chance(85):
        made["EntityRef"] = party_ref(books, "vendors", dice.below(1 << 30)) | {"type": "Vendor"}
    if dice.chance(60):
        made["DocNumber"] = str(5000 + number)
    if dice.chance(30):
        made["PrivateNote"] = f"Receipt {dice.below(10_000):04}"
    return made | _placed(books, dice)


def invoice(books: Books, number: int) -> Record:
    dice, customer, sums = _sale(books, number)
    day = _day(books, "invoices", number, dice)
    term = dice.below(max(1, books.count("terms")))
    paid = _paid(books, number, sums.total)
    made = books.stem("invoices", number) | {
        "DocNumber": str(1001 + number),
        "CustomerRef": customer,
        "TxnDate": on(day),
        "DueDate": on(day + timedelta(days=lists.term_entry(term)[1])),
        "SalesTermRef": lists.term_ref(term),
        "CurrencyRef": lists.currency(books.currency),
        **sums.fields(),
        "Balance": sums.total - paid,
        "ApplyTaxAfterDiscount": False,
        "PrintStatus": "NeedToPrint",
        "EmailStatus": dice.pick(("NotSet", "EmailSent")),
        "LinkedTxn": [_linked("payments", "Payment", number)] if paid else [],
    }
    made["Line"] = [
        *sums.lines,
        {"Amount": sums.net, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
    ]
    if dice.chance(30):
        made["CustomerMemo"] = {"value": f"Order {dice.below(10_000):04}"}
    return made | _placed(books, dice)


def payment(books: Books, number: int) -> Record:
    """Of the invoice with the same number; without one, money on account."""
    dice = books.dice("payments", number)
    made = books.stem("payments", number) | {
        "CustomerRef": party_ref(books, "customers", dice.below(1 << 30)),
        "TxnDate": on(books.updated_at("payments", number).date()),
        "CurrencyRef": lists.currency(books.currency),
        "DepositToAccountRef": lists.account_ref(lists.UNDEPOSITED),
        "PaymentMethodRef": lists.payment_method_ref(dice.below(max(1, books.count("payment_methods")))),
        "PaymentRefNum": str(7000 + number),
        "TotalAmt": Decimal(100 + dice.below(100_000)).scaleb(-2),
        "ProcessPayment": False,
        "Line": [],
    }
    if number >= books.count("invoices"):
        return made | {"UnappliedAmt": made["TotalAmt"]}
    _, customer, sums = _sale(books, number)
    paid = _share(books, number, sums.total)
    line = {"Amount": paid, "LinkedTxn": [_linked("invoices", "Invoice", number)]}
    return made | {"CustomerRef": customer, "TotalAmt": paid, "UnappliedAmt": _ZERO, "Line": [line]}


def _sale(books: Books, number: int) -> tuple[Dice, Record, _Sums]:
    dice = books.dice("invoices", number)
    customer = party_ref(books, "customers", dice.below(1 << 30))
    return dice, customer, _sums(books, dice, "sale")


def _paid(books: Books, number: int, total: Decimal) -> Decimal:
    return _share(books, number, total) if number < books.count("payments") else _ZERO


def _share(books: Books, number: int, total: Decimal) -> Decimal:
    """All of it, or half."""
    whole = books.dice("paid", number).chance(75)
    return total if whole else (total / 2).quantize(CENT, ROUND_HALF_UP)


def _linked(dataset: Dataset, type_: str, number: int) -> Record:
    return {"TxnId": id_of(dataset, number), "TxnType": type_}


def _day(books: Books, dataset: str, number: int, dice: Dice) -> date:
    return books.updated_at(dataset, number).date() - timedelta(days=dice.below(30))


def _currency(books: Books, dice: Dice) -> Record:
    foreign = dice.pick(sorted(_FOREIGN)) if dice.chance(6) else books.currency
    rate = {} if foreign == books.currency else {"ExchangeRate": _FOREIGN[foreign]}
    return {"CurrencyRef": lists.currency(foreign), **rate}


def _placed(books: Books, dice: Dice) -> Record:
    count = books.count("departments")
    return {"DepartmentRef": lists.department_ref(dice.below(count))} if count and dice.chance(30) else {}


def _sums(books: Books, dice: Dice, side: str) -> _Sums:
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
    net = sum((line["Amount"] for line in lines), _ZERO)
    detail: Record = {"TotalTax": sum(owed.values(), _ZERO)}
    if taxed:
        detail["TaxLine"] = [_tax_line(rate, owed[rate], taxed[rate]) for rate in taxed]
    return _Sums(lines=lines, basis=basis, net=net, detail=detail)


def _line(
    books: Books, dice: Dice, side: str, basis: str | None
) -> tuple[Record, taxes.Rate | None, Decimal]:
    """A line without its number, the rate that applies to it, and the tax."""
    quantity, unit = Decimal(1 + dice.below(12)), Decimal(100 + dice.below(90_000)).scaleb(-2)
    code, rate = _code(books, dice, side, basis)
    given = (quantity * unit).quantize(CENT, ROUND_HALF_UP)
    percent = rate.percent if rate else _ZERO
    base = 100 + percent if basis == "TaxInclusive" else Decimal(100)
    tax = (given * percent / base).quantize(CENT, ROUND_HALF_UP)
    amount = given - tax if basis == "TaxInclusive" else given
    detail: Record = {"TaxCodeRef": {"value": code}} if code else {}
    if basis == "TaxInclusive":
        detail["TaxInclusiveAmt"] = given
    if books.count("classes") and dice.chance(40):
        detail["ClassRef"] = lists.class_ref(dice.below(books.count("classes")))
    fitting = lists.accounts_for(side, books.count("accounts"))
    account = {} if not fitting else lists.account_ref(dice.pick(fitting))
    kind = "AccountBasedExpenseLineDetail" if side == "purchase" else "SalesItemLineDetail"
    if side == "purchase":
        detail |= {"AccountRef": account, "BillableStatus": "NotBillable"}
    else:
        item = {"value": "1", "name": "Services"}
        detail |= {
            "ItemRef": item,
            "ItemAccountRef": account,
            "Qty": quantity,
            "UnitPrice": amount / quantity,
        }
        detail["UnitPrice"] = detail["UnitPrice"].quantize(Decimal("0.0000001"))
    made = {"Description": dice.pick(_GOODS), "Amount": amount, "DetailType": kind, kind: detail}
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
