"""Tax codes, the rates that they stand for, and whom taxes are declared to.

In the United States only `TAX` and `NON` stand on lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books.ledger import Books, id_of, number_of
from tieline_sandbox.quickbooks.wire import instant

_STANDARD = {"GB": (20, "VAT"), "IE": (23, "VAT"), "AU": (10, "GST"), "NZ": (15, "GST"), "CA": (5, "GST")}
_AGENCIES = {
    "US": "Arizona Dept. of Revenue",
    "GB": "HM Revenue & Customs (VAT)",
    "IE": "Revenue Commissioners",
    "AU": "Australian Taxation Office",
    "NZ": "Inland Revenue Department",
    "CA": "Canada Revenue Agency",
}
_WORDS = ("TAX", "NON")  # the ids of the two codes that every company in the United States has


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One rate for sales and purchases alike; `number` is the record's."""

    number: int
    name: str
    percent: Decimal


def rates(books: Books) -> tuple[Rate, ...]:
    """The usual ones of the country, then the company's own."""
    percent, word = _STANDARD.get(books.country, (8, "Sales Tax"))
    usual = ((f"{word} {percent}%", percent), (f"{word} 5%", 5), (f"{word} 0%", 0), (f"{word} exempt", 0))
    own = ((f"Own rate {n}", n % 25) for n in range(4, books.count("tax_rates") + 1))
    everything = (*usual, *own)[: books.count("tax_rates")]
    return tuple(Rate(number=n, name=name, percent=Decimal(p)) for n, (name, p) in enumerate(everything))


def tax_rate(books: Books, number: int) -> Record:
    known = rates(books)
    rate = known[number] if number < len(known) else Rate(number=number, name="New rate", percent=Decimal(0))
    stem = books.stem("tax_rates", number)
    since = instant(books.updated_at("tax_rates", 0))
    return stem | {
        "Name": rate.name,
        "Description": rate.name,
        "Active": True,
        "RateValue": rate.percent,
        "AgencyRef": {"value": id_of("tax_agencies", 0)},
        "SpecialTaxType": "NONE" if rate.percent else "ZERO_RATE",
        "DisplayType": "ReadOnly",
        "EffectiveTaxRate": [{"RateValue": rate.percent, "EffectiveDate": since}],
    }


def tax_code(books: Books, number: int) -> Record:
    stem = books.stem("tax_codes", number, tax_code_id(books, number))
    if _is_word(books, number):
        word = _WORDS[number]
        said = {"Name": word, "Description": word.title(), "Active": True, "Hidden": False}
        return stem | said | {"Taxable": word == "TAX", "TaxGroup": False}
    rate = rate_of(books, number)
    name = rate.name if rate else f"Code {number}"
    listed: Record = {"TaxRateDetail": []}
    if rate:
        ref = {"value": id_of("tax_rates", rate.number), "name": rate.name}
        listed["TaxRateDetail"] = [{"TaxRateRef": ref, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}]
    return stem | {
        "Name": name,
        "Description": name,
        "Active": True,
        "Hidden": False,
        "Taxable": bool(rate and rate.percent),
        "TaxGroup": True,
        "SalesTaxRateList": listed,
        "PurchaseTaxRateList": {"TaxRateDetail": []} if books.country == "US" else listed,
    }


def tax_agency(books: Books, number: int) -> Record:
    """It has no word on whether it is in use."""
    usual = _AGENCIES.get(books.country, "Revenue Service")
    made = books.stem("tax_agencies", number) | {
        "DisplayName": f"{usual} {number + 1}" if number else usual,
        "TaxTrackedOnSales": True,
        "TaxTrackedOnPurchases": books.country != "US",
    }
    if books.country != "US":
        made["TaxRegistrationNumber"] = (
            f"{100_000_000 + books.dice('tax_agencies', number).below(900_000_000)}"
        )
    return made


def tax_code_id(books: Books, number: int) -> str:
    return _WORDS[number] if _is_word(books, number) else id_of("tax_codes", number)


def tax_code_number(books: Books, id_: str) -> int | None:
    if books.country == "US" and id_ in _WORDS:
        return _WORDS.index(id_)
    number = number_of("tax_codes", id_)
    return None if number is None or _is_word(books, number) else number


def rate_of(books: Books, code: int) -> Rate | None:
    """The rate that a code stands for."""
    known, place = rates(books), code - len(_WORDS) if books.country == "US" else code
    return known[place] if 0 <= place < len(known) else None


def _is_word(books: Books, number: int) -> bool:
    return books.country == "US" and number < len(_WORDS)
