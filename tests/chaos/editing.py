"""People who go on changing clients at a gateway that nobody strikes, while others are cut off at theirs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx

from tests.chaos.portfolio import firm_at
from tests.chaos.stand import ANSWER_SECONDS, NOTHING_KEPT, Stand
from tests.support.deployment import serving
from tests.support.firm import Caller

Event = tuple[str, str]
"""Its kind, and its client."""

_KEY = """mutation { createApiKey(input: {name: "page", forService: true, scopes: []}) {
  apiKey { id } secret errors { code } } }"""
_END_KEY = "mutation($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"
_RENAME = (
    "mutation($id: ID!, $name: String!) { renameClient(input: {id: $id, name: $name}) { errors { code } } }"
)
_DELETE = "mutation($id: ID!) { deleteClient(input: {id: $id}) { errors { code } } }"
_CLIENTS = "{ clients(first: 200) { nodes { id name } } }"
_WRITTEN = "SELECT kind, client_id::text FROM event WHERE practice_id = $1 ORDER BY xid, position"


@dataclass(kw_only=True)
class Editors:
    """`keys` are ids by secret."""

    stand: Stand
    admin: Caller
    draws: random.Random
    keys: dict[str, str] = field(default_factory=dict, repr=False)

    async def new_key(self) -> str:
        """Of a service of its own, which may read."""
        made = (await self.admin.ask(_KEY))["createApiKey"]
        assert made["errors"] == [], made["errors"]
        self.keys[made["secret"]] = made["apiKey"]["id"]
        return str(made["secret"])

    async def end_key(self, key: str) -> None:
        payload = (await self.admin.ask(_END_KEY, id=self.keys[key]))["revokeApiKey"]
        assert payload["errors"] == [], payload

    async def clients(self) -> dict[str, str]:
        """Names by id."""
        nodes = (await self.admin.ask(_CLIENTS))["clients"]["nodes"]
        return {node["id"]: node["name"] for node in nodes}

    async def edit(self, times: int) -> None:
        """Clients get other names; of ten edits one makes a client, and one takes one away."""
        there = sorted(await self.clients())
        for number in range(times):
            name = f"Client {self.draws.getrandbits(64):x}"
            chosen = self.draws.randrange(len(there))
            if number % 10 == 0:
                there.append(await self.admin.create_client(name))
            elif number % 10 == 5:
                await self._do(_DELETE, id=there.pop(chosen))
            else:
                await self._do(_RENAME, id=there[chosen], name=name)

    async def written(self) -> list[Event]:
        """All events so far, as the table has them."""
        rows = await self.stand.rows(_WRITTEN, self.admin.practice_id)
        return [(row["kind"], row["client_id"]) for row in rows]

    async def _do(self, query: str, **variables: str) -> None:
        [payload] = (await self.admin.ask(query, **variables)).values()
        assert payload["errors"] == [], payload


@asynccontextmanager
async def editors(stand: Stand, draws: random.Random, *, clients: int) -> AsyncIterator[Editors]:
    """A practice with so many clients, and its admin."""
    with serving(stand.deployment) as gateway:
        async with httpx.AsyncClient(
            base_url=gateway.url, timeout=ANSWER_SECONDS, limits=NOTHING_KEPT
        ) as http:
            admin = replace((await firm_at(stand)).admin, http=http)
            for number in range(clients):
                await admin.create_client(f"Client {number}")
            yield Editors(stand=stand, admin=admin, draws=draws)
