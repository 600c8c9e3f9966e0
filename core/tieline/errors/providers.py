"""The branch of what came of asking a provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from tieline.errors.root import TielineError


class LimitScope(StrEnum):
    """Whom a provider's limit stops: one organisation, or everything that goes through the app."""

    ORGANISATION = "ORGANISATION"
    APP = "APP"


class ProviderError(TielineError):
    """What came of asking a provider; `provider` is its slug, which also fills the class's sentence.

    `reference` is what the provider called the answer that said so, for its support; None where it had no name.
    """

    code: ClassVar[str] = "PROVIDER_ERROR"
    sentence: ClassVar[str] = "{} said no."

    def __init__(self, provider: str, message: str | None = None) -> None:
        super().__init__(message or self.sentence.format(provider))
        self.provider = provider
        self.reference: str | None = None

    def __str__(self) -> str:
        said = super().__str__()
        return said if self.reference is None else f"{said} Its support finds the answer by {self.reference}."

    def referring(self, reference: str | None) -> Self:
        """The same error, with what the provider called its answer."""
        self.reference = reference
        return self


class Throttled(ProviderError):
    """`limit` is the provider's word for the limit; `retry_after` is None where it did not say how long."""

    code: ClassVar[str] = "THROTTLED"

    def __init__(
        self, provider: str, *, limit: str, scope: LimitScope, retry_after: timedelta | None
    ) -> None:
        wait = "a while" if retry_after is None else f"{retry_after.total_seconds():.0f} seconds"
        super().__init__(provider, f"The limit {limit!r} of {provider} is spent; wait {wait}.")
        self.limit = limit
        self.scope = scope
        self.retry_after = retry_after

    def retry_at(self, now: datetime) -> datetime | None:
        return None if self.retry_after is None else now + self.retry_after


class QuotaSpent(ProviderError):
    """Nothing happened; `limit` is the provider's word for the limit, `resume_at` a calendar instant in UTC."""

    code: ClassVar[str] = "QUOTA_SPENT"

    def __init__(self, provider: str, *, limit: str, resume_at: datetime) -> None:
        super().__init__(
            provider,
            f"The limit {limit!r} of {provider} is spent; calls go on at {resume_at:%Y-%m-%d %H:%M:%S} UTC.",
        )
        self.limit = limit
        self.resume_at = resume_at

    def retry_at(self, now: datetime) -> datetime:  # noqa: ARG002 - it is an instant already
        return self.resume_at


class ProviderUnavailable(ProviderError):
    """`sent` is False where surely nothing reached the other side, True where an answer may have been lost."""

    code: ClassVar[str] = "PROVIDER_UNAVAILABLE"

    def __init__(self, provider: str, *, sent: bool = True) -> None:
        what = "did not answer as it should" if sent else "could not be reached"
        super().__init__(provider, f"{provider} {what}; nothing has changed here, try again later.")
        self.sent = sent


class ConsentGone(ProviderError):
    code: ClassVar[str] = "CONSENT_GONE"
    sentence: ClassVar[str] = "The sign-in at {} has ended: a person must sign in again."


class AccessLost(ProviderError):
    code: ClassVar[str] = "ACCESS_LOST"
    sentence: ClassVar[str] = (
        "This login at {} no longer reaches the organisation, or may not do this in it: "
        "ask for access there, or reassign the connection."
    )


class AppRemoved(AccessLost):
    sentence: ClassVar[str] = "The app was removed from the organisation at {}: a person must sign in again."


class ScopeMissing(ProviderError):
    code: ClassVar[str] = "SCOPE_MISSING"
    sentence: ClassVar[str] = (
        "The sign-in at {} did not allow this: sign in again and allow what is asked for."
    )


class SubscriptionLapsed(ProviderError):
    code: ClassVar[str] = "SUBSCRIPTION_LAPSED"
    sentence: ClassVar[str] = "The organisation's subscription at {} has ended: renew it there."


class NotAtProvider(ProviderError):
    code: ClassVar[str] = "NOT_AT_PROVIDER"
    sentence: ClassVar[str] = "{} does not have what was asked for."


class ProviderRejected(ProviderError):
    """`reason` is the provider's own sentence; `fields` has one for each field it named, in its own names."""

    code: ClassVar[str] = "PROVIDER_REJECTED"

    def __init__(self, provider: str, reason: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(provider, f"{provider} refused this: {reason}")
        self.reason = reason
        self.fields = dict(fields or {})


class ProviderMisconfigured(ProviderError):
    code: ClassVar[str] = "PROVIDER_MISCONFIGURED"
    sentence: ClassVar[str] = "{} does not accept the app's id and secret: the operator must correct them."


class ProviderBroken(ProviderError):
    """`what` says what does not fit, without quoting the answer."""

    code: ClassVar[str] = "PROVIDER_BROKEN"

    def __init__(self, provider: str, what: str) -> None:
        super().__init__(provider, f"{provider} answered in a way we do not know: {what}.")


class AnswerTooLarge(ProviderBroken):
    def __init__(self, provider: str, *, max_bytes: int) -> None:
        super().__init__(provider, f"the answer is longer than {max_bytes:,} bytes")
        self.max_bytes = max_bytes
