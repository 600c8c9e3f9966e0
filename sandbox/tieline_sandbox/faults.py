"""Planted faults: what goes wrong, for whose next calls, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tieline_sandbox.answers import Answer, text_answer
from tieline_sandbox.log import Call

Kind = Literal["status", "drop", "lost_answer", "html", "slow", "throttle", "empty", "truncated", "fault"]
Problem = Literal["minute", "day", "concurrent", "appminute"]
Endpoint = Literal[
    "any",
    "authorize",
    "token",
    "revocation",
    "connections",
    "organisation",
    "accounting",
    "companyinfo",
    "query",
    "cdc",
    "batch",
    "entity",
    "discovery",
    "userinfo",
]
_PAGE = (
    "<!doctype html><html><head><title>Service unavailable</title></head><body><h1>Sorry</h1></body></html>"
)


@dataclass(frozen=True, kw_only=True)
class FaultError:
    """One of the errors that a fault of Intuit's tells."""

    code: str
    message: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong. `status`, `html`, `throttle` and `fault` answer instead of the work and `drop` does not
    even answer; with `lost_answer`, `empty` and `truncated` the work is done first; `slow` only takes its time.

    `problem` is Xero's. `fault` is Intuit's own way to say no, in one of its three forms; `more` errors follow.
    """

    kind: Kind
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    content_type: str | None = None
    seconds: float = 0.0
    problem: Problem = "minute"
    retry_after: int | None = None
    form: Literal["json", "lower", "xml"] = "json"
    type: str = "ValidationFault"
    code: str = "6000"
    message: str = "A business validation error has occurred while processing your request"
    detail: str = ""
    more: tuple[FaultError, ...] = ()

    def instead(self) -> Answer | None:
        """The answer that is given with nothing done, where all providers answer alike."""
        if self.kind == "status":
            return self._planned()
        if self.kind == "html":
            return text_answer(200, _PAGE, "text/html; charset=utf-8")
        return None

    def bend(self, answer: Answer) -> Answer:
        """The answer as it goes out when the work was done."""
        if self.kind == "empty":
            return answer.with_body(b"")
        return answer.with_body(answer.body[: len(answer.body) // 2]) if self.kind == "truncated" else answer

    def _planned(self) -> Answer:
        is_text = isinstance(self.body, str)
        body = self.body if is_text else json.dumps(self.body, default=float)
        content_type = self.content_type or ("text/plain" if is_text else "application/json")
        return text_answer(self.status or 500, body, content_type).with_headers(self.headers)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """For which calls a fault is meant; the first `after` of them are let through, then `times` are hit."""

    fault: Fault
    provider: Literal["xero", "quickbooks"] | None = None
    endpoint: Endpoint = "any"
    organisation: str | None = None
    user: str | None = None
    method: str | None = None
    path_contains: str | None = None
    times: int = 1
    after: int = 0

    def fits(self, call: Call) -> bool:
        return (
            call.is_for(self.endpoint)
            and self.provider in (None, call.provider)
            and self.organisation in (None, call.organisation)
            and self.user in (None, call.user)
            and self.method in (None, call.method)
            and (self.path_contains is None or self.path_contains in call.path)
        )


class Faults:
    """The plans that are not used up, in the order they were made; the first that fits is taken."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan] = {}
        self._made = 0

    def plant(self, plan: Plan) -> int:
        self._made += 1
        self._plans[self._made] = plan
        return self._made

    def take(self, call: Call) -> Fault | None:
        for number, plan in list(self._plans.items()):
            if not plan.fits(call):
                continue
            if plan.after > 0:
                self._plans[number] = replace(plan, after=plan.after - 1)
                continue
            if plan.times > 1:
                self._plans[number] = replace(plan, times=plan.times - 1)
            else:
                del self._plans[number]
            return plan.fault
        return None

    def planted(self) -> Iterator[tuple[int, Plan]]:
        yield from self._plans.items()

    def clear(self) -> None:
        self._plans.clear()
