"""A token that comes again: its signature was checked, and what has changed since is found all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.identity.conftest import Calendar
from tests.support.issuer import IssuerServer, published, rsa_key
from tieline.errors import Unauthenticated
from tieline.identity.issuer import FRESH_FOR, Issuer
from tieline.identity.jwks import KeySet, PublicKey, read_key_set
from tieline.identity.tokens import TokenRefused
from tieline.identity.verified import MOST, Verified
from tieline_gateway.connections import _MOST as PLACES


def key_of(server: IssuerServer) -> PublicKey:
    """The key `first` as it is read from what is published: another object each time."""
    keys: KeySet = read_key_set({"keys": server.keys})
    key = keys.find("first", "RS256")
    assert key is not None
    return key


def test_a_signature_is_checked_once_by_each_key_that_was_fetched(server: IssuerServer) -> None:
    verified, token = Verified(), server.token("ann")
    first, again = key_of(server), key_of(server)

    claims = verified.claims(token, first)

    assert verified.claims(token, first) is claims
    assert verified.claims(token, again) is not claims
    assert len(verified) == 1


def test_what_was_refused_is_not_kept_and_what_was_taken_is_not_taken_without_its_key(
    server: IssuerServer,
) -> None:
    verified, token, key = Verified(), server.token("ann"), key_of(server)
    verified.claims(token, key)
    forged = token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8)

    for one, by in ((forged, key), (token, None)):
        with pytest.raises(TokenRefused):
            verified.claims(one, by)
    assert len(verified) == 0


def test_so_many_are_kept_and_the_one_that_came_last_stays(server: IssuerServer) -> None:
    verified, key = Verified(most=2), key_of(server)
    first, second, third = (server.token(subject) for subject in ("ann", "ben", "cid"))
    claims = verified.claims(first, key)
    verified.claims(second, key)
    verified.claims(first, key)

    verified.claims(third, key)

    assert len(verified) == 2
    assert verified.claims(first, key) is claims


async def test_a_token_that_was_taken_is_refused_once_it_is_over(
    trusted: Issuer, server: IssuerServer, calendar: Calendar
) -> None:
    token = server.token("ann", at=calendar.at)
    assert (await trusted.identify(token)).subject == "ann"

    calendar.move(timedelta(seconds=300))

    with pytest.raises(Unauthenticated):
        await trusted.identify(token)


async def test_a_token_that_was_taken_is_refused_once_its_issuer_has_another_key_of_that_name(
    trusted: Issuer, server: IssuerServer, calendar: Calendar
) -> None:
    token = server.token("ann", at=calendar.at, exp=int((calendar.at + timedelta(days=1)).timestamp()))
    assert (await trusted.identify(token)).subject == "ann"
    server.publish(published(rsa_key("second"), "first", alg="RS256"))
    assert (await trusted.identify(token)).subject == "ann", "nobody has asked the issuer since"

    calendar.move(FRESH_FOR)

    with pytest.raises(Unauthenticated):
        await trusted.identify(token)


def test_the_tokens_of_all_places_of_a_process_are_kept() -> None:
    assert MOST >= PLACES, (
        "one after another in the same order, none of more than are kept would be there still"
    )
