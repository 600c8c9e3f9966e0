"""Every row of the providers' error tables means what it should."""

from __future__ import annotations

import pytest

from tests.plugins import quickbooks_fault_rows, xero_fault_rows
from tests.support.faults import Row
from tieline.plugins import Provider
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

ROWS: list[tuple[Provider, Row]] = [
    *((Xero(), row) for row in xero_fault_rows.ROWS),
    *((QuickBooks(), row) for row in quickbooks_fault_rows.ROWS),
]


@pytest.mark.parametrize(
    ("provider", "row"), ROWS, ids=[f"{provider.info.slug} {row.name}" for provider, row in ROWS]
)
def test_each_answer_has_its_meaning(provider: Provider, row: Row) -> None:
    assert provider.classify(row.response) == row.fault
