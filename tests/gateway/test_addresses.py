"""What one address may do before anybody stands for it, and who is let through all the same."""

from __future__ import annotations

from ipaddress import ip_address

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tieline.errors import Unauthenticated
from tieline.ids import new_id
from tieline_gateway.addresses import GUARDS, Addresses, Strangers, network_of
from tieline_gateway.metrics import Metrics
from tieline_gateway.refusals import Refusals
from tieline_gateway.routes.oauth import CALLBACK_LABEL, is_callback
from tieline_gateway.routes.webhooks import WEBHOOK_LABEL, is_webhook
from tieline_gateway.transport.errors import RequestRefused

CALLBACK = "/oauth/xero/app/callback"
HOOK = "/webhooks/xero/app"
SCALE = 0.05  # three wrong tokens, each three times, three refused deliveries and five callbacks at once


def label(path: str) -> str:
    return CALLBACK_LABEL if is_callback(path) else WEBHOOK_LABEL if is_webhook(path) else path


class Behind:
    """What stands behind: it knows one token, and all webhooks but those that are gone. `seen` are its requests."""

    def __init__(self) -> None:
        self.seen = 0
        self.known = "Bearer right"

    def look_up(self, token: str) -> None:
        if f"Bearer {token}" != self.known:
            raise Unauthenticated

    async def answer(self, request: Request) -> Response:
        self.seen += 1
        if request.url.path == "/graphql":
            known = request.headers.get("authorization") == self.known
            return Response(status_code=200 if known else 401)
        if "gone" in request.url.path:
            return Response(status_code=404)
        signed = is_callback(request.url.path) or request.headers.get("signature") == "right"
        return Response(status_code=200 if signed else 401)


