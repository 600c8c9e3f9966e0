"""Tax codes with what their rates charge, and whom taxes are declared to.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxcode
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxagency
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tieline.canonical import TaxAgency, TaxComponent, TaxRate
from tieline_quickbooks.mapping.exact import added
from tieline_quickbooks.wire import Entry, amount, flag, is_active, part, parts, ref, text

_TAX_LISTS = ("SalesTaxRateList", "PurchaseTaxRateList")


def tax_code(id: str, entry: Entry, rates: Mapping[str, Entry]) -> TaxRate:
    """What a line names: a code, made of the rates of its sales and purchase sides.

    A rate that stands on both sides is one component; `percent` is known where all of its rates are.
    """
    sides = [part(entry, field) or {} for field in _TAX_LISTS]
    listed = dict.fromkeys(
        rate for side in sides for one in parts(side, "TaxRateDetail") if (rate := ref(one, "TaxRateRef"))
    )
    found = {rate: rates.get(rate, {}) for rate in listed}
    components = tuple(
        TaxComponent(
            name=text(rate, "Name"),
            percent=amount(rate, "RateValue"),
            is_compound=False,
            is_recoverable=True,
        )
        for rate in found.values()
    )
    return TaxRate(
        id=id,
        code=id,
        name=text(entry, "Name"),
        percent=_percent(sides, rates),
        applies_to=(),
        report_code=None,
        components=components,
        status=text(entry, "status"),
        active=is_active(entry) and not flag(entry, "Hidden"),
    )


def tax_agency(id: str, entry: Entry) -> TaxAgency:
    return TaxAgency(
        id=id,
        name=text(entry, "DisplayName"),
        registration_number=text(entry, "TaxRegistrationNumber"),
        tracks_sales=flag(entry, "TaxTrackedOnSales"),
        tracks_purchases=flag(entry, "TaxTrackedOnPurchases"),
        status=text(entry, "status"),
        active=is_active(entry),
    )


def _percent(sides: list[Entry], rates: Mapping[str, Entry]) -> Decimal | None:
    """What the first side that has rates charges in all; None where one of them is not known."""
    for side in sides:
        charged = [
            amount(rates.get(ref(one, "TaxRateRef") or "", {}), "RateValue")
            for one in parts(side, "TaxRateDetail")
        ]
        if charged:
            known = [percent for percent in charged if percent is not None]
            return added(known) if len(known) == len(charged) else None
    return None
