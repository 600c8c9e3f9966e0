"""Calls that are at the sandbox together, however late each of them comes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx

from tests.support.polling import until


async def at_once(
    http: httpx.AsyncClient, *calls: Coroutine[Any, Any, httpx.Response]
) -> list[httpx.Response]:
    """The answers, none of which but refusals is given before all calls have come; no latency is left."""
    before = (await http.get("/_control/log")).json()["last"]
    await http.put("/_control/latency", json={"seconds": 600})
    answers = asyncio.gather(*calls)

    async def all_have_come() -> bool:
        found = await http.get("/_control/log", params={"after": before})
        return len(found.json()["entries"]) == len(calls)

    await until(all_have_come, "all calls have come")
    await http.put("/_control/latency", json={"seconds": 0})
    return await answers
