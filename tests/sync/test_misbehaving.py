"""A plugin that does what it may not: the run fails with its name and a sentence, and nothing is lost."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any

import pytest

from tests.sync.scripted import Reading, Script, for_ever, page, quick_pages, record
from tieline.plugins import Page, SetAside
from tieline.sync.runs import RunState


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({None: ValueError("secret")}, "The plugin pretend failed with ValueError."),
        ({None: SystemExit("secret")}, "The plugin pretend failed with SystemExit."),
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
