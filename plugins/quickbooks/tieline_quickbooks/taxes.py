"""Tax codes with their rates, in one page: a code alone does not say what it charges.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxcode
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tieline_quickbooks.asking import Company
from tieline_quickbooks.mapping import Noun, Sorted, sorted_out, tax_code
from tieline_quickbooks.places import PAGE_SIZE
from tieline_quickbooks.wire import text


async def tax_rates_of(company: Company) -> Sequence[Sorted]:
    """One record for each code."""
    rates = {text(one, "Id") or "": one for one in await _all(company, "TaxRate")}
    noun = Noun(entity="TaxCode", dataset="tax_rates", mapped=partial(tax_code, rates=rates))
    return [sorted_out(noun, one) for one in await _all(company, "TaxCode")]


async def _all(company: Company, entity: str) -> list[Any]:
    """By id, so that editing one moves none; pages overlap by one, and nothing of these is ever deleted."""
    found: dict[str, Any] = {}
    position = 1
    while True:
        elements = await company.page(entity, position=position)
        found |= {str(one.get("Id")): one for one in elements if isinstance(one, dict)}
        if len(elements) < PAGE_SIZE:
            return list(found.values())
        position += PAGE_SIZE - 1
