"""Malformed frames on sockets, and messages that come in the wrong place: each ends in a close with a known code."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator

from tests.chaos.documents import Writer
from tests.chaos.frames import Ending, Talk, Talker, ending
from tests.chaos.gauges import at_rest
from tests.chaos.mutating import Mutator
from tests.chaos.portfolio import firm_at
from tests.chaos.seeds import chance
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.source import ROOT
from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.documents import graphql_schema

FRAMES, SOUND, AT_ONCE = size(20_000, 1_000), size(500, 60), 8
ROW = "Malformed frames"
CODES = set(
    map(int, re.findall(r"^\| `(\d{4})` \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE))
)
OURS = {4500, 1011}


async def test_malformed_frames_end_in_a_close_with_a_known_code(stand: Stand, figures: Figures) -> None:
    stand.start(GATEWAY, "serve")
    key = (await firm_at(stand)).admin.key
    counts: Counter[str] = Counter()

    async with asyncio.TaskGroup() as group:
        talks = drawn_talks(key, counts)
        for _ in range(AT_ONCE):
            group.create_task(say(stand.gateway.port, talks, counts))
    left, _ = await at_rest(stand)

    figures.at_least(f"{ROW}: read, as what followed shows", counts["read"], FRAMES)
    figures.at_least(f"{ROW}: of these, those that closed their socket", counts["closing"], FRAMES * 8 // 10)
    figures.at_least(f"{ROW}: and those that did not", counts["passed"], FRAMES // 20)
    figures.at_least(f"{ROW}: kinds of closes that came of them", counts["kinds"], 5)
    figures.exactly(f"{ROW}: sockets that did not open", counts["not opened"], 0)
    figures.exactly(f"{ROW}: sockets that ended without a code", counts["not coded"], 0)
    figures.exactly(f"{ROW}: sockets that ended with a code of ours", counts["ours"], 0)
    figures.exactly(f"{ROW}: sockets that ended with a code that is not documented", counts["strange"], 0)
    figures.exactly(f"{ROW}: sockets, subscriptions and pooled connections left of them", left.left, 0)
    figures.exactly(f"{ROW}: errors in the gateway's log", stand.loud(), 0)
    figures.hold()


def drawn_talks(key: str, counts: Counter[str]) -> Iterator[Talk]:
    """Until so many frames were read."""
    draws = chance(ROW)
    writer = Writer(graphql_schema(build_schema()), draws, fields=8, in_variables=0.9)
    sound = [message for _ in range(SOUND) for message in messages(writer)]
    talker, talks = Talker(Mutator(draws, sound), sound, key), 0
    while counts["read"] < FRAMES and talks < 2 * FRAMES:
        talks += 1
        yield talker.talk()


def messages(writer: Writer) -> Iterator[bytes]:
    """What a client may say, at some time."""
    drawn = writer.sound("query", "subscription", "subscription")
    payload = {"query": drawn.query, "variables": drawn.variables}
    yield json.dumps({"id": "1", "type": "subscribe", "payload": payload}).encode()
    yield writer.draws.choice(
        (
            b'{"type":"ping","payload":{"a":[1,"x",null]}}',
            b'{"type":"pong"}',
            b'{"id":"1","type":"complete"}',
            b'{"type":"connection_init","payload":{"authorization":"Bearer x"}}',
        )
    )


async def say(port: int, talks: Iterator[Talk], counts: Counter[str]) -> None:
    for talk in talks:
        judge(talk, await ending(port, talk), counts)


def judge(talk: Talk, ended: Ending, counts: Counter[str]) -> None:
    """A frame was read where a pong or the close came after it; those that are sound are not counted."""
    counts["not opened"] += not ended.opened
    counts["not coded"] += ended.opened and ended.code is None
    passed = sum(talk.malformed[: ended.passed])
    counts["read"] += passed
    counts["passed"] += passed
    if ended.code is not None:
        closing = sum(talk.malformed[ended.passed :][:1])  # of none, where it was the end of the talk
        counts["read"] += closing
        counts["closing"] += closing
        counts["kinds"] += counts[f"code {ended.code}"] == 0
        counts[f"code {ended.code}"] += 1
        counts["ours"] += ended.code in OURS
        counts["strange"] += ended.code not in CODES
