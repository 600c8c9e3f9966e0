"""Callers of an API whose database may be away for a moment: one asks until it is answered, one counts its answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, fields
from typing import Any

import httpx

from tests.support.firm import Caller

AWAY = "UNAVAILABLE"
_WAIT_SECONDS = 60.0
_AGAIN_SECONDS = 0.2
_PAUSE_SECONDS = 0.5
_PAGE = "{ clients(first: 5) { totalCount eventCursor nodes { id name } } }"


@dataclass(frozen=True, kw_only=True)
class Insistent(Caller):
    """Asks anew, queries and mutations alike, for as long as it is told that the database is away."""

    @classmethod
    def of(cls, caller: Caller) -> Insistent:
        return cls(**{each.name: getattr(caller, each.name) for each in fields(caller)})

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                answer = (await self.post(query, **variables)).json()
                if AWAY not in codes_of(answer):
                    break
                await asyncio.sleep(_AGAIN_SECONDS)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data


@dataclass(kw_only=True)
class Passerby:
    """Asks so many at once, again and again.

    `told_away` are the moments at which it was told that the database is away, by the monotonic clock; `odd` is what
    it was told that is neither that nor data.
    """

    caller: Caller
    at_once: int
    answers: int = 0
    told_away: list[float] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    async def ask(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.gather(*(self._ask_once() for _ in range(self.at_once)))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _ask_once(self) -> None:
        try:
            answer = (await self.caller.post(_PAGE)).json()
        except (httpx.TransportError, ValueError) as error:
            self.odd.append(type(error).__name__)
            return
        codes = codes_of(answer)
        self.answers += 1
        self.odd += codes - {AWAY}
        if AWAY in codes:
            self.told_away.append(time.monotonic())


def codes_of(answer: dict[str, Any]) -> set[str]:
    """Of all errors of an answer, those that are data among them."""
    payloads = [value for value in (answer.get("data") or {}).values() if isinstance(value, dict)]
    told = {error["code"] for payload in payloads for error in payload.get("errors", ())}
    return told | {error["extensions"]["code"] for error in answer.get("errors", ())}
