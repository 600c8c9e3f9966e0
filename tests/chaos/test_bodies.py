"""Malformed bodies in requests that are malformed, too: each is answered, and none is our fault."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator

from tests.chaos.documents import Writer
from tests.chaos.gauges import at_rest
from tests.chaos.mutating import Mutator
from tests.chaos.portfolio import many
from tests.chaos.requests import Answer, Line, Request, Sender
from tests.chaos.seeds import chance
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.source import ROOT
from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.documents import graphql_schema

BODIES, SOUND, LINES = size(100_000, 2_000), size(2_000, 200), 8
CLIENTS = size(20, 3)
ROW = "Malformed bodies"
CODES = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE))
OURS = {"INTERNAL", "TIMEOUT", "UNAVAILABLE"}


async def test_malformed_bodies_are_answered_and_none_is_an_error_of_ours(
    stand: Stand, figures: Figures
) -> None:
    stand.start(GATEWAY, "serve")
    key = (await many(stand, CLIENTS, seed="bodies")).admin.key
    counts: Counter[str] = Counter()

    async with asyncio.TaskGroup() as group:
        requests = drawn_requests(key)
        for _ in range(LINES):
            group.create_task(send(stand.gateway.port, requests, counts))
    left, _ = await at_rest(stand)

    figures.at_least(f"{ROW}: sent", counts["sent"], BODIES)
    figures.at_least(f"{ROW}: of these, refused with a code", counts["refused"], BODIES // 2)
    figures.at_least(f"{ROW}: and run all the same", counts["run"], BODIES // 20)
    figures.exactly(f"{ROW}: not answered, although their length was right", counts["lost"], 0)
    figures.exactly(f"{ROW}: neither answered nor let go", counts["hung"], 0)
    figures.exactly(f"{ROW}: answered with HTTP 500 or above, or with a code of ours", counts["ours"], 0)
    figures.exactly(f"{ROW}: answered with what is not documented", counts["strange"], 0)
    figures.exactly(f"{ROW}: pooled connections that did not come back", left.taken, 0)
    figures.exactly(f"{ROW}: errors in the gateway's log", stand.loud(), 0)
    figures.hold()


def drawn_requests(key: str) -> Iterator[Request]:
    draws = chance(ROW)
    writer = Writer(graphql_schema(build_schema()), draws, fields=12, in_variables=0.9)
    sender = Sender(Mutator(draws, [writer.sound().body() for _ in range(SOUND)]), key)
    return (sender.request() for _ in range(BODIES))


async def send(port: int, requests: Iterator[Request], counts: Counter[str]) -> None:
    """One line's share of them, one after another."""
    line = Line(port)
    for request in requests:
        answers = await line.send(request)
        counts["sent"] += 1
        if request.answers is not None:
            counts["lost"] += request.answers - len(answers)
        for answer in answers:
            judge(request, answer, counts)
    line.close()
    counts["hung"] += line.hung


def judge(request: Request, answer: Answer, counts: Counter[str]) -> None:
    codes = set(codes_of(answer))
    counts["ours"] += answer.status >= 500 or bool(codes & OURS)
    counts["refused"] += bool(codes)
    counts["run"] += b'"data":' in answer.body
    if request.answers is not None:  # else HTTP's own reader may have answered, which speaks no JSON
        counts["strange"] += not is_documented(answer) or not codes <= CODES


def is_documented(answer: Answer) -> bool:
    """Whether it has the form of an answer: data, or errors with a message and a code each, or both."""
    try:
        told = json.loads(answer.body)
        errors = told.get("errors", [])
        sound = all(isinstance(error["message"], str) and error["extensions"]["code"] for error in errors)
    except (ValueError, TypeError, AttributeError, KeyError):
        return False
    return sound and told.keys() <= {"data", "errors"} and ("data" in told or bool(errors))


def codes_of(answer: Answer) -> Iterator[str]:
    if answer.body.startswith(b"{"):
        told = json.loads(answer.body)
        yield from (error["extensions"]["code"] for error in told.get("errors", []))
