"""What callers are told when something fails: our refusals in their own words, everything else masked.

Every error has `extensions.code`. The transport's own codes:

    BAD_REQUEST                     400   the request is not what this endpoint reads
    UNAUTHENTICATED                 401   see `tieline.errors`
    METHOD_NOT_ALLOWED              405   only POST
    NOT_ACCEPTABLE                  406   neither of the two media types may be answered
    BODY_TIMEOUT                    408   the body did not arrive in time
    BODY_TOO_LARGE                  413
    UNSUPPORTED_MEDIA_TYPE          415
    GRAPHQL_PARSE_FAILED            400   the document is not GraphQL
    GRAPHQL_VALIDATION_FAILED       400   the document does not fit the schema
    QUERY_TOO_DEEP, _LARGE, _COSTLY 400   the document asks for more than `Limits` allows
    OPERATION_RESOLUTION_FAILURE    400   which operation is meant is not clear, or it may not run here
    BAD_USER_INPUT                  400   a variable does not fit its type
    RATE_LIMITED                    429   the caller asked too much of late
    TOO_MANY_OPERATIONS                   this socket already runs as many as it may
    INTERNAL                        500   a bug, or something of ours is down
    TIMEOUT                         503   the operation took too long and was cancelled
    TOO_MANY_CONNECTIONS            503   this process holds as many as it may

Where it is known when the same may be asked again, `extensions` say so: `retryAt` is the instant, as in a mutation's
errors, and `retryAfter` the whole seconds until then, as in the header of HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graphql import FieldNode, GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from tieline import clock
from tieline.errors import Refused, TryAgain
from tieline.log import get_logger

log = get_logger(__name__)

MAX_MESSAGE_CHARS = 500

Told = dict[str, Any]
"""One member of an answer's `errors`: `message`, `extensions.code`, and `locations` and `path` if known."""


class RequestRefused(Exception):
    """The request cannot run, and nothing of it did. `errors` is what to answer.

    `status` is None for what the specification calls a GraphQL request error: the document, the choice of
    operation or the variables. Those are 400, but 200 where only `application/json` is accepted.
    `retry_after`: in how many seconds the same may be asked again.
    """

    def __init__(
        self, errors: Sequence[Told], *, status: int | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(errors[0]["message"])
        self.errors = list(errors)
        self.status = status
        self.retry_after = retry_after

    @classmethod
    def because(
        cls, code: str, message: str, *, status: int | None = None, retry_after: int | None = None
    ) -> RequestRefused:
        when = {} if retry_after is None else _when_in(retry_after)
        return cls([told(code, message, **when)], status=status, retry_after=retry_after)

    @classmethod
    def for_a_while(cls, wait: timedelta) -> RequestRefused:
        """The caller asked too much of late. Whole seconds, so that whoever waits them is let through."""
        seconds = math.ceil(wait.total_seconds())
        sentence = f"You have asked for very much in a short time; ask again in {seconds} s."
        return cls.because("RATE_LIMITED", sentence, status=429, retry_after=seconds)

    @classmethod
    def full(cls, seconds: int) -> RequestRefused:
        """The process has no place for one more connection."""
        sentence = f"This process holds as many connections as it may; try again in {seconds} s."
        return cls.because("TOO_MANY_CONNECTIONS", sentence, status=503, retry_after=seconds)


class TooMany(Exception):
    """A caller holds as many sockets as it may; the message says what to do. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def told(code: str, message: str, **more: Any) -> Told:
    """An error that belongs to no place in the document. `more` goes into its extensions."""
    return {"message": _clipped(message), "extensions": {"code": code, **more}}


def told_of(error: GraphQLError, code: str) -> Told:
    """A GraphQL error that was made for the caller, with its places in the document."""
    answer: Told = {**error.formatted, "message": _clipped(error.message)}
    answer["extensions"] = {"code": code, **(error.extensions or {})}
    return answer


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Decides which errors of an operation callers may read; logs those they may not."""

    correlation_id: Callable[[], str]

    def told(self, error: GraphQLError) -> Told:
        """An error of execution, for the caller."""
        answer: Told = {key: value for key, value in error.formatted.items() if key != "extensions"}
        original = error.original_error
        while isinstance(original, GraphQLError) and original.original_error is not None:
            original = original.original_error
        if isinstance(original, Refused | TryAgain):
            return {**answer, **refused(original)}
        if _is_about_input(error):
            return {**answer, **told("BAD_USER_INPUT", error.message)}
        return {**answer, **self.internal(original or error)}

    def internal(self, error: BaseException) -> Told:
        """Log what happened, once, and say only where to find it."""
        log.error("graphql.operation_failed", kind=type(error).__qualname__, exc_info=error)
        return told(
            "INTERNAL", f"Something went wrong on our side; the correlation id is {self.correlation_id()}."
        )


def refused(error: Refused | TryAgain) -> Told:
    """One of our refusals: its own sentence and code, the field it is about, and what programs need besides."""
    if isinstance(error, TryAgain):
        now = clock.now()
        at = error.retry_at(now)
        wait = None if at is None else max(0, math.ceil((at - now).total_seconds()))
        return told(error.code, str(error), **({} if wait is None else _when_in(wait)))
    return told(error.code, str(error), **({"field": error.field} if error.field else {}), **error.details)


def _when_in(seconds: int) -> Told:
    """Whole seconds, so that whoever waits them is let through."""
    return {"retryAt": (clock.now() + timedelta(seconds=seconds)).isoformat(), "retryAfter": seconds}


def _is_about_input(error: GraphQLError) -> bool:
    """Whether a value in the request did not fit. Errors about our own values point at a field."""
    original = error.original_error
    if isinstance(original, StrawberryInputCoercionError):
        return True
    return (
        isinstance(original, GraphQLError)
        and bool(original.nodes)
        and not any(isinstance(node, FieldNode) for node in original.nodes or ())
    )


def _clipped(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE_CHARS else f"{message[: MAX_MESSAGE_CHARS - 1]}…"
