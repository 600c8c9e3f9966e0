"""A row of a provider's error tables: an answer as it was seen, what it means to us, and what people are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tieline.plugins import Fault

FOR_EVER = 99


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What becomes of a run that is answered so, as a front end sees it.

    `message` is the sentence, but for the reference that may follow; `…` in it stands for an instant. `reason` is the
    run's, `expired` the connection's, and `remedy` what mends that.
    """

    state: str
    message: str | None = None
    reason: str | None = None
    expired: str | None = None
    remedy: str | None = None
    limit: str | None = None


SUCCEEDED = Shown(state="SUCCEEDED")


def lost(reason: str, remedy: str, message: str) -> Shown:
    """The run failed, and the connection expired with it."""
    return Shown(state="FAILED", reason=reason, expired=reason, remedy=remedy, message=message)


def failed(message: str) -> Shown:
    """The run failed over an answer that helps nobody; the connection stays."""
    return Shown(state="FAILED", reason="PROVIDER_BROKEN", message=message)


@dataclass(frozen=True, kw_only=True)
class Row:
    """`times` is how often the provider answers so; `kind` is its content type where it is not the body's usual one.

    `shown` is None where another row shows the same to people.
    """

    name: str
    status: int
    body: str | Mapping[str, Any] = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    fault: Fault | None = None
    shown: Shown | None = None
    times: int = FOR_EVER

    @property
    def response(self) -> httpx.Response:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        kind = self.kind or ("text/plain" if isinstance(self.body, str) else "application/json")
        return httpx.Response(
            self.status, headers={"content-type": kind, **self.headers}, content=text.encode()
        )

    @property
    def planted(self) -> dict[str, Any]:
        """The fault as the sandbox takes it."""
        said = {"kind": "status", "status": self.status, "headers": dict(self.headers), "body": self.body}
        return said if self.kind is None else {**said, "content_type": self.kind}
