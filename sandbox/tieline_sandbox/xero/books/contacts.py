"""Who an organisation trades with: even numbers are suppliers, odd ones customers, the last tenth neither yet."""

from __future__ import annotations

from typing import Any

from tieline_sandbox.books.values import Record
from tieline_sandbox.names import FAMILY_NAMES, GIVEN_NAMES, TOWNS, TRADES
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.wire import ms_date

_PHONES = ("DDI", "DEFAULT", "FAX", "MOBILE")


def contact_name(ledger: Ledger, number: int) -> str:
    """No two contacts of an organisation share one."""
    lap, place = divmod(number, len(FAMILY_NAMES) ** 2 * len(TRADES))
    place = (place + Dice("contacts", ledger.seed).below(10_000)) % (len(FAMILY_NAMES) ** 2 * len(TRADES))
    pair, trade = divmod(place, len(TRADES))
    first, second = divmod(pair, len(FAMILY_NAMES))
    name = f"{FAMILY_NAMES[first]} & {FAMILY_NAMES[second]} {TRADES[trade]}"
    return f"{name} {lap + 1}" if lap else name


def party(ledger: Ledger, side: str, throw: int) -> Record:
    """The contact of a document, as documents show it."""
    pairs = _traders(ledger) // 2
    number = throw % pairs * 2 + (side == "sale")
    return {
        "ContactID": ledger.id_of("contacts", number),
        "Name": contact_name(ledger, number),
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def contact(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("contacts", number)
    trades = number < _traders(ledger)
    first, last, town = dice.pick(GIVEN_NAMES), dice.pick(FAMILY_NAMES), dice.pick(TOWNS)
    made: Record = {
        "ContactID": ledger.id_of("contacts", number),
        "ContactStatus": "ARCHIVED" if dice.chance(6) else "ACTIVE",
        "Name": contact_name(ledger, number),
        "FirstName": first,
        "LastName": last,
        "EmailAddress": f"{first}.{last}.{number}@example.invalid".lower() if dice.chance(80) else "",
        "BankAccountDetails": "",
        "Addresses": _addresses(dice, town, ledger.country),
        "Phones": [_phone(dice, kind) for kind in _PHONES],
        "UpdatedDateUTC": ms_date(ledger.updated_at("contacts", number)),
        "ContactGroups": [],
        "IsSupplier": trades and number % 2 == 0,
        "IsCustomer": trades and number % 2 == 1,
        "ContactPersons": [],
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    if dice.chance(30):
        made["ContactNumber"] = f"C{number:06}"
    if dice.chance(40):
        made["DefaultCurrency"] = ledger.currency
    if made["IsSupplier"] and dice.chance(50):
        made |= {"PurchasesDefaultAccountCode": "429", "AccountsPayableTaxType": "INPUT2"}
    return made


def _traders(ledger: Ledger) -> int:
    """How many there are that documents are written with."""
    count = ledger.count("contacts")
    return max(2, count - count // 10)


def _addresses(dice: Dice, town: str, country: str) -> list[dict[str, Any]]:
    street = f"{1 + dice.below(200)} {dice.pick(FAMILY_NAMES)} Street"
    place = {"City": town, "Region": "", "PostalCode": f"{1000 + dice.below(9000)}", "Country": country}
    return [
        {"AddressType": "STREET", **dict.fromkeys(place, "")},
        {"AddressType": "POBOX", "AddressLine1": street} | place,
    ]


def _phone(dice: Dice, kind: str) -> dict[str, str]:
    has_one = kind == "DEFAULT" and dice.chance(70)
    number = f"{100 + dice.below(900)} {1000 + dice.below(9000)}" if has_one else ""
    return {
        "PhoneType": kind,
        "PhoneNumber": number,
        "PhoneAreaCode": "020" if has_one else "",
        "PhoneCountryCode": "",
    }
