"""Batches: several queries in one call, each with an answer of its own."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.quickbooks.intuit import CLIENT_ID, Books, bearer

TERMS, CLASSES = (
    {"bId": "terms", "Query": "SELECT * FROM Term"},
    {"bId": "classes", "Query": "SELECT * FROM Class"},
)


async def test_each_item_is_answered_under_its_own_id_in_another_order(books: Books) -> None:
    wrong = {"bId": "wrong", "Query": "SELECT * FROM Elephant"}
    made = {"bId": "made", "operation": "create", "Vendor": {"DisplayName": "New"}}

    answer = await batch(books, TERMS, wrong, CLASSES, made)

    told = {item["bId"]: item for item in answer.json()["BatchItemResponse"]}
    assert answer.status_code == 200
    assert list(told) == ["made", "classes", "wrong", "terms"]
    assert told["terms"]["QueryResponse"] == await books.query("SELECT * FROM Term")
    assert [told[id_]["Fault"]["Error"][0]["code"] for id_ in ("wrong", "made")] == ["4000", "500"]


async def test_each_query_of_a_batch_is_metered(books: Books) -> None:
    before = await metered(books)

    await batch(books, TERMS, CLASSES, {"bId": "wrong", "Query": "nonsense"})

    assert await metered(books) - before == 2


@pytest.mark.parametrize(
    "items",
    [[], [{"Query": "SELECT * FROM Term"}], [TERMS, TERMS], [TERMS | {"bId": str(n)} for n in range(31)]],
)
async def test_a_batch_of_nothing_too_much_or_one_name_twice_is_refused(
    books: Books, items: list[dict[str, Any]]
) -> None:
    answer = await batch(books, *items)

    assert (answer.status_code, answer.json()["Fault"]["type"]) == (400, "ValidationFault")


async def test_batches_have_a_minute_of_their_own(books: Books) -> None:
    await books.intuit.control("PUT", "/limits", {"batch": 2})

    answers = [await batch(books, TERMS) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert "ThrottleExceeded" in answers[2].text
    assert (await books.ask("SELECT * FROM Term")).status_code == 200
    counted = (await books.intuit.control("GET", "/counters"))["companies"][books.realm]
    assert counted["throttled"] == {"batch": 1}
    await books.intuit.advance(seconds=60)
    assert (await batch(books, TERMS)).status_code == 200


async def batch(books: Books, *items: dict[str, Any]) -> httpx.Response:
    path = f"/quickbooks/v3/company/{books.realm}/batch"
    body = {"BatchItemRequest": items}
    return await books.intuit.http.post(path, json=body, headers=bearer(books.access_token))


async def metered(books: Books) -> int:
    counters = await books.intuit.control("GET", "/counters")
    count: int = counters["metered_reads"].get(CLIENT_ID, 0)
    return count
