"""The states of a connection, why it may be bad, and what mends it: pure, and the product's own vocabulary."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

from tieline.names import match_key


class Status(StrEnum):
    """What a client's line shows; a mismatch is also connected."""

    UNINTEGRATED = "UNINTEGRATED"
    CONNECTED = "CONNECTED"
    MISMATCH = "MISMATCH"
    EXPIRED = "EXPIRED"


class Reason(StrEnum):
    """Why a connection is EXPIRED; the database knows the same words."""

    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a word, no token
    REVOKED_AT_PROVIDER = "REVOKED_AT_PROVIDER"
    SCOPE_MISSING = "SCOPE_MISSING"
    ACCESS_LOST = "ACCESS_LOST"
    SUBSCRIPTION_LAPSED = "SUBSCRIPTION_LAPSED"
    DISCONNECTED = "DISCONNECTED"


class Remedy(StrEnum):
    """The action that mends a bad state."""

    ADD_CONNECTION = "ADD_CONNECTION"
    MANAGE_CONNECTION = "MANAGE_CONNECTION"
    RECONNECT = "RECONNECT"
    ASK_FOR_ACCESS = "ASK_FOR_ACCESS"
    RENEW_SUBSCRIPTION = "RENEW_SUBSCRIPTION"


HEALED_BY_SIGN_IN = frozenset({Reason.CONSENT_EXPIRED, Reason.TOKEN_EXPIRED, Reason.REVOKED_AT_PROVIDER})
"""What a new consent to the same subject mends by itself, where it reaches the organisation again."""

MENDS_ITSELF = frozenset({Reason.ACCESS_LOST, Reason.SUBSCRIPTION_LAPSED})
"""What a look into the books sets back, daily or at once, as long as there is a consent to look with.

Afterwards only a person can.
"""

_SENTENCES = {
    Reason.CONSENT_EXPIRED: "The consent to read these books has run out: reconnect.",
    Reason.TOKEN_EXPIRED: "This sign-in grew too old, or nobody used it for too long: reconnect.",
    Reason.REVOKED_AT_PROVIDER: "The connection was removed at the provider: reconnect.",
    Reason.SCOPE_MISSING: "The consent does not cover what this product needs: reconnect and allow all of it.",
    Reason.ACCESS_LOST: (
        "Whoever signed in may no longer open these books: ask for access, or reconnect as somebody who may."
    ),
    Reason.SUBSCRIPTION_LAPSED: "The subscription at the provider has lapsed: renew it there.",
    Reason.DISCONNECTED: "Somebody disconnected it: reconnect, or connect another organisation.",
}
_REMEDIES = {
    Reason.ACCESS_LOST: Remedy.ASK_FOR_ACCESS,
    Reason.SUBSCRIPTION_LAPSED: Remedy.RENEW_SUBSCRIPTION,
}
_MISMATCHED = (
    "The client's name is not the organisation's: rename the client, connect the right organisation, "
    "or accept that the names differ."
)
_UNINTEGRATED = "Not connected yet."
ENDED = "It has ended: another connection took its place."
"""What is said of one that is no longer current, whatever state it was in then: nothing mends it."""


def statuses(status: Status) -> tuple[Status, ...]:
    """All that count for a line: a mismatch is also connected."""
    return (Status.CONNECTED, Status.MISMATCH) if status is Status.MISMATCH else (status,)


def shown_as(wanted: frozenset[Status]) -> list[str]:
    """What a line's own status may be where these are asked for: a mismatch is shown among the connected too."""
    return sorted(status for status in Status if wanted.intersection(statuses(status)))


def remedy(status: Status, reason: Reason | None) -> Remedy | None:
    """The action that mends it; None where nothing is wrong."""
    if reason is not None:
        return _REMEDIES.get(reason, Remedy.RECONNECT)
    return {Status.UNINTEGRATED: Remedy.ADD_CONNECTION, Status.MISMATCH: Remedy.MANAGE_CONNECTION}.get(status)


def explanation(status: Status, reason: Reason | None) -> str | None:
    """A sentence for people; None where nothing is wrong."""
    if reason is not None:
        return _SENTENCES[reason]
    return {Status.UNINTEGRATED: _UNINTEGRATED, Status.MISMATCH: _MISMATCHED}.get(status)


def differs(client_name: str, organisation_name: str, legal_name: str | None) -> bool:
    """Whether the client's name equals neither of the organisation's, after normalising all of them."""
    wanted = match_key(client_name)
    return wanted not in {match_key(name) for name in (organisation_name, legal_name) if name}


def names_hash(client_name: str, organisation_name: str) -> str:
    """What is kept of two names that somebody accepted as they are: another one when either changes."""
    return sha256("\n".join((match_key(client_name), match_key(organisation_name))).encode()).hexdigest()
