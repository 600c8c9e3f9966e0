"""Every error Tieline raises on purpose, as one tree.

    TielineError
    ├── Refused               the caller can mend it; each names what to do
    │   ├── NotFound          the caller may not see it, or it is not there
    │   ├── Forbidden         the caller may see it, but not do this
    │   ├── Unauthenticated   nobody we know is asking
    │   ├── Invalid           a value does not fit; `field` says which
    │   ├── SeveralInvalid    several do not; `parts` are the single ones
    │   ├── CursorInvalid     a page cursor is broken, or of another sort or filter
    │   ├── CursorExpired     an event cursor is older than what is kept: load the page again
    │   └── PlanTooSmall      the practice's plan does not include this
    ├── TryAgain              nobody's fault, and over in a moment
    │   ├── Busy              two callers met; nothing happened, trying again is safe
    │   └── Unavailable       the database is away; look before trying a change again
    ├── StartRefused          the process may not start like this; the operator can mend it
    └── ClaimLost             a job's lease went to another worker: stop, write nothing

Each class names its own `code`, which is what API callers see and match on. No HTTP in here:
each edge translates once, `raise … from`.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class StartRefused(TielineError):
    """Its message is one sentence that says what is wrong and what to do."""

    code: ClassVar[str] = "START_REFUSED"


class ClaimLost(TielineError):
    code: ClassVar[str] = "CLAIM_LOST"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"The lease of job {job_id} is no longer ours.")
