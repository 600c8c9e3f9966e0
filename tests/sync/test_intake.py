"""A plugin's page before it is stored: what cannot be kept is set aside, what comes twice is one."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sync.scripted import ACCOUNTS, Reading, Script, page, record
from tieline.ledger.records import Row
from tieline.plugins import Record, SetAside
from tieline.sync import intake
from tieline.sync.intake import PageTooLarge, take_in

NUL = "\x00"
DEEP: Any = {}
for _ in range(3_000):
    DEEP = {"a": DEEP}


def row_of(given: Record) -> Row:
    [row] = take_in(page(given), ACCOUNTS).rows
    return row


@pytest.mark.parametrize(
    "bad",
    [
        record(""),
        record("x" * 201),
        record(f"a{NUL}"),
        record("\ud800"),
        record(7),  # type: ignore[arg-type]
        record("a", name=f"a{NUL}"),
        record("a", name=7),
        record("a", code="\udfff"),
        record("a", active=None),
        record("a", updated_at=datetime(2026, 5, 4)),  # noqa: DTZ001 - the point of it
        record("a", updated_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
        record("a", updated_at="today"),
        record("a", data=["list"]),
        record("a", data={"x": math.nan}),
        record("a", data={"x": math.inf}),
        record("a", data={"x": f"{NUL}"}),
        record("a", data={f"x\\{NUL}": 1}),
        record("a", data={"x": "\ud800"}),
        record("a", data={"x": object()}),
        record("a", data={"x": 10**5_000}),
        record("a", data=DEEP),
    ],
)
async def test_one_bad_record_is_set_aside_and_the_page_goes_on(
    client: Reading, script: Script, bad: Record
) -> None:
    script.answers["accounts", None] = page(record("good"), bad, record("b"), cursor="1", last=True)

    await client.slice()

    assert await client.ids() == ["b", "good"]
    [(dataset, external_id)] = await client.aside()
    assert dataset == "accounts"
    assert len(external_id) <= 200
    run = await client.run()
    assert (run.feeds[0].records, run.feeds[0].changed, run.feeds[0].done) == (3, 2, True)


@pytest.mark.parametrize(
    "odd",
    [
        record("x" * 200, name="\U0001f600" * 400, code="c" * 5_000),
        record("a", data={"x": "\\u0000", "\\": "\\\\u0000"}),
        record("a", data={"x": 10**400, "y": 1.5, "z": "\U0001f600", "": None}),
        record("a", data={"dated_on": 7}),
        record("a", data={"dated_on": "2026" * 500}),
        record("a", updated_at=datetime(9999, 12, 31, tzinfo=UTC)),
        record("a", name=None),
    ],
)
async def test_what_is_odd_but_fits_is_kept(client: Reading, script: Script, odd: Record) -> None:
    script.answers["accounts", None] = page(odd, cursor="1", last=True)

    await client.slice()

    assert await client.aside() == {}
    [(key, kept)] = (await client.records()).items()
    assert key == ("accounts", odd.external_id)
    assert (kept["name"], kept["code"], kept["data"]) == (odd.name, odd.code, odd.data)


def test_the_same_record_has_the_same_hash_and_any_other_has_not() -> None:
    one = record("a", data={"x": 1, "y": "2"}, updated_at=datetime(2026, 5, 4, tzinfo=UTC))
    others = [
        replace(one, name="B"),
        replace(one, code="B"),
        replace(one, active=False),
        replace(one, updated_at=datetime(2026, 5, 5, tzinfo=UTC)),
        replace(one, data={"x": "1", "y": "2"}),
    ]

    assert row_of(one).hash == row_of(replace(one, data={"y": "2", "x": 1})).hash
    assert len({row_of(each).hash for each in (one, *others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (record("a", name="Éclair & Co"), "eclair & co"),
        (record("a", name=None, code="400"), "400"),
        (record("a", name=None), ""),
        (record("a", data={"dated_on": "2026-05-04"}), "2026-05-04"),
        (record("a", data={"dated_on": None}), ""),
    ],
)
def test_documents_sort_by_their_date_and_everything_else_by_its_name(given: Record, key: str) -> None:
    assert row_of(given).sort_key == key


def test_of_records_that_come_twice_the_last_counts_and_what_is_gone_is_gone() -> None:
    bad = record("bad", name="\x00")
    taken = take_in(
        page(
            record("a", name="one"),
            record("a", name="two"),
            record("gone"),
            bad,
            replace(bad, name="good"),
            record("mended"),
            gone=[("accounts", "gone"), ("accounts", "gone"), ("accounts", "\x00")],
            set_aside=[
                SetAside(dataset="accounts", external_id="mended", why="It was bad."),
                SetAside(dataset="accounts", external_id="x" * 300, why="y" * 900),
            ],
        ),
        ACCOUNTS,
    )

    assert {row.external_id: row.name for row in taken.rows} == {
        "a": "two",
        "bad": "good",
        "mended": "Name mended",
    }
    assert taken.gone == (("accounts", "gone"),)
    [(key, why)] = taken.set_aside.items()
    assert (len(key[1]), len(why)) == (191, 500)
    assert taken.seen == 8


def test_a_page_that_is_too_large_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_BYTES", 1_000)
    monkeypatch.setattr(intake, "MAX_RECORD_BYTES", 600)
    large = [record(each, data={"x": "é" * 250}) for each in "ab"]

    with pytest.raises(PageTooLarge, match="1,000 bytes"):
        take_in(page(*large), ACCOUNTS)
    assert take_in(page(record("a", data={"x": "é" * 300})), ACCOUNTS).rows == ()
