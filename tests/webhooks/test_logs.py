"""What the log says of a delivery that could not be worked: whose it was and where it failed, nothing that it held."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.books import Books
from tests.support.deployment import Deployment, Gateway
from tests.support.logged import logging_to
from tests.webhooks.desk import SECRET, XERO, desk_at
from tests.webhooks.test_once import answering
from tieline.plugins import Registry
from tieline.vault import Secret
from tieline_xero import Xero

BODY = b'{"events": "of The Bakery"}'


class Quoting(Xero):
    """Its errors say all that it knows."""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, secret: Secret) -> Any:
        try:
            return int(body)
        except ValueError as error:
            error.add_note(secret.reveal())
            raise LookupError(f"{headers} {body!r} {secret.reveal()}") from error


class Mistaken(Xero):
    def parse_webhook(self, headers: Mapping[str, str], body: bytes, secret: Secret) -> Any:
        del headers, secret
        return body


async def failed(books: Books, gateway: Gateway, plugin: Xero) -> tuple[str, dict[str, Any]]:
    """All that was logged, and of that the line of the delivery."""
    async with desk_at(XERO, books, gateway.url) as desk, answering(Registry.of(plugin)) as (http, _):
        with logging_to() as written:
            assert (await http.post(desk.path, content=BODY)).status_code == 500
    text = written.getvalue()
    [line] = [line for line in map(json.loads, text.splitlines()) if line["event"] == "webhook.not_read"]
    assert (line["provider"], line["app_id"]) == ("xero", str(desk.app_id))
    assert SECRET not in text
    assert "The Bakery" not in text
    return text, line


async def test_a_plugin_that_quotes_body_and_secret_is_told_by_its_classes_and_lines(
    opened: Deployment, books: Books, gateway: Gateway
) -> None:
    del opened  # this process answers

    text, line = await failed(books, gateway, Quoting())

    assert line["reason"] == "the plugin xero raised LookupError"
    assert "ValueError" in line["exception"]
    assert "in parse_webhook" in line["exception"]
    assert "invalid literal" not in text


async def test_a_plugin_that_makes_something_else_is_told_what_it_was_to_make(
    opened: Deployment, books: Books, gateway: Gateway
) -> None:
    del opened

    _, line = await failed(books, gateway, Mistaken())

    assert line["reason"] == "the plugin xero made something else than events of a delivery"
