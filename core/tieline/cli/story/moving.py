"""Many connections hung on one sign-in at once: all that are broken, or chosen ones of a colleague's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tieline.cli.story.api import Api
from tieline.cli.story.played import Played

_COUNT = "query($provider: String!) { reconnectAllCount(provider: $provider) { total disconnected } }"
_OUTCOMES = "outcomes { connectionId code connection { client { name } } } errors { message }"
_RECONNECT_ALL = (
    f"""mutation($input: ReconnectAllInput!) {{ reconnectAll(input: $input) {{ {_OUTCOMES} }} }}"""
)
_REASSIGN = f"""mutation($input: ReassignInput!) {{ reassign(input: $input) {{ {_OUTCOMES} }} }}"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """How many are broken, and how many more a person disconnected."""

    broken: int
    disconnected: int


def preview(api: Api, played: Played) -> Preview:
    """What reconnecting all would touch. Raises BrokeOff."""
    told = api.ask(_COUNT, provider=played.slug)["reconnectAllCount"]
    return Preview(broken=told["total"], disconnected=told["disconnected"])


def reconnect_all(api: Api, sign_in_id: str) -> dict[str, list[str]]:
    """The clients by what became of their connections. Raises BrokeOff."""
    return _by_code(api.change(_RECONNECT_ALL, signInId=sign_in_id))


def reassign(api: Api, sign_in_id: str, connection_ids: Iterable[str]) -> dict[str, list[str]]:
    """The same of chosen connections, taken over by the caller. Raises BrokeOff."""
    return _by_code(api.change(_REASSIGN, signInId=sign_in_id, connectionIds=list(connection_ids)))


def _by_code(payload: dict[str, Any]) -> dict[str, list[str]]:
    clients: dict[str, list[str]] = {}
    for outcome in payload["outcomes"]:
        name = outcome["connection"]["client"]["name"] if outcome["connection"] else outcome["connectionId"]
        clients.setdefault(outcome["code"], []).append(name)
    return clients
