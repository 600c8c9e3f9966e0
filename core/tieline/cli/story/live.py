"""Syncs followed live, as a front end does it: one WebSocket (graphql-transport-ws), a subscription for each sync."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.board import RUN_FIELDS

_PROGRESS = f"subscription($id: ID!) {{ syncProgress(runId: $id) {{ {RUN_FIELDS} }} }}"
_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 10.0
_AT_ONCE = 50  # subscriptions that one socket may have


@dataclass
class Progress:
    """What the API tells of syncs; `open` holds those that it has more to tell of."""

    api: Api
    socket: ClientConnection = field(repr=False)
    open: set[str] = field(default_factory=set)

    def follow(self, run_ids: Iterable[str]) -> None:
        """Ask to be told of these too, as far as one socket allows."""
        for run_id in [each for each in run_ids if each not in self.open][: _AT_ONCE - len(self.open)]:
            self.open.add(run_id)
            payload = {"query": _PROGRESS, "variables": {"id": run_id}}
            self.socket.send(json.dumps({"id": run_id, "type": "subscribe", "payload": payload}))

    def next(self) -> dict[str, Any] | None:
        """What is told next of one of them, by the fields of the board; None: nothing just now. Raises BrokeOff."""
        self.api.watch()
        try:
            message = json.loads(self.socket.recv(timeout=_LOOK_SECONDS))
        except TimeoutError:
            return None
        except WebSocketException as error:
            raise self.api.broken("The API's WebSocket ended", error) from error
        if message["type"] == "ping":
            self.socket.send(json.dumps({"type": "pong"}))
        if message["type"] == "complete":
            self.open.discard(message["id"])
        if errors := _errors(message):
            raise BrokeOff(f"The API does not tell of a sync: {errors[0]['message']}")
        if message["type"] != "next":
            return None
        run: dict[str, Any] | None = message["payload"]["data"]["syncProgress"]
        return run


def _errors(message: dict[str, Any]) -> list[dict[str, Any]]:
    """What a message says went wrong: before anything ran, or while it ran."""
    if message["type"] == "error":
        return list(message["payload"])
    return list(message["payload"].get("errors", ())) if message["type"] == "next" else []


@contextmanager
def live(api: Api) -> Iterator[Progress]:
    """A socket of the API's caller, acknowledged. Raises BrokeOff."""
    address = f"{api.url.replace('http', 'ws', 1)}/graphql"
    try:
        with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket:
            authorization = {"authorization": f"Bearer {api.key}"}
            socket.send(json.dumps({"type": "connection_init", "payload": authorization}))
            socket.recv(timeout=_ANSWER_SECONDS)
            yield Progress(api=api, socket=socket)
    except (OSError, WebSocketException) as error:
        raise api.broken("The API's WebSocket broke", error) from error
