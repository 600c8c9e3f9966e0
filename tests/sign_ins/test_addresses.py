"""Where browsers may be sent back to, by table."""

from __future__ import annotations

import pytest

from tieline.errors import Invalid
from tieline.sign_ins.addresses import MAX_LENGTH, checked_return_url, with_answer

ORIGINS = frozenset({"https://app.example", "http://localhost:3000", "https://xn--bcher-kva.example"})
HOST = "https://app.example/"


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example",
        "https://app.example/",
        "https://app.example/done",
        "https://app.example/done/",
        "https://app.example?tab=books",
        "https://app.example/done?tab=books&then=%2Fclients",
        "https://APP.Example/done",
        "HTTPS://app.example/done",
        "https://app.example:443/done",
        "http://localhost:3000/done",
        "https://xn--bcher-kva.example/done",
        HOST + "x" * (MAX_LENGTH - len(HOST)),
    ],
)
def test_an_address_of_an_allowed_origin_is_taken_as_it_is(address: str) -> None:
    assert checked_return_url(address, ORIGINS) == address


@pytest.mark.parametrize(
    ("address", "twin"),
    [
        ("", "https://app.example/done"),
        ("/done", "https://app.example/done"),
        ("app.example/done", "https://app.example/done"),
        ("//app.example/done", "https://app.example/done"),
        ("https:/app.example/done", "https://app.example/done"),
        ("https:app.example", "https://app.example/done"),
        ("https:///app.example/done", "https://app.example/done"),
        ("javascript:alert(1)//https://app.example", "https://app.example"),
        ("javascript://app.example/%0aalert(1)", "https://app.example/done"),
        ("data:text/html,https://app.example", "https://app.example"),
        ("ftp://app.example/done", "https://app.example/done"),
        ("http://app.example/done", "https://app.example/done"),
        ("https://app.example:8443/done", "https://app.example:443/done"),
        ("https://app.example:/done", "https://app.example:443/done"),
        ("https://app.example:0443/done", "https://app.example:443/done"),
        ("https://localhost:3000/done", "http://localhost:3000/done"),
        ("http://localhost/done", "http://localhost:3000/done"),
        ("http://127.0.0.1:3000/done", "http://localhost:3000/done"),
        ("https://app.example.evil.example/done", "https://app.example/done"),
        ("https://evil.example/https://app.example", "https://app.example/https://evil.example"),
        ("https://evil.example?https://app.example", "https://app.example?https://evil.example"),
        ("https://notapp.example/done", "https://app.example/done"),
        ("https://app.example./done", "https://app.example/done"),
        ("https://app.example/done#top", "https://app.example/done"),
        ("https://app.example/#", "https://app.example/"),
        ("https://app.example@evil.example/done", "https://app.example/done"),
        ("https://me:secret@app.example/done", "https://app.example/done"),
        ("https://me@app.example/done", "https://app.example/done"),
        ("https://@app.example/done", "https://app.example/done"),
        ("https://evil.example\\@app.example/done", "https://app.example/done"),
        ("https://app.example\\@evil.example/done", "https://app.example/done"),
        ("https://app.example\\.evil.example/done", "https://app.example/done"),
        ("https://app.example/done\\..", "https://app.example/done"),
        (" https://app.example/done", "https://app.example/done"),
        ("https://app.example/done ", "https://app.example/done"),
        ("https://app.example/done\n", "https://app.example/done"),
        ("https://app.example/done\r\nLocation: https://evil.example", "https://app.example/done"),
        ("https://app.exa\tmple/done", "https://app.example/done"),
        ("https://app.example\x00/done", "https://app.example/done"),
        ("https://app.example/do ne", "https://app.example/do%20ne"),
        ('https://app.example/"><script>', "https://app.example/done"),
        ("https://bücher.example/done", "https://xn--bcher-kva.example/done"),
        ("https://app。example/done", "https://app.example/done"),
        ("https://app.example\uff0fdone", "https://app.example/done"),
        ("https://\uff41pp.example/done", "https://app.example/done"),
        ("https://аpp.example/done", "https://app.example/done"),
        ("https://app.example/ü", "https://app.example/%C3%BC"),
        ("https://app.example%2eevil.example/done", "https://app.example/done"),
        ("https://app.example%00.evil.example/done", "https://app.example/done"),
        ("https://[::1]/done", "https://app.example/done"),
        ("https://[app.example]/done", "https://app.example/done"),
        (HOST + "x" * (MAX_LENGTH + 1 - len(HOST)), HOST + "x" * (MAX_LENGTH - len(HOST))),
    ],
)
def test_an_address_elsewhere_is_refused_and_its_twin_taken(address: str, twin: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_return_url(address, ORIGINS)

    assert refused.value.field == "returnUrl"
    assert checked_return_url(twin, ORIGINS) == twin


def test_without_allowed_origins_there_is_no_way_back() -> None:
    with pytest.raises(Invalid):
        checked_return_url("https://app.example/done", frozenset())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://app.example", "https://app.example/?signIn=1&error=A+B"),
        ("https://app.example/done", "https://app.example/done?signIn=1&error=A+B"),
        ("https://app.example/done?", "https://app.example/done?signIn=1&error=A+B"),
        ("https://app.example/done?a=b%20c", "https://app.example/done?a=b%20c&signIn=1&error=A+B"),
    ],
)
def test_the_answer_comes_after_the_addresss_own_parameters(address: str, expected: str) -> None:
    assert with_answer(address, {"signIn": "1", "error": "A B"}) == expected
