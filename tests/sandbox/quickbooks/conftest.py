"""The pretended Intuit, as it is at its beginning."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.quickbooks.intuit import Books, Intuit, Person


@pytest.fixture
async def intuit(sandbox: Running) -> AsyncIterator[Intuit]:
    """With an app that has an address to return to."""
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=30) as http:
        made = Intuit(http=http)
        await made.shared("POST", "/reset")
        await made.configure()
        yield made


@pytest.fixture
async def person(intuit: Intuit) -> Person:
    """Somebody with three companies."""
    return await intuit.populate(companies=3)


@pytest.fixture
async def books(intuit: Intuit) -> Books:
    """Books of 230 bills, without a limit on calls."""
    await intuit.control("PUT", "/limits", {"second": None, "minute": None})
    person = await intuit.populate(companies=1, seed="books", records={"bills": 230, "vendors": 110})
    pair = await intuit.connect(person)
    return Books(intuit=intuit, realm=person.realms[0], access_token=pair["access_token"])
