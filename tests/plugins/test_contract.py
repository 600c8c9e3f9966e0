"""What the contract's data says of itself: addresses, scopes, and whether a consent is enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.plugins.providers import OAUTH
from tieline.errors import Invalid
from tieline.plugins import Endpoints, Product


@pytest.mark.parametrize("base", ["http://localhost:9000/xero", "http://localhost:9000/xero/"])
def test_endpoints_keep_their_paths_under_another_base(base: str) -> None:
    moved = replace(OAUTH.endpoints, issuer="https://id.abacus.test").moved_to(base)

    assert moved == Endpoints(
        authorize="http://localhost:9000/xero/oauth/authorize",
        token="http://localhost:9000/xero/oauth/token",
        revocation="http://localhost:9000/xero/oauth/revoke",
        api="http://localhost:9000/xero/v3",
        issuer="http://localhost:9000/xero",
    )
    assert OAUTH.endpoints.moved_to(base).issuer is None


@pytest.mark.parametrize(
    "base", ["", "localhost:9000", "ftp://host", "http://", "http://host?a=b", "http://host#there", "/xero"]
)
def test_a_base_that_is_no_plain_address_is_refused(base: str) -> None:
    with pytest.raises(Invalid, match=r"has the form scheme://host"):
        OAUTH.endpoints.moved_to(base)


def test_scopes_are_asked_for_with_the_base_first_sorted_and_none_twice() -> None:
    oauth = replace(
        OAUTH,
        product_scopes={
            Product.BOOKKEEPING: ("ledger", "openid", "bills"),
            Product.DATA_HEALTH: ("ledger", "audit"),
        },
    )

    assert oauth.scopes_for([Product.DATA_HEALTH, Product.BOOKKEEPING]) == (
        "offline",
        "openid",
        "audit",
        "bills",
        "ledger",
    )
    assert oauth.scopes_for([]) == ("offline", "openid")


@pytest.mark.parametrize(
    ("granted", "enough"),
    [
        ({"ledger", "contacts.read"}, True),
        ({"ledger", "contacts"}, True),
        ({"ledger", "contacts", "more"}, True),
        ({"ledger"}, False),
        ({"contacts", "contacts.read"}, False),
        (set[str](), False),
    ],
)
def test_a_consent_covers_a_product_when_each_scope_or_a_wider_one_is_there(
    granted: set[str], *, enough: bool
) -> None:
    assert OAUTH.covers(granted, Product.BOOKKEEPING) is enough


def test_a_product_that_the_provider_does_not_have_is_never_covered() -> None:
    assert OAUTH.covers({"ledger", "contacts"}, Product.DATA_HEALTH) is False
