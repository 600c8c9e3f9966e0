"""Expected refusals as data: every mutation answers with what changed and a list of these."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from tieline import errors


@strawberry.enum(description="Why a mutation changed nothing; docs/errors.md says what to do about each.")
class UserErrorCode(StrEnum):
    NOT_FOUND = errors.NotFound.code
    FORBIDDEN = errors.Forbidden.code
    INVALID = errors.Invalid.code
    PLAN_TOO_SMALL = errors.PlanTooSmall.code
    BUSY = errors.Busy.code


@strawberry.type(description="A refusal that the caller can mend.")
class UserError:
    code: UserErrorCode
    message: str = strawberry.field(description="A sentence for people, in English.")
    field: str | None = strawberry.field(description="The input it is about, as a dotted path.")

    @classmethod
    def of(cls, error: errors.Refused | errors.TryAgain, *, within: str = "input") -> list[UserError]:
        """One for each thing that is wrong. Raises the error itself where no mutation may answer with it."""
        if isinstance(error, errors.SeveralInvalid):
            return [told for part in error.parts for told in cls.of(part, within=within)]
        if error.code not in UserErrorCode.__members__:
            raise error
        field = getattr(error, "field", None)
        path = f"{within}.{field}" if field else None
        return [cls(code=UserErrorCode(error.code), message=str(error), field=path)]
