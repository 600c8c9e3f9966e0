"""What sockets do about those whose tokens are wrong, each from an address of its own."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from tieline.ids import new_id
from tieline_gateway.addresses import GRAPHQL_LABEL, Strangers

if TYPE_CHECKING:
    from tests.gateway.transport.conftest import Serve, Server

SCALE = 0.05  # three wrong tokens at once
SHUT = "You have asked for very much in a short time; ask again in "


def loopback() -> str:
    """An address of this machine that nobody else in the tests calls from."""
    return str(ip_address((127 << 24) + int(new_id()) % 0xFF_0000 + 0x1_0000))


async def refused(server: Server, address: str, token: str) -> tuple[int | None, str]:
    """How a socket from there is closed."""
    async with server.connected(local_addr=(address, 0)) as socket:
        await socket.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
        code, reason = await socket.closed()
    return code, reason or ""


async def test_an_address_that_tries_wrong_tokens_on_sockets_is_soon_not_heard(serve: Serve) -> None:
    server, here = serve(hears=Strangers(scale=SCALE).hears), loopback()
    server.seen.revoked = {f"wrong-{number}" for number in range(5)}
    async with server.opened({"Authorization": "Bearer right"}, local_addr=(here, 0)):
        pass

    closed = [await refused(server, here, f"wrong-{number}") for number in range(5)]

    assert [code for code, _ in closed] == [4403] * 4 + [1013]
    said = re.fullmatch(rf"{SHUT}(\d+) s\. retryAfter=(\d+)", closed[-1][1])
    assert said is not None
    assert said[1] == said[2]
    assert (await refused(server, here, "another"))[0] == 1013
    async with server.opened({"Authorization": "Bearer right"}, local_addr=(here, 0)):
        pass
    async with server.opened({"Authorization": "Bearer another"}, local_addr=(loopback(), 0)):
        pass


async def test_a_token_is_the_same_stranger_on_a_socket_and_in_a_request(serve: Serve) -> None:
    strangers, here = Strangers(scale=SCALE), loopback()
    server = serve(hears=strangers.hears)

    closed = [(await refused(server, here, "wrong"))[0] for _ in range(5)]

    assert closed == [4403] * 4 + [1013]
    same, other = (strangers.visit(GRAPHQL_LABEL, here, f"Bearer {token}") for token in ("wrong", "fresh"))
    assert same is not None
    assert other is not None
    assert await strangers.wait(same) is not None
    assert await strangers.wait(other) is None
