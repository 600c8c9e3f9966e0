"""Everybody of `tieline.permissions.Who` in the flesh, and what becomes of what they ask: cells as they are seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
from websockets.exceptions import ConnectionClosed

from tests.support.deployment import Gateway
from tests.support.permission_cases import NEWS, TRIES, Try
from tests.support.scenes import Ground, Scene
from tests.support.sockets import socket_to
from tieline.permissions import RULES, Cell

Answer: TypeAlias = dict[str, Any]

COUNTED = {
    "Query.reconnectAllCount": ("total",),
    "Mutation.syncAll": ("queued", "alreadyRunning"),
}
"""What tells how much there is by numbers: of what is near and far each there is one."""
_REFUSALS = {cell.name: cell for cell in (Cell.FORBIDDEN, Cell.NOT_FOUND, Cell.UNAUTHENTICATED)}
_NEVER_SYNCED = ("ledgerOrganisation", "ledgerPreferences")
_NOT_LET_IN = 4403


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Somebody who asks a gateway about a scene, by a key or, where that is asked for, by a token of the issuer."""

    gateway: Gateway
    http: httpx.AsyncClient = field(repr=False)
    scene: Scene
    key: str | None = field(repr=False)
    token: str | None = field(repr=False)
    sees_all_clients: bool = True
    is_foreign: bool = False

    async def cell(self, operation: str) -> Cell | str:
        """What it comes to; what fits no cell, as it was answered."""
        tried = TRIES[operation]
        near = await self._answer(operation, tried, self.scene.near)
        if self.is_foreign and not RULES[operation].in_person:
            return self._foreign(operation, tried, near)
        if (refusal := refusal_in(near)) is not None and tried.names is None:
            return _REFUSALS.get(refusal, refusal)
        if operation in COUNTED:
            (told,) = near["data"].values()
            return (Cell.NONE, Cell.OWN, Cell.YES)[sum(told[name] for name in COUNTED[operation])]
        if tried.shows is not None:
            return self._listed(tried.shows, near)
        if not self._is_beside(tried):
            return _single(refusal_in(near))
        far = await self._answer(operation, tried, self.scene.far)
        return self._pair(tried, refusal_in(near), refusal_in(far))

    async def _answer(self, operation: str, tried: Try, ground: Ground) -> Answer:
        values = self.scene.values(ground)
        names = set(re.findall(r"\$(\w+)", tried.document)) - {"id"}
        variables = {name: values[name] for name in names}
        if tried.names is not None:
            variables["id"] = values[tried.names]
        bearer = self.token if RULES[operation].in_person and self.token else self.key
        if operation.startswith("Subscription."):
            return await self._follow(bearer, tried.document, variables)
        headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
        body = {"query": tried.document, "variables": variables}
        answer: Answer = (await self.http.post("/graphql", json=body, headers=headers)).json()
        return answer

    async def _follow(self, bearer: str | None, document: str, variables: dict[str, str]) -> Answer:
        """The first that comes; of events the news that the scene made, to what is near, which is the last."""
        told: list[Any] = []
        try:
            async with socket_to(self.gateway.socket) as socket:
                await socket.send(
                    type="connection_init", payload={"authorization": f"Bearer {bearer}"} if bearer else {}
                )
                await socket.receive()
                await socket.subscribe("s", document, **variables)
                while not told or self.scene.far.client in str(told[-1]) or self._is_old(told[-1]):
                    told.append((await socket.receive())["payload"])
        except ConnectionClosed as closed:
            if closed.rcvd is None or closed.rcvd.code != _NOT_LET_IN:
                raise
            return {"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}
        return {"data": {"told": [each["data"] for each in told]}, "errors": told[0].get("errors", [])}

    def _is_old(self, payload: Answer) -> bool:
        """An event from before the news: a cursor stands before what is held back while it is taken."""
        event = (payload.get("data") or {}).get("connectionEvents")
        return event is not None and not self.is_foreign and event["kind"] != NEWS

    def _pair(self, tried: Try, near: str | None, far: str | None) -> Cell | str:
        """What it comes to for what is near, and for what is not: that is hidden from who does not see it."""
        if near is None and (far is None or far in tried.beyond):
            return Cell.YES if far is None else Cell.OWN
        if near == "FORBIDDEN":
            is_seen = self.sees_all_clients and tried.names != "signed_in"
            expected = "FORBIDDEN" if is_seen else "NOT_FOUND"
        else:
            expected = near or "NOT_FOUND"
        return _single(near) if near and far == expected else f"{near} near, {far} far"

    def _is_beside(self, tried: Try) -> bool:
        """Whether what is far away is another thing."""
        near, far = self.scene.values(self.scene.near), self.scene.values(self.scene.far)
        return tried.names is not None and near[tried.names] != far[tried.names]

    def _listed(self, shows: str, answer: Answer) -> Cell | str:
        near, far = (
            self.scene.values(ground)[shows] in str(answer) for ground in (self.scene.near, self.scene.far)
        )
        if far and not near:
            return f"only what is far: {answer}"
        return Cell.YES if far else Cell.OWN if near else Cell.NONE

    def _foreign(self, operation: str, tried: Try, answer: Answer) -> Cell | str:
        """Of another practice: what it names is not there, and what it gets holds nothing of this one."""
        names_something = tried.names is not None or "$sign_in" in tried.document
        shows = [each for each in self.scene.ids() if each in str(answer.get("data"))]
        if refusal_in(answer) != ("NOT_FOUND" if names_something else None) or shows:
            return f"{operation}: {answer}"
        return Cell.NOTHING


def refusal_in(answer: Answer) -> str | None:
    """The code of what was refused; of several, all of them."""
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    for name, payload in (answer.get("data") or {}).items():
        if payload is None and not codes and name not in _NEVER_SYNCED:
            codes.append(f"{name} is null")
        if isinstance(payload, dict):
            codes += [error["code"] for error in payload.get("errors") or ()]
            codes += [row["error"]["code"] for row in payload.get("outcomes") or () if row["error"]]
    return ", ".join(codes) or None


def _single(refusal: str | None) -> Cell | str:
    return Cell.YES if refusal is None else _REFUSALS.get(refusal, refusal)
