"""Waiting long for a Redis that is there: one that stands still for a moment, or whoever asks it does, is not away."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from types import ModuleType

import pytest

from tieline.quota import process as metering
from tieline.quota import script
from tieline.rates import process as rating
from tieline.work import doorbell
from tieline_gateway.routes.webhooks import WebhookRoute

SECONDS = 30.0

Bound = tuple[ModuleType, str]
"""Where it stands how many seconds Redis is waited for."""
BELLS: list[Bound] = [(doorbell, "_ANSWER_SECONDS")]
QUOTAS: list[Bound] = [(script, "ANSWER_SECONDS"), (metering, "ANSWER_SECONDS")]
# By name: the package's attributes `telling` and `listening` are functions.
TELLING: list[Bound] = [(import_module("tieline.live.telling"), "ANSWER_SECONDS")]
LISTENING: list[Bound] = [(import_module("tieline.live.listening"), "ANSWER_SECONDS")]


def wait_long(patched: pytest.MonkeyPatch, *bounds: Bound) -> None:
    """In this process, until what is patched is undone."""
    for module, name in bounds:
        patched.setattr(module, name, SECONDS)


def with_redis() -> None:
    """Called in a process before its command is."""
    patched = pytest.MonkeyPatch()
    wait_long(patched, *BELLS, *QUOTAS)
    patched.setattr(rating, "Rates", partial(rating.Rates, answer_seconds=SECONDS))


def unhurried() -> None:
    """The same of a gateway, which also answers a provider's delivery however late the machine lets it."""
    with_redis()
    patient = partial(WebhookRoute, seconds=SECONDS, body_seconds=SECONDS)
    pytest.MonkeyPatch().setattr("tieline_gateway.app.WebhookRoute", patient)
