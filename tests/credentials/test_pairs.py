"""The pair of tokens as it goes from refresh to refresh, and as it is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tieline.credentials.pairs import Pair, place_of
from tieline.ids import CredentialId, PracticeId, new_id
from tieline.plugins import TokenSet
from tieline.vault import Secret, Vault, generate_key

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
HUNDRED_DAYS, FIVE_YEARS = timedelta(days=100), timedelta(days=5 * 365)
TOLD = TokenSet(
    access=Secret("a"),
    refresh=Secret("r"),
    id_token=None,
    expires_in=timedelta(hours=1),
    refresh_expires_in=HUNDRED_DAYS,
    refresh_hard_expires_in=FIVE_YEARS,
    scopes=frozenset({"ledger"}),
)


def test_the_end_of_a_grant_counts_from_the_answer_that_tells_it() -> None:
    assert Pair.of(TOLD, at=NOW).hard_expires_at == NOW + FIVE_YEARS
    assert Pair.of(replace(TOLD, refresh_hard_expires_in=None), at=NOW).hard_expires_at is None


@pytest.mark.parametrize("refresh", [Secret("another"), None])
def test_the_end_of_a_grant_stays_where_a_refresh_does_not_tell_it(refresh: Secret | None) -> None:
    silent = replace(TOLD, refresh=refresh, refresh_hard_expires_in=None)

    after = Pair.of(TOLD, at=NOW).followed_by(silent, at=LATER, refresh_life=HUNDRED_DAYS)

    assert after.hard_expires_at == NOW + FIVE_YEARS
    assert after.refresh == (refresh or Secret("r"))


def test_the_end_of_a_grant_is_taken_from_a_refresh_that_tells_it() -> None:
    shorter = replace(TOLD, refresh_hard_expires_in=timedelta(days=20))

    after = Pair.of(TOLD, at=NOW).followed_by(shorter, at=LATER, refresh_life=HUNDRED_DAYS)

    assert after.hard_expires_at == LATER + timedelta(days=20)


def test_a_pair_that_was_kept_before_its_grants_end_was_opens_still() -> None:
    vault = Vault.from_text(generate_key("one"))
    place = place_of(PracticeId(new_id()), CredentialId(new_id()))
    pair = Pair.of(TOLD, at=NOW)
    assert Pair.opened(pair.sealed(vault, place), vault, place) == pair
    plain = json.loads(vault.open(pair.sealed(vault, place), place).reveal())
    del plain["hard_expires_at"]

    before = Pair.opened(vault.seal(Secret(json.dumps(plain)), place), vault, place)

    assert before == replace(pair, hard_expires_at=None)
