"""Every error Tieline raises on purpose, as one tree.

    TielineError
    ├── Refused               the caller can mend it; each names what to do
    │   ├── NotFound          the caller may not see it, or it is not there
    │   ├── Forbidden         the caller may see it, but not do this
    │   │   └── PersonNeeded  only a person may do this, and a service is asking
    │   ├── Unauthenticated   nobody we know is asking
    │   ├── Invalid           a value does not fit; `field` says which
    │   ├── SeveralInvalid    several do not; `parts` are the single ones
    │   ├── CursorInvalid     a page cursor is broken, or of another sort or filter
    │   ├── CursorExpired     an event cursor is older than what is kept: load the page again
    │   ├── PlanTooSmall      the practice's plan does not include this
    │   ├── ProviderNotConfigured     the practice has no app at this provider yet
    │   ├── BulkConnectUnsupported    neither one consent for many nor a queue of single ones
    │   ├── SignInOver        the sign-in ran out, failed or was used up: begin a new one
    │   ├── SignInNotReady    it is not completed yet
    │   ├── ProofInvalid      the proof is not the one that came back with the browser
    │   ├── OrganisationInUse it serves another client already
    │   ├── NotInThisLogin    the sign-in does not reach the organisation
    │   ├── DifferentOrganisation     another one than before; that is a change, not a reconnect
    │   ├── ConsentOver       the consent to read the organisation has run out: sign in again
    │   ├── ConsentTooNarrow  the consent does not cover what the product needs
    │   ├── CannotSync        the connection is EXPIRED: its sentence says what mends it
    │   ├── DuplicateClient   a client of this name is there already
    │   ├── OwnBooks          these look like the practice's own books, and no client's
    │   └── NamedTwice        two rows of one request name the same thing
    ├── TryAgain              nobody's fault, and over in a moment
    │   ├── Busy              two callers met; nothing happened, trying again is safe
    │   └── Unavailable       the database is away; look before trying a change again
    ├── ProviderError         the other side said no; `provider` is its slug
    │   ├── Throttled         nothing happened; wait `retry_after`, or by the limit where that is None
    │   ├── QuotaSpent        a limit is spent for longer than the caller can wait: come back at `resume_at`
    │   ├── ProviderUnavailable   a time-out, a fault of theirs, a lost line: nothing of ours changes; try again
    │   ├── ConsentGone       a person must sign in again
    │   ├── AccessLost        the login no longer reaches the organisation, or may not do this in it
    │   │   └── AppRemoved    nobody of the organisation has the app any more: a person must sign in again
    │   ├── ScopeMissing      the consent does not include this; a person must sign in with more
    │   ├── SubscriptionLapsed    the organisation's own subscription has ended
    │   ├── NotAtProvider     what was asked for is not there
    │   ├── ProviderRejected  it refused what we sent, and said why
    │   ├── ProviderMisconfigured it does not know our app: the operator can mend it
    │   └── ProviderBroken    the answer does not fit what we know of the API
    │       └── AnswerTooLarge    it is longer than what is read of one: ask for less at once
    ├── StartRefused          the process may not start like this; the operator can mend it
    └── ClaimLost             a job's lease went to another worker: stop, write nothing

Each class names its own `code`, which is what API callers see and match on. No HTTP in here:
each edge translates once, `raise … from`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID


class TielineError(Exception):
    """The root of the tree: `str(error)` is a sentence for people, `code` is for programs."""

    code: ClassVar[str] = "INTERNAL"


class Refused(TielineError):
    """Something the caller can mend. `field` is the input it is about, as a dotted path, or None."""

    code: ClassVar[str] = "REFUSED"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(Refused):
    code: ClassVar[str] = "NOT_FOUND"

    def __init__(self, kind: str, id: UUID | str, *, field: str | None = None) -> None:
        super().__init__(f"There is no {kind} with the id {id}, or you may not see it.", field=field)


class Forbidden(Refused):
    code: ClassVar[str] = "FORBIDDEN"

    def __init__(self, permission: str, *, by_key: bool = False) -> None:
        super().__init__(
            f"This API key may not do this: its scopes lack {permission}. Use a key that has it."
            if by_key
            else f"This needs the permission {permission}: ask a practice admin for it."
        )


class PersonNeeded(Forbidden):
    """`what` is what only a person can do, as an infinitive."""

    def __init__(self, what: str) -> None:
        Refused.__init__(self, f"Only a person can {what}: use a key that acts as one.")


class Unauthenticated(Refused):
    code: ClassVar[str] = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__(
            "Send a valid API key as 'Authorization: Bearer …'; this one is missing, wrong or expired."
        )


class Invalid(Refused):
    code: ClassVar[str] = "INVALID"


class SeveralInvalid(Refused):
    """All that is wrong with an input at once, so that a form can show it at once."""

    code: ClassVar[str] = "INVALID"

    def __init__(self, parts: Sequence[Invalid]) -> None:
        super().__init__(" ".join(str(part) for part in parts))
        self.parts = tuple(parts)


class CursorInvalid(Refused):
    code: ClassVar[str] = "CURSOR_INVALID"

    def __init__(self, *, field: str = "after") -> None:
        super().__init__(
            "This cursor is broken or belongs to another sort or filter; "
            "start again from the first page, without it.",
            field=field,
        )


class CursorExpired(Refused):
    code: ClassVar[str] = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__(
            "This event cursor is older than what is kept; load the page again and go on from its cursor.",
            field="after",
        )


class PlanTooSmall(Refused):
    code: ClassVar[str] = "PLAN_TOO_SMALL"

    def __init__(self, what: str, plan: str, *, field: str | None = None) -> None:
        super().__init__(f"{what} needs the plan {plan}.", field=field)


class ProviderNotConfigured(Refused):
    code: ClassVar[str] = "PROVIDER_NOT_CONFIGURED"

    def __init__(self, name: str, *, field: str = "provider") -> None:
        super().__init__(
            f"This practice has no app at {name} yet: whoever runs Tieline adds it with 'tieline app add'.",
            field=field,
        )


class BulkConnectUnsupported(Refused):
    code: ClassVar[str] = "BULK_CONNECT_UNSUPPORTED"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} grants one organisation at a time, and has no queue for several: connect them one by one.",
            field="purpose",
        )


class SignInOver(Refused):
    code: ClassVar[str] = "SIGN_IN_OVER"

    def __init__(self, why: str, *, field: str | None = None) -> None:
        super().__init__(f"{why} Begin a new sign-in.", field=field)


class SignInNotReady(Refused):
    code: ClassVar[str] = "SIGN_IN_NOT_READY"

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__(
            "This sign-in is not completed: come back from the provider, then call completeSignIn.",
            field=field,
        )


class ProofInvalid(Refused):
    code: ClassVar[str] = "PROOF_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "This is not the proof that came back with the browser for this sign-in, or it is too old.",
            field="proof",
        )


class OrganisationInUse(Refused):
    code: ClassVar[str] = "ORGANISATION_IN_USE"

    def __init__(self, organisation: str, client: str | None, *, field: str | None = None) -> None:
        whom = f"the client {client}" if client is not None else "another client of your practice"
        super().__init__(f"{organisation} already serves {whom}.", field=field)


class NotInThisLogin(Refused):
    code: ClassVar[str] = "NOT_IN_THIS_LOGIN"

    def __init__(self, organisation: str, *, field: str | None = None) -> None:
        super().__init__(
            f"This sign-in does not reach {organisation}: sign in as somebody who may open it.", field=field
        )


class DifferentOrganisation(Refused):
    code: ClassVar[str] = "DIFFERENT_ORGANISATION"

    def __init__(self, before: str, *, field: str | None = None) -> None:
        super().__init__(
            f"The client is connected to {before}; to move it to another organisation, change its connection.",
            field=field,
        )


class ConsentOver(Refused):
    code: ClassVar[str] = "CONSENT_EXPIRED"

    def __init__(self, organisation: str, *, field: str | None = None) -> None:
        super().__init__(
            f"The consent to read {organisation} has run out: sign in again, and allow it anew.", field=field
        )


class ConsentTooNarrow(Refused):
    code: ClassVar[str] = "SCOPE_MISSING"

    def __init__(self, product: str, *, field: str | None = None) -> None:
        super().__init__(
            f"The consent does not cover what {product} needs: sign in for this product and allow all of it.",
            field=field,
        )


class CannotSync(Refused):
    """`why` is the sentence of the connection's state."""

    code: ClassVar[str] = "CONNECTION_EXPIRED"

    def __init__(self, why: str, *, field: str | None = None) -> None:
        super().__init__(f"The connection is expired, so its books cannot be read. {why}", field=field)


