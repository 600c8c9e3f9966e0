"""What a provider calls its answers is known wherever one of them is a fault, so that its support can be asked."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from tests.plugins.pretending import Reply, pretending, said
from tests.plugins.providers import OAUTH, Abacus
from tests.plugins.sessions import talking
from tieline.errors import AccessLost, ProviderBroken, ProviderError
from tieline.log import fields_of
from tieline.plugins import refresh_request, send
from tieline.vault import Secret
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

HERE = replace(OAUTH, endpoints=replace(OAUTH.endpoints, reference_header="x-trace"))
NAMED = "1-65a9c2f1-4b6d"


@pytest.mark.parametrize(
    ("status", "error"), [(403, AccessLost), (500, ProviderBroken), (418, ProviderBroken)]
)
async def test_a_fault_ends_with_what_the_provider_calls_its_answer(
    status: int, error: type[ProviderError]
) -> None:
    async with talking(Abacus(oauth=HERE)) as talk:
        talk.pretender.will(said({}, status=status, x_trace=NAMED))

        with pytest.raises(error) as caught:
            await talk.session.get("company")

    assert str(caught.value).endswith(f" Its support finds the answer by {NAMED}.")
    assert fields_of(caught.value)["reference"] == NAMED


async def test_an_answer_that_cannot_be_read_is_named_too() -> None:
    async with talking(Abacus(oauth=HERE)) as talk:
        talk.pretender.will(Reply(headers={"X-Trace": NAMED}, body=b"no JSON"))

        with pytest.raises(ProviderBroken, match=NAMED):
            (await talk.session.get("company")).json()


@pytest.mark.parametrize("name", ["", "two words", "x" * 101, "a\tb", "<b>", "a, b"])
async def test_what_is_no_name_is_not_repeated(name: str) -> None:
    async with talking(Abacus(oauth=HERE)) as talk:
        talk.pretender.will(said({}, status=403, x_trace=name))

        with pytest.raises(AccessLost) as caught:
            await talk.session.get("company")

    assert caught.value.reference is None
    assert "support" not in str(caught.value)


async def test_calls_of_the_token_endpoint_are_told_with_their_names_and_without_what_they_carry() -> None:
    async with pretending() as pretender, httpx.AsyncClient(trust_env=False) as client:
        pretender.will(said({"error": "invalid_grant"}, status=400, x_trace=NAMED))
        endpoints = HERE.endpoints.moved_to(pretender.url)
        secret, token = Secret("s-secret"), Secret("r-token")
        request = refresh_request(HERE, endpoints, client_id="app", client_secret=secret, refresh=token)

        with capture_logs() as logs:
            await send(client, request, provider="abacus", seconds=60)

    [entry] = logs
    assert (entry["event"], entry["status"], entry["reference"]) == ("provider.called", 400, NAMED)
    assert (entry["method"], entry["path"]) == ("POST", "/oauth/token")
    assert not any(hidden in str(entry) for hidden in ("s-secret", "r-token"))


def test_both_providers_say_where_their_answers_are_named() -> None:
    assert Xero().oauth.endpoints.reference_header == "xero-correlation-id"
    for endpoints in (QuickBooks().oauth.endpoints, QuickBooks().oauth.sandbox_endpoints):
        assert endpoints is not None
        assert endpoints.reference_header == "intuit_tid"
