"""The sandbox by itself: what it prints is all that a client of anybody's needs."""

from __future__ import annotations

import base64
import hmac
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.sandbox.conftest import Running
from tieline_sandbox.serve import _listening

_VALUED = {"-o", "-w", "-u", "-d", "-H", "-X"}


@pytest.mark.parametrize(
    ("provider", "collection"), [("Xero", "Organisations"), ("QuickBooks Online", "CompanyInfo")]
)
async def test_the_printed_commands_lead_from_a_consent_to_the_books(
    sandbox: Running, provider: str, collection: str
) -> None:
    _, consent, exchange, call = _commands(sandbox.logged(), provider)
    async with httpx.AsyncClient(timeout=30) as http:
        await http.post(f"{sandbox.url}/_control/reset")

        sent_back = await _curl(http, consent)
        [code] = parse_qs(urlsplit(sent_back.headers["location"]).query)["code"]
        tokens = await _curl(http, exchange.replace("CODE", code))
        books = await _curl(http, call.replace("ACCESS_TOKEN", tokens.json()["access_token"]))

    assert collection in books.json()


@pytest.mark.parametrize("provider", ["Xero", "QuickBooks Online"])
async def test_the_printed_discovery_document_names_what_a_client_needs(
    sandbox: Running, provider: str
) -> None:
    [address] = [line.split()[1] for line in _part(sandbox.logged(), provider) if "discovery" in line]

    async with httpx.AsyncClient(timeout=30) as http:
        found = (await http.get(address)).json()
        keys = (await http.get(found["jwks_uri"])).json()["keys"]

    needed = (
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
    )
    assert [found[name].startswith(sandbox.url) for name in needed] == [True] * len(needed)
    assert [key["kty"] for key in keys] == ["RSA"]


@pytest.mark.parametrize("end", ["", "/"])
async def test_intuits_document_for_its_own_sandbox_says_the_same(sandbox: Running, end: str) -> None:
    place = f"{sandbox.url}/quickbooks/.well-known/openid"
    async with httpx.AsyncClient(timeout=30) as http:
        live = await http.get(f"{place}_configuration{end}")
        trial = await http.get(f"{place}_sandbox_configuration{end}")

    assert live.json() == trial.json()


async def test_another_address_to_come_back_to_is_entered_as_printed(sandbox: Running) -> None:
    enter, *_ = _commands(sandbox.logged(), "QuickBooks Online")
    async with httpx.AsyncClient(timeout=30) as http:
        entered = (await _curl(http, enter)).json()
        await http.post(f"{sandbox.url}/_control/reset")

    assert entered["redirect_uris"] == ["http://localhost:3000/"]


@pytest.mark.parametrize(
    ("provider", "name", "path", "header"),
    [
        ("Xero", "webhook key", "/_control/apps/sandbox-xero/webhooks", "x-xero-signature"),
        (
            "QuickBooks Online",
            "verifier token",
            "/_control/quickbooks/apps/sandbox-quickbooks/webhooks",
            "intuit-signature",
        ),
    ],
)
async def test_webhooks_are_signed_with_what_is_printed(
    sandbox: Running, provider: str, name: str, path: str, header: str
) -> None:
    [line] = [line for line in _part(sandbox.logged(), provider) if line.strip().startswith(name)]
    key = line.strip().removeprefix(name).strip()

    async with httpx.AsyncClient(base_url=sandbox.url, timeout=30) as http:
        shown = (await http.post(path, json={"send": False, "unknown": 1})).json()

    [letter] = shown["letters"]
    digest = hmac.digest(key.encode(), letter["body"].encode(), "sha256")
    assert letter["headers"][header] == base64.b64encode(digest).decode()


def test_a_port_that_is_taken_is_named_in_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "tieline_sandbox", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

    sentence = f"Port {port} is taken: end what listens there, or choose another one with --port.\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", sentence)


def test_an_answer_goes_out_at_once_and_waits_for_no_acknowledgement() -> None:
    listening = _listening("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()

    with accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def _part(said: str, provider: str) -> Iterator[str]:
    """The lines about one provider."""
    inside = False
    for line in said.splitlines():
        if not line.startswith(" "):
            inside = line.startswith(f"{provider} under ")
        elif inside:
            yield line


def _commands(said: str, provider: str) -> list[str]:
    return [line.strip() for line in _part(said, provider) if line.strip().startswith("curl ")]


async def _curl(http: httpx.AsyncClient, command: str) -> httpx.Response:
    """What curl would send: as much of curl as the printed commands use."""
    words, given, places = iter(shlex.split(command)[1:]), dict[str, list[str]](), list[str]()
    for word in words:
        if word in _VALUED:
            given.setdefault(word, []).append(next(words))
        elif word != "-s":
            places.append(word)
    [address] = places
    headers = dict(line.split(": ", 1) for line in given.get("-H", []))
    body = "&".join(given.get("-d", []))
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    [method] = given.get("-X", ["POST" if body else "GET"])
    [user] = given.get("-u", [""])
    auth = httpx.BasicAuth(*user.split(":")) if user else None
    return await http.request(method, address, content=body, headers=headers, auth=auth)