class DuplicateClient(Refused):
    """`known` is the name of the client that is there, for those who may see it."""

    code: ClassVar[str] = "DUPLICATE"

    def __init__(self, name: str, known: str | None, *, field: str | None = None) -> None:
        whom = f"The client {known}" if known is not None else "Another client of your practice"
        super().__init__(f"{whom} is there already; {name} may be the same business.", field=field)


class OwnBooks(Refused):
    code: ClassVar[str] = "OWN_BOOKS"

    def __init__(self, organisation: str, *, field: str | None = None) -> None:
        super().__init__(
            f"{organisation} is called as your practice is: these may be its own books, and no client's.",
            field=field,
        )


class NamedTwice(Refused):
    code: ClassVar[str] = "NAMED_TWICE"

    def __init__(self, already: str, *, field: str | None = None) -> None:
        super().__init__(f"An earlier row of this request {already}.", field=field)


class TryAgain(TielineError):
    """What passes by itself; the classes below say whether anything may have happened."""

    code: ClassVar[str] = "TRY_AGAIN"


class Busy(TryAgain):
    code: ClassVar[str] = "BUSY"

    def __init__(self) -> None:
        super().__init__("Somebody else changed the same thing at the same moment; try again.")


class Unavailable(TryAgain):
    code: ClassVar[str] = "UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The database did not answer in time; wait a moment, look, and try again.")


class LimitScope(StrEnum):
    """Whom a provider's limit stops: one organisation, or everything that goes through the app."""

    ORGANISATION = "ORGANISATION"
    APP = "APP"


class ProviderError(TielineError):
    """What came of asking a provider; `provider` is its slug, which also fills the class's sentence."""

    code: ClassVar[str] = "PROVIDER_ERROR"
    sentence: ClassVar[str] = "{} said no."

    def __init__(self, provider: str, message: str | None = None) -> None:
        super().__init__(message or self.sentence.format(provider))
        self.provider = provider


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


class StartRefused(TielineError):
    """Its message is one sentence that says what is wrong and what to do."""

    code: ClassVar[str] = "START_REFUSED"


class ClaimLost(TielineError):
    code: ClassVar[str] = "CLAIM_LOST"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"The lease of job {job_id} is no longer ours.")
