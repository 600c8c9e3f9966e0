"""Tax codes with their rates, and tax agencies, in one page: a code alone does not say what it charges.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxcode
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tieline_quickbooks.asking import Company
from tieline_quickbooks.mapping import Noun, Sorted, sorted_out, tax_agency, tax_code
from tieline_quickbooks.places import PAGE_SIZE
from tieline_quickbooks.wire import text

_AGENCIES = Noun(entity="TaxAgency", dataset="tax_agencies", mapped=tax_agency)


async def taxes_of(company: Company) -> Sequence[Sorted]:
    """One record for each code, and one for each agency."""
    rates = {text(one, "Id") or "": one for one in await _all(company, "TaxRate")}
    codes = Noun(entity="TaxCode", dataset="tax_rates", mapped=partial(tax_code, rates=rates))
    found = [sorted_out(codes, one) for one in await _all(company, "TaxCode")]
    agencies = await _all(company, "TaxAgency", has_inactive=False)
    return found + [sorted_out(_AGENCIES, one) for one in agencies]


async def _all(company: Company, entity: str, *, has_inactive: bool = True) -> list[Any]:
    """By id, so that editing one moves none; pages overlap by one, and nothing of these is ever deleted."""
    found: dict[str, Any] = {}
    position = 1
    while True:
        elements = await company.page(entity, position=position, has_inactive=has_inactive)
        found |= {str(one.get("Id")): one for one in elements if isinstance(one, dict)}
        if len(elements) < PAGE_SIZE:
            return list(found.values())
        position += PAGE_SIZE - 1
