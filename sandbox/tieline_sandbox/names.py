"""Names of businesses and people that sound real and belong to nobody."""

from __future__ import annotations

from tieline_sandbox.seeds import Dice

TRADES = (
    *("Bakery", "Joinery", "Bicycles", "Bookshop", "Catering", "Dental Care", "Electrical", "Florists"),
    *("Garage", "Hardware", "Interiors", "Landscapes", "Logistics", "Masonry", "Opticians", "Plumbing"),
    *("Press", "Roofing", "Studios", "Timber", "Upholstery", "Veterinary Care", "Wines", "Yachts"),
)
TOWNS = (
    *("Ashford", "Brecon", "Culross", "Dunmore", "Évian", "Fairlie", "Glenrothes", "Harlow", "Ilkley"),
    *("Jarrow", "Kelso", "Larne", "Malvern", "Nairn", "Oakham", "Penrith", "Quorn", "Ripon", "Selby"),
    *("Tavistock", "Ullapool", "Ventnor", "Whitby", "Yeovil"),
)
GIVEN_NAMES = ("Alex", "Bronwen", "Chidi", "Daniela", "Eoin", "Farah", "Greta", "Hamish", "Ines", "Jun")
FAMILY_NAMES = (
    "Morgan",
    "Okafor",
    "Reid",
    "Silva",
    "Tanaka",
    "Ellis",
    "Hughes",
    "Kowalski",
    "Nguyen",
    "Byrne",
)
_FORMS = {"GB": "Ltd", "IE": "Ltd", "NZ": "Ltd", "AU": "Pty Ltd", "US": "Inc"}
_LONG_FORMS = {"Pty Ltd": "Pty Limited", "Ltd": "Limited", "Inc": "Incorporated"}


def business_name(index: int, country: str = "GB") -> str:
    """The same name for the same index; the first ones are those of one town."""
    lap, place = divmod(index, len(TOWNS) * len(TRADES))
    town, trade = divmod(place, len(TRADES))
    form = _FORMS.get(country, "Ltd")
    number = f" No. {lap + 1}" if lap else ""
    return f"{TOWNS[town]} {TRADES[trade]}{number} {form}"


def legal_name(name: str) -> str:
    """The name with its form of company written out."""
    for short, long in _LONG_FORMS.items():
        if name.endswith(f" {short}"):
            return f"{name.removesuffix(short)}{long}"
    return name


def supplier_name(dice: Dice) -> str:
    """The name of somebody an organisation trades with."""
    return f"{dice.pick(FAMILY_NAMES)} & {dice.pick(FAMILY_NAMES)} {dice.pick(TRADES)}"
