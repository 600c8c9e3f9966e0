"""What is settled about a connection over HTTP is what the worker reads at the provider from then on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.deployment import Gateway
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.syncing import Connected, connected, until_over

_VALUES = "settings { setting { name kind } value isDefault record { name active } }"
UPDATE = f"""mutation($input: UpdateSettingsInput!) {{ updateSettings(input: $input) {{
  connection {{ {_VALUES} lastRun {{ id trigger feeds {{ feed }} }} }} errors {{ code field message }} }} }}"""
DECLARED = """query($product: Product!) { providers { slug connectionSettings(product: $product) {
  name kind label meaning default choices { value label } dataset products } } }"""


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox) as made:
        yield made


async def settle(client: Connected, **values: str | None) -> dict[str, Any]:
    settings = [{"name": name, "value": value} for name, value in values.items()]
    given = {"connectionId": client.connection_id, "settings": settings}
    payload: dict[str, Any] = (await client.admin.ask(UPDATE, input=given))["updateSettings"]
    return payload


async def read_at_provider(client: Connected) -> set[str]:
    """The last word of each path that was asked of the provider so far."""
    entries = await client.trip.sandbox.log(client.trip.app)
    return {entry["path"].rpartition("/")[2] for entry in entries}


async def test_what_is_switched_off_the_worker_leaves_alone_until_it_is_switched_on(
    client: Connected, gateway: Gateway, start: Callable[..., Any]
) -> None:
    off = await settle(client, read_items="false", read_journals="false")
    start("worker")
    start("scheduler")
    async with caller_at(gateway.socket, client.admin.key) as socket:
        await until_over(socket, client.run["id"])
        before = await read_at_provider(client)
        unread = [len(await client.ledger.listed(each)) for each in ("ledgerItems", "journals", "accounts")]
        on = await settle(client, read_items=None)
        await until_over(socket, on["connection"]["lastRun"]["id"])

    after = await read_at_provider(client)
    read = [len(await client.ledger.listed(each)) for each in ("ledgerItems", "journals")]
    assert off["errors"] == []
    assert {each["setting"]["name"]: (each["value"], each["isDefault"]) for each in _settings(off)} == {
        "read_items": ("false", False),
        "read_journals": ("false", False),
    }
    assert off["connection"]["lastRun"]["id"] == client.run["id"]
    assert not {"items", "journals"} & {each["feed"] for each in off["connection"]["lastRun"]["feeds"]}
    assert not {"Items", "ManualJournals"} & before
    assert unread[:2] == [0, 0]
    assert unread[2] > 0
    assert on["connection"]["lastRun"]["trigger"] == "SETTINGS"
    assert ("Items" in after, "ManualJournals" in after) == (True, False)
    assert (read[0] > 0, read[1]) == (True, 0)


async def test_what_providers_declare_is_shown_and_what_does_not_fit_is_refused_by_its_place(
    client: Connected,
) -> None:
    declared = (await client.admin.ask(DECLARED, product="BOOKKEEPING"))["providers"]
    refused = await settle(client, read_items="perhaps", bill_status="DRAFT")

    by_slug = {each["slug"]: {one["name"]: one for one in each["connectionSettings"]} for each in declared}
    assert set(by_slug["xero"]) == {"read_items", "bill_status", "purchase_account"}
    assert set(by_slug["quickbooks"]) == {"read_tax_rates", "bill_amounts", "purchase_account"}
    assert by_slug["xero"]["purchase_account"] | {"label": "", "meaning": ""} == {
        "name": "purchase_account",
        "kind": "RECORD",
        "label": "",
        "meaning": "",
        "default": None,
        "choices": [],
        "dataset": "accounts",
        "products": ["BOOKKEEPING"],
    }
    assert [each["value"] for each in by_slug["xero"]["bill_status"]["choices"]] == [
        "DRAFT",
        "SUBMITTED",
        "AUTHORISED",
    ]
    assert refused["connection"] is None
    assert [(error["code"], error["field"]) for error in refused["errors"]] == [
        ("INVALID", "input.settings.0.value"),
        ("INVALID", "input.settings.1.name"),
    ]


def _settings(payload: dict[str, Any]) -> list[dict[str, Any]]:
    settings: list[dict[str, Any]] = payload["connection"]["settings"]
    return settings
