"""The states of a sign-in, by table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tieline.errors import SignInNotReady, SignInOver
from tieline.sign_ins.states import (
    Failure,
    SignInState,
    check_usable,
    over,
    sentence_of,
    state_after_refusal,
    state_at,
)

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_a_sentence(failure: Failure) -> None:
    assert sentence_of(failure).endswith(".")


@pytest.mark.parametrize(
    ("state", "usable_until", "shown"),
    [
        (SignInState.READY, LATER, SignInState.READY),
        (SignInState.READY, NOW, SignInState.EXPIRED),
        (SignInState.STARTED, NOW, SignInState.STARTED),
        (SignInState.STARTED, None, SignInState.STARTED),
        (SignInState.FAILED, None, SignInState.FAILED),
    ],
)
def test_a_sign_in_is_over_with_its_last_usable_moment(
    state: SignInState, usable_until: datetime | None, shown: SignInState
) -> None:
    assert state_at(state, usable_until, NOW) is shown


@pytest.mark.parametrize(
    ("ready", "pending", "state"),
    [
        (False, False, SignInState.FAILED),
        (True, False, SignInState.READY),
        (False, True, SignInState.CONSENTED),
        (True, True, SignInState.CONSENTED),
    ],
)
def test_a_refused_round_leaves_what_there_is(*, ready: bool, pending: bool, state: SignInState) -> None:
    assert state_after_refusal(ready=ready, pending=pending) is state


@pytest.mark.parametrize("state", [SignInState.READY, SignInState.STARTED, SignInState.CONSENTED])
def test_a_completed_sign_in_is_usable_for_its_time_whatever_round_is_under_way(state: SignInState) -> None:
    check_usable(state, None, ready_at=EARLIER, usable_until=LATER, at=NOW)

    with pytest.raises(SignInOver):
        check_usable(state, None, ready_at=EARLIER, usable_until=NOW, at=NOW)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (SignInState.STARTED, SignInNotReady),
        (SignInState.CONSENTED, SignInNotReady),
        (SignInState.FAILED, SignInOver),
        (SignInState.EXPIRED, SignInOver),
    ],
)
def test_one_that_was_not_completed_is_not_usable(state: SignInState, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        check_usable(state, Failure.CONSENT_DENIED, ready_at=None, usable_until=None, at=NOW)


def test_what_is_over_says_why() -> None:
    assert (
        str(over(SignInState.FAILED, Failure.CONSENT_DENIED, field="id"))
        == "The consent was denied. Begin a new sign-in."
    )
    assert (
        str(over(SignInState.EXPIRED, None, field="id")) == "This sign-in has run out. Begin a new sign-in."
    )
