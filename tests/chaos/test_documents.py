"""Documents of up to 10,000 characters that ask for all there is, or for trouble: nobody else waits for one of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tests.chaos.documents import Writer
from tests.chaos.heavy import WIDE, long_bodies
from tests.chaos.portfolio import firm_at
from tests.chaos.probing import FILE, Probe, probed, probing
from tests.chaos.seeds import chance
from tests.chaos.shapes import shaped
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.firm import Caller
from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.documents import graphql_schema

SOUND, SHAPED, CLIENTS, LONG = size(250, 5), size(250, 43), size(200, 1), size(10, 2)
BOUND = 50
ROW, LONG_ROW = "Any document", "Long bodies"
OURS = {"INTERNAL", "TIMEOUT", "UNAVAILABLE"}


@dataclass
class Asking:
    """Requests one at a time, and the longest that the gateway's loop had no turn for others amid one of them."""

    caller: Caller
    probe: Probe
    counts: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0

    async def send(self, body: bytes) -> None:
        await self.probe.worst()
        headers = {"authorization": f"Bearer {self.caller.key}", "content-type": "application/json"}
        answer = (await self.caller.http.post("/graphql", content=body, headers=headers)).json()
        self.worst = max(self.worst, await self.probe.worst())
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        self.counts["sent"] += 1
        self.counts["refused"] += "data" not in answer
        self.counts["ours"] += bool(codes & OURS)


async def test_nobody_waits_while_a_document_is_read_or_a_long_body(
    stand: Stand, figures: Figures, tmp_path: Path
) -> None:
    with probing(tmp_path) as probe:
        stand.start(GATEWAY, "serve", prepare=probed, **{FILE: str(probe.file)})
        admin = (await firm_at(stand)).admin
        for number in range(CLIENTS):
            await admin.create_client(f"Client {number}")
        documents, long = Asking(admin, probe), Asking(admin, probe)
        for body in drawn_documents():
            await documents.send(body)
        for body in islice(long_bodies().values(), LONG):
            await long.send(body)

    figures.at_least(f"{ROW}: read", documents.counts["sent"], SOUND + SHAPED + len(WIDE))
    figures.at_least(f"{ROW}: of these, refused with a code", documents.counts["refused"], SHAPED // 2)
    figures.exactly(f"{ROW}: answered with an error of ours", documents.counts["ours"], 0)
    figures.timed(f"{ROW}: longest that nobody else had a turn", 1_000 * documents.worst, BOUND, " ms")
    figures.at_least(f"{LONG_ROW}: read", long.counts["sent"], LONG)
    figures.exactly(f"{LONG_ROW}: answered with an error of ours", long.counts["ours"], 0)
    figures.timed(f"{LONG_ROW}: longest that nobody else had a turn", 1_000 * long.worst, BOUND, " ms")
    figures.hold()


def drawn_documents() -> Iterator[bytes]:
    draws = chance(ROW)
    writer = Writer(graphql_schema(build_schema()), draws)
    yield from (json.dumps({"query": query}).encode() for query in WIDE)
    yield from (writer.sound().body() for _ in range(SOUND))
    yield from (drawn.body() for drawn in islice(shaped(draws), SHAPED))
