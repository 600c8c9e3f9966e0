"""Every rule of a connect, read off a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tieline.clients.repository import Client
from tieline.connections.decisions import Asked, Decided, Facts, Reach, Step, decide, decide_all
from tieline.connections.organisations.repository import Organisation
from tieline.connections.repository import Connection
from tieline.connections.states import Reason, Status
from tieline.errors import (
    ConsentTooNarrow,
    DifferentOrganisation,
    Forbidden,
    NamedTwice,
    NotFound,
    NotInThisLogin,
    OrganisationInUse,
    Refused,
)
from tieline.ids import ClientId, ConnectionId, CredentialId, OrganisationId, PersonId, PracticeId
from tieline.plugins import Product

_AT = datetime(2031, 5, 4, tzinfo=UTC)
X, Y, HIDDEN, BARRED = (ClientId(UUID(int=number)) for number in range(1, 5))
A, B, UNREACHED, NARROW, TAKEN, SECRET, UNKNOWN = (
    OrganisationId(UUID(int=number)) for number in range(11, 18)
)
MINE, OLD = CredentialId(UUID(int=21)), CredentialId(UUID(int=22))


def client(id: ClientId) -> Client:
    return Client(
        id=id,
        practice_id=PracticeId(UUID(int=99)),
        name=f"Client {id.int}",
        legal_name=None,
        practice_code=None,
        team_id=None,
        country=None,
        currency=None,
        tax_number=None,
        registration_number=None,
        created_at=_AT,
        administered=False,
    )


def organisation(id: OrganisationId, client_id: ClientId | None = None) -> Organisation:
    return Organisation(
        id=id,
        provider="pretend",
        environment="LIVE",
        external_id=str(id.int),
        name=f"Books {id.int}",
        legal_name=None,
        country=None,
        currency=None,
        client_id=client_id,
        details_at=None,
        last_synced_at=None,
    )


def standing(organisation_id: OrganisationId, reason: Reason | None = None) -> dict[ClientId, Connection]:
    made = Connection(
        id=ConnectionId(UUID(int=31)),
        practice_id=PracticeId(UUID(int=99)),
        client_id=X,
        product=Product.BOOKKEEPING,
        organisation_id=organisation_id,
        credential_id=OLD,
        reason=reason,
        mismatch=False,
        accepted_names=None,
        status=Status.CONNECTED if reason is None else Status.EXPIRED,
        connected_at=_AT,
        ended_at=None,
        provider="pretend",
        organisation_name=f"Books {organisation_id.int}",
        integrated_by=PersonId(UUID(int=41)),
        login=None,
    )
    return {X: made}


def facts(**more: Any) -> Facts:
    known = [A, B, UNREACHED, NARROW, SECRET]
    base = Facts(
        product=Product.BOOKKEEPING,
        clients={each: client(each) for each in (X, Y, BARRED)},
        forbids=lambda client: Forbidden("MANAGE_CONNECTIONS") if client.id == BARRED else None,
        organisations={each: organisation(each) for each in known} | {TAKEN: organisation(TAKEN, Y)},
        seen=frozenset({A, B, UNREACHED, NARROW, TAKEN}),
        reached={each: Reach(credential_id=MINE, covers=each != NARROW) for each in (A, B, NARROW, TAKEN)},
        consented=frozenset(),
        over=frozenset(),
        current={},
    )
    return replace(base, **more)


def decided(client_id: ClientId, organisation_id: OrganisationId, **more: Any) -> Decided | Refused:
    return decide(Asked(client_id=client_id, organisation_id=organisation_id), facts(**more))


@pytest.mark.parametrize(
    ("client_id", "organisation_id", "refusal", "field"),
    [
        (HIDDEN, UNKNOWN, NotFound, "clientId"),
        (BARRED, UNKNOWN, Forbidden, "clientId"),
        (X, UNKNOWN, NotFound, "organisationId"),
        (X, UNREACHED, NotInThisLogin, "organisationId"),
        (X, NARROW, ConsentTooNarrow, "signInId"),
        (X, TAKEN, OrganisationInUse, "organisationId"),
    ],
)
def test_a_refusal_is_the_first_that_applies(
    client_id: ClientId, organisation_id: OrganisationId, refusal: type[Refused], field: str | None
) -> None:
    refused = decided(client_id, organisation_id, current=standing(B))

    assert type(refused) is refusal
    assert refused.field == field


@pytest.mark.parametrize(
    ("stands", "step"),
    [
        ({}, Step.NEW),
        (standing(A), Step.KEEP),
        *((standing(A, reason), Step.RESUME) for reason in Reason),
        (standing(B, Reason.DISCONNECTED), Step.REPLACE),
    ],
)
def test_what_a_good_row_takes(stands: dict[ClientId, Connection], step: Step) -> None:
    assert decided(X, A, current=stands) == Decided(step=step, credential_id=MINE, standing=stands.get(X))


@pytest.mark.parametrize("reason", [None, *(reason for reason in Reason if reason != Reason.DISCONNECTED)])
def test_another_organisation_is_a_change_unless_the_one_before_was_disconnected(
    reason: Reason | None,
) -> None:
    refused = decided(X, A, current=standing(B, reason))

    assert isinstance(refused, DifferentOrganisation)
    assert f"Books {B.int}" in str(refused)


def test_its_own_client_may_take_an_organisation_for_another_product() -> None:
    taken = decided(Y, TAKEN)

    assert isinstance(taken, Decided)
    assert taken.step is Step.NEW


@pytest.mark.parametrize(
    ("rows", "outcomes"),
    [
        ([(X, A), (X, A)], [Decided, NamedTwice]),
        ([(X, A), (X, B)], [Decided, NamedTwice]),
        ([(X, A), (Y, A)], [Decided, OrganisationInUse]),
        ([(HIDDEN, A), (Y, A)], [NotFound, Decided]),
        ([(BARRED, A), (Y, A), (X, A)], [Forbidden, Decided, OrganisationInUse]),
        ([(X, UNKNOWN), (X, A), (X, B)], [NotFound, Decided, NamedTwice]),
        ([(X, TAKEN), (X, A), (Y, TAKEN)], [OrganisationInUse, Decided, Decided]),
        ([(X, A), (X, B), (Y, B)], [Decided, NamedTwice, Decided]),
        ([(X, A), (Y, B)], [Decided, Decided]),
        ([], []),
    ],
)
def test_a_row_is_measured_against_the_good_ones_before_it(
    rows: list[tuple[ClientId, OrganisationId]], outcomes: list[type]
) -> None:
    asked = [Asked(client_id=one, organisation_id=other) for one, other in rows]

    assert [type(each) for each in decide_all(asked, facts())] == outcomes


@pytest.mark.parametrize(
    ("seen", "clients", "sentence"),
    [
        ({TAKEN}, {X, Y}, "Books 15 already serves the client Client 2."),
        ({TAKEN}, {X}, "Books 15 already serves another client of your practice."),
        (set(), {X}, "This organisation already serves another client of your practice."),
    ],
)
def test_names_are_told_to_those_who_may_see_them(
    seen: set[OrganisationId], clients: set[ClientId], sentence: str
) -> None:
    refused = decided(X, TAKEN, seen=frozenset(seen), clients={each: client(each) for each in clients})

    assert str(refused) == sentence


def test_an_organisation_nobody_showed_is_not_named() -> None:
    assert str(decided(X, SECRET)).startswith("This sign-in does not reach this organisation:")


@pytest.mark.parametrize("reason", [None, *Reason])
def test_where_a_move_is_meant_another_organisation_takes_the_place_of_the_one_before(
    reason: Reason | None,
) -> None:
    known = facts(current=standing(B, reason))

    moved = decide(Asked(client_id=X, organisation_id=A), known, moves=True)

    assert moved == Decided(step=Step.REPLACE, credential_id=MINE, standing=known.current[X])