class People:
    """Those who call from one address or another."""

    def __init__(self) -> None:
        self.behind = Behind()
        app = Starlette(routes=[Route("/{path:path}", self.behind.answer, methods=["GET", "POST"])])
        self.strangers = Strangers(scale=SCALE)
        self.metrics = Metrics()
        refusals = Refusals(metrics=self.metrics)
        self._guarded = Addresses(app, label=label, strangers=self.strangers, refusals=refusals)

    async def ask(self, address: str, path: str = "/graphql", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._guarded, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tieline.invalid") as http:
            return await http.post(path, headers=headers)

    async def statuses(self, times: int, address: str, path: str = "/graphql", **headers: str) -> list[int]:
        return [(await self.ask(address, path, **headers)).status_code for _ in range(times)]

    async def guess(self, times: int, address: str) -> list[int]:
        """Wrong tokens, each another one."""
        return [
            (await self.ask(address, authorization=f"Bearer wrong-{number}")).status_code
            for number in range(times)
        ]

    async def opens(self, address: str, token: str) -> int:
        """What becomes of a socket there, in the words of HTTP."""
        try:
            async with self.strangers.hears(address, f"Bearer {token}"):
                self.behind.look_up(token)
        except Unauthenticated:
            return 401
        except RequestRefused as error:
            return error.status or 0
        return 200


@pytest.fixture
def people() -> People:
    return People()


def somewhere() -> str:
    """An address that was never heard of."""
    return str(ip_address(int(new_id()) & 0xFFFF_FFFF))


async def test_wrong_tokens_of_one_address_are_soon_not_looked_up_any_more(people: People) -> None:
    here, there = somewhere(), somewhere()

    assert await people.guess(6, here) == [401] * 4 + [429] * 2
    assert people.behind.seen == 4
    assert await people.guess(1, there) == [401]


async def test_one_wrong_token_said_again_and_again_shuts_out_itself_alone(people: People) -> None:
    here = somewhere()

    assert await people.statuses(20, here, authorization="Bearer expired") == [401] * 4 + [429] * 16
    assert people.behind.seen == 4
    assert await people.statuses(1, here, authorization="Bearer right") == [200]
    assert await people.guess(4, here) == [401] * 3 + [429]


async def test_a_token_that_is_wrong_for_one_practice_is_heard_for_another(people: People) -> None:
    here = somewhere()
    await people.statuses(6, here, authorization="Bearer expired", **{"tieline-practice": "one"})

    asked = await people.statuses(1, here, authorization="Bearer expired", **{"tieline-practice": "two"})

    assert asked == [401]


async def test_wrong_tokens_cost_the_same_on_sockets(people: People) -> None:
    here, there = somewhere(), somewhere()
    assert await people.opens(here, "right") == 200

    assert [await people.opens(here, f"wrong-{number}") for number in range(6)] == [401] * 4 + [429] * 2
    assert await people.statuses(1, here, authorization="Bearer other") == [429]
    assert await people.statuses(1, here, authorization="Bearer right") == [200]
    assert await people.opens(here, "right") == 200
    await people.guess(4, there)
    assert await people.opens(there, "right") == 429


async def test_whoever_is_shut_out_is_told_how_long_as_any_refusal_is(people: People) -> None:
    here = somewhere()
    await people.statuses(4, here)

    refused = await people.ask(here)

    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert refused.headers["retry-after"] == str(error["extensions"]["retryAfter"])
    assert 1 <= error["extensions"]["retryAfter"] <= 20


async def test_a_token_that_was_good_from_there_is_let_through_until_it_is_wrong(people: People) -> None:
    here = somewhere()
    assert await people.statuses(1, here, authorization="Bearer right") == [200]
    await people.guess(5, here)

    assert await people.statuses(3, here, authorization="Bearer right") == [200] * 3
    people.behind.known = "Bearer another"
    assert await people.statuses(2, here, authorization="Bearer right") == [401, 429]


async def test_right_tokens_cost_nothing(people: People) -> None:
    here = somewhere()

    assert await people.statuses(50, here, authorization="Bearer right") == [200] * 50


async def test_each_consent_that_comes_back_costs_and_a_person_reads_what_to_do(people: People) -> None:
    here = somewhere()

    assert await people.statuses(6, here, CALLBACK) == [200] * 5 + [429]
    page = await people.ask(here, CALLBACK)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"Reload this page in {page.headers['retry-after']} s." in page.text
    assert people.behind.seen == 5


async def test_deliveries_that_are_refused_cost_and_a_webhook_that_works_is_heard(people: People) -> None:
    provider = somewhere()
    assert await people.statuses(20, provider, HOOK, signature="right") == [200] * 20

    gone = [await people.ask(provider, f"{HOOK}-gone-{number}") for number in range(6)]
    assert [answer.status_code for answer in gone] == [404] * 4 + [429] * 2
    assert gone[-1].content == b""
    assert 1 <= int(gone[-1].headers["retry-after"]) <= 20
    limited = {"provider": "none", "outcome": "limited"}
    assert people.metrics.registry.get_sample_value("tieline_webhooks_total", limited) == 2
    assert await people.statuses(1, provider, HOOK, signature="right") == [200]


async def test_what_one_practice_does_not_sign_for_shuts_out_no_other(people: People) -> None:
    provider = somewhere()

    assert await people.statuses(20, provider, HOOK) == [401] * 4 + [429] * 16
    assert [(await people.ask(provider, f"{HOOK}-{number}")).status_code for number in range(6)] == [401] * 6
    assert await people.statuses(1, provider, f"{HOOK}-new", signature="right") == [200]
    assert await people.statuses(6, somewhere(), HOOK, signature="right") == [200] * 6


async def test_a_webhook_that_is_gone_and_still_called_shuts_out_itself_alone(people: People) -> None:
    provider = somewhere()

    assert await people.statuses(20, provider, f"{HOOK}-gone") == [404] * 4 + [429] * 16
    assert await people.statuses(1, provider, HOOK, signature="right") == [200]


async def test_other_paths_are_not_counted(people: People) -> None:
    assert await people.statuses(50, somewhere(), "/livez") == [401] * 50


def test_what_is_let_through_is_the_table_of_guards_times_the_setting() -> None:
    scaled = {path: guard.scaled(SCALE).rate.burst for path, guard in GUARDS.items()}

    assert scaled == {"/graphql": 3, CALLBACK_LABEL: 5, WEBHOOK_LABEL: 3}


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_of_ipv6_stands_for_its_network(host: str, network: str) -> None:
    assert network_of(host) == network
