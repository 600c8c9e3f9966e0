"""The process: how it starts and ends, and what it remembers."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from tests.sandbox.conftest import Running, started
from tests.sandbox.xero import Xero
from tests.support.polling import until


async def test_it_says_what_to_log_in_with(sandbox: Running) -> None:
    said = sandbox.logged()

    assert sandbox.url in said
    assert "sandbox-xero-secret" in said
    assert "alex.morgan@demo.invalid" in said
    assert said.rstrip().endswith("sandbox.ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, number: int) -> None:
    with started(tmp_path / "log") as running:
        assert running.stop(number) == 0


async def test_a_slow_answer_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with started(tmp_path / "log") as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=30) as http:
            xero = Xero(http=http)
            await xero.plant("slow", seconds=60)
            waiting = asyncio.create_task(http.get("/xero/connections"))

            async def has_come() -> bool:
                return len(await xero.log()) == 1

            await until(has_come, "the call has come")

            assert await asyncio.to_thread(running.stop) == 0
            assert (await waiting).status_code == 401


async def test_what_was_granted_survives_a_crash(tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "state.json"))
    with started(tmp_path / "one", *options) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=30) as http:
            xero = Xero(http=http)
            await xero.configure()
            person = await xero.populate(organisations=2)
            await xero.control("POST", "/clock", {"advance_seconds": 3600})
            pair = await xero.connect(person, person.tenants[0])
            code = await xero.code(person, person.tenants[1])
            edit = {"dataset": "invoices", "create": {"Total": 0.1, "InvoiceNumber": "kept"}}
            await xero.control("POST", f"/organisations/{person.tenants[0]}/records", edit)
        running.popen.kill()
        running.popen.wait()
        port = int(running.url.rpartition(":")[2])
        with started(tmp_path / "two", *options, port=port) as again:
            async with httpx.AsyncClient(base_url=again.url, timeout=30) as http:
                xero = Xero(http=http)

                assert (await xero.read(pair["access_token"], person.tenants[0])).status_code == 200
                books = (await xero.http.get(f"/_control/organisations/{person.tenants[0]}/books")).json()
                assert (books["invoices"][-1]["InvoiceNumber"], books["invoices"][-1]["Total"]) == (
                    "kept",
                    0.1,
                )
                assert (await xero.refresh(pair["refresh_token"])).status_code == 200
                assert (await xero.exchange(code)).status_code == 200
                assert 3500 < (await xero.control("GET", "/clock"))["offset_seconds"] < 3700


async def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"version": 1}')

    with (
        pytest.raises(AssertionError, match="not a state of the sandbox"),
        started(tmp_path / "log", "--state", str(file)),
    ):
        pass


async def test_two_runs_hold_the_same_organisations(xero: Xero) -> None:
    first = await xero.populate(organisations=3, seed="same", prefix="Test")
    await xero.control("POST", "/reset")

    second = await xero.populate(organisations=3, seed="same", prefix="Test")

    assert first == second
    assert first.names == ["Test Ashford Bakery Ltd", "Test Ashford Joinery Ltd", "Test Ashford Bicycles Ltd"]


async def test_an_organisation_can_be_made_and_changed(xero: Xero) -> None:
    id_ = "7d0ad53d-613d-4eb2-a2fc-dcb6adb80b80"

    made = await xero.control(
        "PUT", f"/organisations/{id_}", {"name": "Kelso Wines Pty Ltd", "country": "AU"}
    )
    changed = await xero.control("PUT", f"/organisations/{id_}", {"status": "INACTIVE"})

    assert (made["legal_name"], made["currency"], made["version"]) == ("Kelso Wines Pty Limited", "AUD", "AU")
    assert changed == made | {"status": "INACTIVE"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/organisations/not-a-uuid", {}),
        ("PUT", "/users/7d0ad53d-613d-4eb2-a2fc-dcb6adb80b80", {"organisations": ["nobody"]}),
        ("PUT", "/apps/x", {"teir": "core"}),
        ("POST", "/clock", {}),
        ("PUT", "/limits", {"minute": "many"}),
    ],
)
async def test_control_refuses_what_it_does_not_understand(
    xero: Xero, method: str, path: str, body: object
) -> None:
    answer = await xero.http.request(method, f"/_control{path}", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]
