"""What an answer of a provider means, as a plugin's `classify` says it: values, never raised.

    faults.Throttled            over a limit                      raised as  errors.Throttled
    faults.TokenExpired         the access token is too old       renewed once, the call made again
    faults.AccessLost           the login lost the organisation              errors.AccessLost
    faults.AppRemoved           the organisation does not have the app       errors.AppRemoved
    faults.ScopeMissing         the consent does not go so far               errors.ScopeMissing
    faults.SubscriptionLapsed   the organisation no longer pays              errors.SubscriptionLapsed
    faults.Missing              what was asked for is not there              errors.NotAtProvider
    faults.Rejected             what we sent does not fit                    errors.ProviderRejected
    faults.Transient            over in a moment                  tried again, errors.ProviderUnavailable
    faults.Broken               nothing we know                              errors.ProviderBroken

They are used with the module's name before them, so that `faults.Throttled` (what a plugin saw) is not taken
for `errors.Throttled` (what the session raises).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from tieline.errors import LimitScope


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttled:
    """`limit` is the provider's word for it; `retry_after` is None where it did not say how long."""

    limit: str
    scope: LimitScope
    retry_after: timedelta | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenExpired:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessLost:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class AppRemoved:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeMissing:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionLapsed:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """`message` is a sentence for people; `fields` has one for each field the provider named, in its names."""

    message: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transient:
    """`message` says what was seen, without quoting the answer."""

    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """`message` says what does not fit, without quoting the answer."""

    message: str


Fault: TypeAlias = (
    Throttled
    | TokenExpired
    | AccessLost
    | AppRemoved
    | ScopeMissing
    | SubscriptionLapsed
    | Missing
    | Rejected
    | Transient
    | Broken
)
