"""What a provider says a login reaches, and what that mends, by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tieline.connections.repository import Connection
from tieline.connections.states import Reason, Status
from tieline.credentials.asking import each_once
from tieline.credentials.repository import Credential, State
from tieline.ids import (
    AppId,
    ClientId,
    ConnectionId,
    CredentialId,
    OrganisationId,
    PersonId,
    PracticeId,
    new_id,
)
from tieline.plugins import Product, Reached
from tieline.sign_ins.stock import is_mended
from tieline_xero.provider import Xero

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
PRACTICE, OURS, OTHER = PracticeId(new_id()), CredentialId(new_id()), CredentialId(new_id())


def connection(
    reason: Reason | None, *, credential_id: CredentialId = OURS, ended: bool = False
) -> Connection:
    return Connection(
        id=ConnectionId(new_id()),
        practice_id=PRACTICE,
        client_id=ClientId(new_id()),
        product=Product.BOOKKEEPING,
        organisation_id=OrganisationId(new_id()),
        credential_id=credential_id,
        reason=reason,
        mismatch=False,
        accepted_names=None,
        status=Status.EXPIRED,
        connected_at=NOW,
        ended_at=NOW if ended else None,
        provider="xero",
        organisation_name="Ashford",
        integrated_by=PersonId(new_id()),
        login=None,
    )


def credential(*products: Product) -> Credential:
    return Credential(
        id=OURS,
        practice_id=PRACTICE,
        app_id=AppId(new_id()),
        subject="kim",
        login=None,
        person_id=PersonId(new_id()),
        scopes=frozenset(Xero().oauth.scopes_for(products)),
        access_expires_at=NOW,
        refresh_expires_at=None,
        hard_expires_at=None,
        refreshed_at=NOW,
        state=State.LIVE,
        dead_reason=None,
        version=1,
    )


@pytest.mark.parametrize(
    ("reason", "by_the_way", "by_its_own_consent"),
    [
        (None, False, False),
        (Reason.TOKEN_EXPIRED, True, True),
        (Reason.REVOKED_AT_PROVIDER, True, True),
        (Reason.CONSENT_EXPIRED, False, True),
        (Reason.SCOPE_MISSING, False, False),
        (Reason.ACCESS_LOST, False, False),
        (Reason.SUBSCRIPTION_LAPSED, False, False),
        (Reason.DISCONNECTED, False, False),
    ],
)
def test_what_a_new_consent_mends(
    reason: Reason | None, *, by_the_way: bool, by_its_own_consent: bool
) -> None:
    wide, oauth = credential(Product.BOOKKEEPING), Xero().oauth

    assert is_mended(connection(reason), wide, oauth, consented=False) is by_the_way
    assert is_mended(connection(reason), wide, oauth, consented=True) is by_its_own_consent


def test_it_mends_nothing_that_has_ended_or_hangs_elsewhere_or_needs_more() -> None:
    wide, narrow, oauth = credential(Product.BOOKKEEPING), credential(), Xero().oauth
    broken = Reason.TOKEN_EXPIRED

    assert not is_mended(connection(broken, ended=True), wide, oauth, consented=True)
    assert not is_mended(connection(broken, credential_id=OTHER), wide, oauth, consented=True)
    assert not is_mended(connection(broken), narrow, oauth, consented=True)
    assert not is_mended(connection(broken), replace(wide, state=State.DEAD), oauth, consented=True)


def test_what_is_named_twice_is_one() -> None:
    def named(external_id: str, *, consented: bool) -> Reached:
        return Reached(external_id=external_id, name=external_id.upper(), consented=consented)

    reached = [named("a", consented=True), named("b", consented=False), named("a", consented=False)]

    assert each_once("xero", reached) == [named("a", consented=True), named("b", consented=False)]
    assert each_once("xero", reversed(reached)) == [named("a", consented=True), named("b", consented=False)]
