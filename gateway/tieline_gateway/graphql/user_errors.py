"""Expected refusals as data: every mutation answers with what changed and a list of these."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import strawberry

from tieline import clock, errors

Expected: TypeAlias = errors.Refused | errors.TryAgain | errors.ProviderError
EXPECTED = (errors.Refused, errors.TryAgain, errors.ProviderError)
"""What a mutation catches; `UserError.of` raises what of it no mutation may answer with."""


@strawberry.enum(
    description="Why a mutation, or one of its rows, changed nothing; docs/errors.md says what to do about each."
)
class UserErrorCode(StrEnum):
    NOT_FOUND = errors.NotFound.code
    FORBIDDEN = errors.Forbidden.code
    INVALID = errors.Invalid.code
    PLAN_TOO_SMALL = errors.PlanTooSmall.code
    NAME_TAKEN = errors.NameTaken.code
    TEAM_IN_USE = errors.TeamInUse.code
    LAST_ADMIN = errors.LastAdmin.code
    ALREADY_MEMBER = errors.AlreadyMember.code
    INVITATION_OVER = errors.InvitationOver.code
    INVITATION_FOR_ANOTHER = errors.InvitationForAnother.code
    BUSY = errors.Busy.code
    RATE_LIMITED = errors.RateLimited.code
    PROVIDER_NOT_CONFIGURED = errors.ProviderNotConfigured.code
    BULK_CONNECT_UNSUPPORTED = errors.BulkConnectUnsupported.code
    SIGN_IN_OVER = errors.SignInOver.code
    SIGN_IN_NOT_READY = errors.SignInNotReady.code
    PROOF_INVALID = errors.ProofInvalid.code
    ORGANISATION_IN_USE = errors.OrganisationInUse.code
    NOT_IN_THIS_LOGIN = errors.NotInThisLogin.code
    DIFFERENT_ORGANISATION = errors.DifferentOrganisation.code
    DISCONNECTED = errors.DisconnectedOnPurpose.code
    CONSENT_EXPIRED = errors.ConsentOver.code
    SCOPE_MISSING = errors.ConsentTooNarrow.code
    NAMED_TWICE = errors.NamedTwice.code
    DUPLICATE = errors.DuplicateClient.code
    CODE_TAKEN = errors.CodeTaken.code
    OWN_BOOKS = errors.OwnBooks.code
    NOT_CONNECTED = errors.NotConnected.code
    CONNECTION_EXPIRED = errors.CannotSync.code
    QUOTA_SPENT = errors.QuotaSpent.code
    THROTTLED = errors.Throttled.code
    PROVIDER_UNAVAILABLE = errors.ProviderUnavailable.code
    CONSENT_GONE = errors.ConsentGone.code
    ACCESS_LOST = errors.AccessLost.code
    SUBSCRIPTION_LAPSED = errors.SubscriptionLapsed.code
    NOT_AT_PROVIDER = errors.NotAtProvider.code
    PROVIDER_REJECTED = errors.ProviderRejected.code
    PROVIDER_MISCONFIGURED = errors.ProviderMisconfigured.code
    PROVIDER_BROKEN = errors.ProviderBroken.code


@strawberry.type(description="A refusal that the caller can mend, or trouble of a provider that passes.")
class UserError:
    code: UserErrorCode
    message: str = strawberry.field(description="A sentence for people, in English.")
    field: str | None = strawberry.field(description="The input it is about, as a dotted path.")
    retry_at: datetime | None = strawberry.field(
        description="From when on the same may be sent again; null where that is of no use, or nobody knows when."
    )

    @classmethod
    def of(cls, error: Expected, *, within: str = "input") -> list[UserError]:
        """One for each thing that is wrong. Raises the error itself where no mutation may answer with it."""
        if isinstance(error, errors.SeveralInvalid):
            return [told for part in error.parts for told in cls.of(part, within=within)]
        field = getattr(error, "field", None)
        return [cls.single(error, field=f"{within}.{field}" if field else None)]

    @classmethod
    def single(cls, error: Expected, *, field: str | None) -> UserError:
        """About this field. Raises the error itself where no mutation may answer with it."""
        if error.code not in UserErrorCode.__members__:
            raise error
        return cls(
            code=UserErrorCode(error.code),
            message=str(error),
            field=field,
            retry_at=error.retry_at(clock.now()),
        )
