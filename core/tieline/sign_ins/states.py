"""The states of a sign-in, why one may fail, and what callers are told: pure, and the product's own vocabulary."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from tieline.errors import SignInNotReady, SignInOver

ROUND_LIFE = timedelta(minutes=15)
"""How long a person may take at the provider."""
PROOF_LIFE = timedelta(minutes=5)
"""How long the proof is good that comes back with the browser, until it is first shown."""
CHECK_PAUSE = timedelta(minutes=1)
"""How soon a job looks what tokens open, where nobody who waits could find out."""
LIFE = timedelta(hours=24)
"""How long a sign-in may be continued from its start, and used from its completion."""


class Purpose(StrEnum):
    """What a person signs in for; every action works with a sign-in of any purpose."""

    CONNECT = "CONNECT"
    BULK_CONNECT = "BULK_CONNECT"
    RECONNECT = "RECONNECT"
    RECONNECT_ALL = "RECONNECT_ALL"


class SignInState(StrEnum):
    """STARTED → CONSENTED (the browser is back) → READY (completed) | FAILED | EXPIRED."""

    STARTED = "STARTED"
    CONSENTED = "CONSENTED"
    READY = "READY"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class Outcome(StrEnum):
    """How a round ended."""

    GRANTED = "GRANTED"
    REFUSED = "REFUSED"


class Failure(StrEnum):
    """Why a round, or a whole sign-in, came to nothing."""

    CONSENT_DENIED = "CONSENT_DENIED"
    CONSENT_FAILED = "CONSENT_FAILED"
    CONSENT_GONE = "CONSENT_GONE"
    DIFFERENT_ORGANISATION = "DIFFERENT_ORGANISATION"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_MISCONFIGURED = "PROVIDER_MISCONFIGURED"
    INTERRUPTED = "INTERRUPTED"
    ROUND_OVER = "ROUND_OVER"
    UNKNOWN_STATE = "UNKNOWN_STATE"


_SENTENCES = {
    Failure.CONSENT_DENIED: "The consent was denied.",
    Failure.CONSENT_FAILED: "The provider did not grant the consent.",
    Failure.CONSENT_GONE: "The consent was withdrawn at the provider.",
    Failure.DIFFERENT_ORGANISATION: (
        "Another organisation was chosen than the one to reconnect: sign in again and choose that one, "
        "or change the connection."
    ),
    Failure.PROVIDER_UNAVAILABLE: "The provider did not answer, and its code can be used only once.",
    Failure.PROVIDER_MISCONFIGURED: "The provider does not accept our app: whoever runs Tieline can correct this.",
    Failure.INTERRUPTED: "The sign-in was interrupted.",
    Failure.ROUND_OVER: "This page is of a sign-in that is over, or was used already.",
    Failure.UNKNOWN_STATE: "We do not know the sign-in that this page is of.",
}
_RAN_OUT = "This sign-in has run out."


def sentence_of(failure: Failure) -> str:
    """What happened, for people."""
    return _SENTENCES[failure]


def state_at(state: SignInState, usable_until: datetime | None, at: datetime) -> SignInState:
    """A completed sign-in is over with its last usable moment, whether or not its job has run yet."""
    over = state is SignInState.READY and usable_until is not None and usable_until <= at
    return SignInState.EXPIRED if over else state


def state_after_refusal(*, ready: bool, pending: bool) -> SignInState:
    """Where a sign-in goes when its round came to nothing: back to what it has, if it has anything."""
    if pending:
        return SignInState.CONSENTED
    return SignInState.READY if ready else SignInState.FAILED


def over(state: SignInState, failure: Failure | None, *, field: str) -> SignInOver:
    """Why nothing can be done any more with a sign-in that failed or ran out; `field` names it in the input."""
    failed = state is SignInState.FAILED and failure is not None
    return SignInOver(sentence_of(failure) if failed and failure else _RAN_OUT, field=field)


def check_usable(
    state: SignInState,
    failure: Failure | None,
    *,
    ready_at: datetime | None,
    usable_until: datetime | None,
    at: datetime,
) -> None:
    """Raise unless actions may be taken with it; another round under way is no hindrance.

    Raises SignInNotReady and SignInOver.
    """
    if ready_at is not None and usable_until is not None and usable_until > at:
        return
    if ready_at is not None or state in {SignInState.FAILED, SignInState.EXPIRED}:
        raise over(state, failure, field="signInId")
    raise SignInNotReady(field="signInId")
