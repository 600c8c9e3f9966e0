"""What one caller may have of us: so much in a while of all gateways together, and so many sockets of each."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import Caller, Firm
from tests.support.patience import with_redis
from tests.support.sockets import caller_at, socket_to
from tieline.ids import new_id

VIEWER = "{ viewer { role } }"  # costs 102, and 103 where it is not known yet
MANY = 10  # wrong tokens: more than are let through
LIMITED = {
    "TIELINE_RATE_COST": "0.01",
    "TIELINE_RATE_BURST": "310",
    "TIELINE_RATE_ADDRESS": "0.05",  # three wrong tokens at once
    "TIELINE_SOCKETS_PER_CALLER": "2",
}


@pytest.fixture(scope="module")
def gateways(deployment: Deployment) -> Iterator[tuple[Gateway, Gateway]]:
    """Two of one deployment, which lets nobody ask for much and counts nothing by itself."""
    with (
        serving(deployment, with_redis, **LIMITED) as one,
        serving(deployment, with_redis, **LIMITED) as other,
    ):
        yield one, other


def somewhere() -> str:
    """An address that was never heard of, also not in an earlier run: Redis remembers for a minute."""
    return str(ip_address(int(new_id()) & 0xFFFF_FFFF))


async def status(gateway: Gateway, caller: Caller) -> int:
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(
            gateway.graphql, json={"query": VIEWER}, headers={"authorization": f"Bearer {caller.key}"}
        )
    return answer.status_code


async def test_what_one_caller_asks_of_all_gateways_counts_together_and_others_are_served(
    gateways: tuple[Gateway, Gateway], firm: Firm
) -> None:
    one, other = gateways
    member = await firm.member()

    assert [await status(one, firm.admin), await status(other, firm.admin)] == [200, 200]
    assert [await status(one, firm.admin), await status(other, firm.admin)] == [200, 429]
    assert await status(one, firm.admin) == 429
    assert await status(other, member) == 200


async def test_a_page_of_another_origin_may_read_how_long_to_wait(
    gateways: tuple[Gateway, Gateway], firm: Firm
) -> None:
    headers = {"authorization": f"Bearer {firm.admin.key}", "origin": "https://app.example"}
    async with httpx.AsyncClient(timeout=30, headers=headers) as http:
        answers = [await http.post(gateways[0].graphql, json={"query": VIEWER}) for _ in range(4)]

    refused = answers[-1]
    [error] = refused.json()["errors"]
    assert refused.status_code == 429
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert refused.headers["retry-after"] == str(error["extensions"]["retryAfter"])
    assert "retry-after" in refused.headers["access-control-expose-headers"]


async def test_wrong_tokens_count_for_the_address_that_the_proxy_names(
    gateways: tuple[Gateway, Gateway], firm: Firm
) -> None:
    here, there = somewhere(), somewhere()

    async def statuses(key: str, address: str, times: int) -> list[int]:
        headers = {"authorization": f"Bearer {key}", "x-forwarded-for": address}
        async with httpx.AsyncClient(timeout=30, headers=headers) as http:
            asked = [await http.post(gateways[0].graphql, json={"query": VIEWER}) for _ in range(times)]
        return [answer.status_code for answer in asked]

    assert await statuses(firm.admin.key, here, 1) == [200]
    wrong = await statuses("tl_wrong", here, MANY)
    assert (wrong[:4], wrong[-1]) == ([401] * 4, 429)
    assert await statuses("tl_wrong", there, 1) == [401]
    assert await statuses(firm.admin.key, here, 1) == [200]


async def test_wrong_tokens_on_sockets_count_for_that_address_too(
    gateways: tuple[Gateway, Gateway],
) -> None:
    async def code(key: str, address: str) -> int | None:
        async with socket_to(gateways[0].socket, forwarded_for=address) as socket:
            await socket.send(type="connection_init", payload={"authorization": f"Bearer {key}"})
            await socket.connection.wait_closed()
        return socket.connection.close_code

    here, there = somewhere(), somewhere()

    codes = [await code(f"tl_wrong_{number}", here) for number in range(MANY)]
    assert (codes[:4], codes[-1]) == ([4403] * 4, 1013)
    assert await code("tl_wrong_0", there) == 4403


async def test_sign_ins_count_for_the_address_that_they_begin_from_whoever_begins_them(
    deployment: Deployment, firm: Firm
) -> None:
    begin = """mutation { startSignIn(input: {provider: "xero", purpose: CONNECT, products: [BOOKKEEPING]}) {
        errors { code message retryAt } } }"""
    go_on = """mutation { continueSignIn(input: {id: "00000000-0000-0000-0000-000000000000"})
        { errors { code message retryAt } } }"""
    colleague = await firm.member()

    # One, and another in a hundred seconds.
    with serving(deployment, with_redis, TIELINE_RATE_ADDRESS="0.002") as gateway:

        async def asked(caller: Caller, query: str, address: str) -> dict[str, Any]:
            headers = {"authorization": f"Bearer {caller.key}", "x-forwarded-for": address}
            async with httpx.AsyncClient(timeout=30, headers=headers) as http:
                answer: dict[str, Any] = (await http.post(gateway.graphql, json={"query": query})).json()
            assert "errors" not in answer, answer
            return dict(answer["data"])

        here, there = somewhere(), somewhere()
        heard = [(await asked(firm.admin, begin, address))["startSignIn"] for address in (here, there)]
        refused = [
            *(await asked(firm.admin, go_on, here)).values(),
            *(await asked(colleague, begin, here)).values(),
        ]
        await asked(firm.admin, VIEWER, here)

    assert [[error["code"] for error in each["errors"]] for each in heard] == [
        ["PROVIDER_NOT_CONFIGURED"]
    ] * 2
    for each in refused:
        [error] = each["errors"]
        assert (error["code"], error["retryAt"] is None) == ("RATE_LIMITED", False)
        assert "ask again in" in error["message"]


async def test_a_caller_has_so_many_sockets_and_one_more_is_closed_and_not_acknowledged(
    gateways: tuple[Gateway, Gateway], firm: Firm
) -> None:
    url, key = gateways[0].socket, firm.admin.key
    member = await firm.member()

    async with caller_at(url, key), caller_at(url, key), socket_to(url) as third:
        await third.send(type="connection_init", payload={"authorization": f"Bearer {key}"})
        with pytest.raises(ConnectionClosed):
            await third.receive()
        async with caller_at(url, member.key) as another:
            answer = await another.ask(VIEWER)

    assert third.connection.close_code == 4430
    assert (
        third.connection.close_reason == "You hold 2 sockets; close one, or try again in 30 s. retryAfter=30"
    )
    assert answer == {"data": {"viewer": {"role": "MEMBER"}}}
