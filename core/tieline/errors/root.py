"""The root of the errors' tree, and the two that hang right on it: they are for operators and workers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID


class TielineError(Exception):
    """The root of the tree: `str(error)` is a sentence for people, `code` is for programs."""

    code: ClassVar[str] = "INTERNAL"

    def retry_at(self, now: datetime) -> datetime | None:  # noqa: ARG002 - for those that tell how long it takes
        """From when on the same may be asked again; None where that is of no use, or nobody knows when."""
        return None


class StartRefused(TielineError):
    """Its message is one sentence that says what is wrong and what to do.

    Where the two are given apart, `wrong: remedy.` is the sentence, and either can be shown by itself.
    """

    code: ClassVar[str] = "START_REFUSED"

    def __init__(self, wrong: str, remedy: str = "") -> None:
        super().__init__(f"{wrong}: {remedy}." if remedy else wrong)
        self.wrong = wrong
        self.remedy = remedy


class ClaimLost(TielineError):
    code: ClassVar[str] = "CLAIM_LOST"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"The lease of job {job_id} is no longer ours.")
