"""How connections break: a person disconnects one, or takes a consent back at the provider, which a sweep finds."""

from __future__ import annotations

import time
from collections.abc import Callable

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.board import Row, read_board
from tieline.cli.story.cast import Person
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.stage import CLIENT_ID

_DISCONNECT = """mutation($input: DisconnectInput!) { disconnect(input: $input) {
  connection { reason } errors { message } } }"""
_LOOK_SECONDS = 0.3


def disconnect(api: Api, client: str) -> None:
    """Stop updates of this client on purpose; the same again changes nothing. Raises BrokeOff."""
    api.change(_DISCONNECT, connectionId=read_board(api).of(client).connection_id)


def take_back(sandbox: Sandbox, person: Person) -> None:
    """The person removes the app on the provider's own page; done before, it stays so. Raises BrokeOff."""
    grants = sandbox.control("GET", f"{person.at.control}/grants")["grants"]
    if any(grant["email"] == person.email and grant["client_id"] == CLIENT_ID for grant in grants):
        sandbox.control("POST", f"{person.at.control}/revoke", user=person.email, client_id=CLIENT_ID)


def found_expired(api: Api, client: str, *, sweep: Callable[[], None], seconds: float) -> Row:
    """Let the sweep look now, and wait for what it finds of this client; its line then. Raises BrokeOff."""
    sweep()
    deadline = time.monotonic() + seconds
    while True:
        row = read_board(api).of(client)
        if "EXPIRED" in row.statuses:
            return row
        if time.monotonic() > deadline:
            raise BrokeOff(f"The sweep did not find {client} expired within {seconds:.0f} seconds.")
        time.sleep(_LOOK_SECONDS)
