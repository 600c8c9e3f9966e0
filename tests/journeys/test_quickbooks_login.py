"""Whose login a QuickBooks connection hangs on, as front ends are told: the person, and Intuit's own name for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.journeys.test_sign_in_rounds import NAMES, connected, rounds
from tests.support.rounds import Rounds

__all__ = ["rounds"]

INTEGRATED_BY = """{ connectionBoard(product: BOOKKEEPING) { nodes {
  connection { integratedBy { login person { name } } } } } }"""


async def integrated_by(rounds: Rounds) -> dict[str, Any]:
    """What the board shows of the only connection."""
    [row] = (await rounds.firm.admin.ask(INTEGRATED_BY))["connectionBoard"]["nodes"]
    shown: dict[str, Any] = row["connection"]["integratedBy"]
    return shown


async def test_a_connection_shows_the_person_and_the_address_that_they_log_in_with(rounds: Rounds) -> None:
    await connected(rounds, NAMES[0])

    assert await integrated_by(rounds) == {
        "login": rounds.person.email,
        "person": {"name": "The Admin"},
    }


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "fault", "form": "lower", "status": 403}],
    ids=["down", "page", "refused"],
)
async def test_a_login_whose_name_intuit_does_not_tell_connects_all_the_same(
    rounds: Rounds, fault: dict[str, Any]
) -> None:
    await rounds.quickbooks.sandbox.plant(endpoint="userinfo", user=rounds.person.id, **fault)

    await connected(rounds, NAMES[0])

    assert (await integrated_by(rounds))["login"] is None


async def test_whoever_consents_to_the_company_next_is_shown_and_never_the_one_before(rounds: Rounds) -> None:
    await connected(rounds, NAMES[0])
    company, other = rounds.person.named(NAMES[0]), await rounds.quickbooks.populate(companies=1)
    await rounds.quickbooks.share(other, company)

    await replace(rounds, person=other).completed(await rounds.start(), company)
    named = await integrated_by(rounds)
    await rounds.quickbooks.sandbox.plant("status", "userinfo", user=rounds.person.id, status=503)
    await rounds.completed(await rounds.start(), company)

    assert named["login"] == other.email
    assert (await integrated_by(rounds))["login"] is None
