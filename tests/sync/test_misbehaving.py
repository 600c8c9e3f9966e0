"""A plugin that does what it may not: the run fails with its name and a sentence, and nothing is lost."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.sync.scripted import Reading, Script, for_ever, page, quick_pages, record
from tieline.plugins import Feed, Page, Record, Session, SetAside
from tieline.sync.runs import RunState


def endless() -> Iterator[Record]:
    return map(record, map(str, count()))


def breaking(error: type[BaseException]) -> Iterator[Record]:
    yield record("a")
    raise error("secret")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({None: ValueError("secret")}, "The plugin pretend failed with ValueError."),
        ({None: SystemExit("secret")}, "The plugin pretend failed with SystemExit."),
        ({None: KeyboardInterrupt("secret")}, "The plugin pretend failed with KeyboardInterrupt."),
        ({None: CancelledError("secret")}, "The plugin pretend cancelled itself."),
        ({None: page(cursor="1"), "1": page(cursor="1", last=False)}, "goes round in circles"),
        ({None: page(cursor=None, last=False)}, "goes round in circles"),
        (
            {
                None: page(record("a"), cursor="1"),
                "1": page(record("b"), cursor="2"),
                "2": page(record("c"), cursor="1"),
            },
            "goes round in circles",
        ),
        ({None: page(record("a", "unheard"))}, "a dataset that its feed 'accounts' does not have"),
        ({None: page(gone=[("unheard", "a")])}, "a dataset that its feed 'accounts' does not have"),
        (
            {None: page(set_aside=[SetAside(dataset="unheard", external_id="", why="")])},
            "a dataset that its feed 'accounts' does not have",
        ),
        ({None: page(*[record(str(each)) for each in range(5_001)])}, "more than 5000 records"),
        ({None: page(*["record"])}, "no Record"),  # type: ignore[arg-type]
        ({None: replace(page(), records=endless())}, "more than 5000 records"),  # type: ignore[arg-type]
        ({None: replace(page(), gone=endless())}, "more than 5000 records"),  # type: ignore[arg-type]
        ({None: replace(page(), records=breaking(ValueError))}, "The plugin pretend failed with ValueError."),  # type: ignore[arg-type]
        ({None: replace(page(), records=breaking(SystemExit))}, "The plugin pretend failed with SystemExit."),  # type: ignore[arg-type]
        ({None: replace(page(), records=7)}, "without its Record objects"),  # type: ignore[arg-type]
        ({None: page(cursor="a\x00b")}, "a cursor that cannot be kept"),
        ({None: page(gone=[("accounts",)])}, "no dataset with an id"),  # type: ignore[list-item]
    ],
)
async def test_a_plugin_that_breaks_its_contract_ends_the_run_with_a_sentence(
    client: Reading, script: Script, answers: dict[str | None, Any], sentence: str
) -> None:
    script.answers = {("accounts", cursor): answer for cursor, answer in answers.items()}

    assert await client.slice() is None

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message is not None
    assert sentence in run.message
    assert "secret" not in run.message
    assert script.closed == 1
    assert await client.books.kinds() == ["SYNC_FAILED"]
    assert await client.reason() is None


async def test_a_plugin_that_ends_without_a_last_page_or_gives_no_page_or_hangs_is_told_of(
    client: Reading, script: Script
) -> None:
    async def nothing(*_: Any) -> Any:
        return
        yield

    script.pull = nothing  # type: ignore[assignment, method-assign]
    await client.slice()
    assert "without a last page" in str((await client.run()).message)

    async def text(*_: Any) -> Any:
        yield "page"

    script.pull = text  # type: ignore[assignment]
    assert "no page" in str((await client.again()).message)
    del script.pull
    script.answers["accounts", None] = for_ever
    with quick_pages(0.2):
        assert "took more than" in str((await client.again()).message)
    assert script.closed == 1


async def test_a_plugin_that_yields_without_end_is_stopped_and_what_was_stored_stays(
    client: Reading, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.sync.slices.MAX_PAGES", 5)
    pages: dict[str | None, Page] = {None: page(record("0"), cursor="0")}
    pages |= {str(n): page(record(str(n + 1)), cursor=str(n + 1)) for n in range(20)}
    script.answers = {("accounts", cursor): answer for cursor, answer in pages.items()}

    while await client.slice(seconds=0) is not None:
        pass

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message == "The plugin pretend gave 5 pages of its feed 'accounts' and comes to no end."
    assert await client.ids() == ["0", "1", "2", "3", "4"]
    assert await client.cursors() == {"accounts": "4"}


@pytest.mark.parametrize("answer", [ValueError("secret"), page(cursor="1"), "page"])
async def test_what_came_before_a_plugins_fault_stays_and_the_next_run_goes_on_from_there(
    client: Reading, script: Script, answer: Any
) -> None:
    async def given() -> Any:
        return answer

    said = answer if isinstance(answer, Exception) else given
    script.answers = {("accounts", None): page(record("a"), cursor="1"), ("accounts", "1"): said}

    assert await client.slice() is None

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert str(run.message).startswith("The plugin pretend ")
    assert await client.ids() == ["a"]
    script.answers["accounts", "1"] = page(record("b"), cursor="2", last=True)
    assert (await client.again()).state is RunState.SUCCEEDED
    assert await client.ids() == ["a", "b"]
    assert script.asked.count(("accounts", None)) == 1


async def test_a_plugin_that_swallows_its_cancellation_is_left_and_makes_no_further_call(
    client: Reading, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.plugins.edge.STOP_SECONDS", 0.1)
    left, goes_on = asyncio.Event(), asyncio.Event()
    sessions: list[Session] = []

    async def stubborn(session: Session, _feed: Feed, _cursor: str | None) -> AsyncIterator[Page]:
        sessions.append(session)
        while not left.is_set():
            try:
                await left.wait()
            except CancelledError:
                continue
        goes_on.set()
        await session.get("/accounts")
        yield page()

    script.pull = stubborn  # type: ignore[assignment, method-assign]
    with quick_pages(0.2):
        assert await client.slice() is None

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message == "The plugin pretend took more than 0 seconds for one page."
    left.set()
    await goes_on.wait()
    [session] = sessions
    assert (session.is_calling, session.calls) == (True, 0)
