"""Actors: the functions that jobs name. One call thick, given ids, safe to run twice at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

INTERACTIVE, BACKGROUND = QUEUES = ("interactive", "background")


class Lane(StrEnum):
    """Who waits for a job: a person, nobody in particular, or a first sync that takes long anyway."""

    INTERACTIVE = "INTERACTIVE"
    BACKGROUND = "BACKGROUND"
    FIRST = "FIRST"

    @property
    def queue(self) -> str:
        """People's work has a queue and worker processes of its own."""
        return INTERACTIVE if self is Lane.INTERACTIVE else BACKGROUND


@dataclass(frozen=True, slots=True)
class Again:
    """What an actor returns when its job is not over: calendar instant at which it is due again."""

    at: datetime


@dataclass(frozen=True, kw_only=True, eq=False)
class Actor:
    """A registered actor. `limit` bounds one run in real time; past it the run is cancelled and tried again.

    `recurs`: its job is never given up, however often it failed, since nobody would begin it again.
    """

    name: str
    lane: Lane
    limit: timedelta
    function: Callable[..., Awaitable[Again | None]]
    recurs: bool = False


def actor(
    *, lane: Lane, limit: timedelta = timedelta(seconds=60), recurs: bool = False
) -> Callable[[Callable[..., Awaitable[Again | None]]], Actor]:
    """Make a function an actor. Its keyword arguments are what `work.enqueue` passes, as JSON."""

    def register(function: Callable[..., Awaitable[Again | None]]) -> Actor:
        module: str = function.__module__
        name = f"{module.removeprefix('tieline.').removesuffix('.actors')}.{function.__name__}"
        return Actor(name=name, lane=lane, limit=limit, function=function, recurs=recurs)

    return register


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRequest:
    """A job as `work.enqueue` takes it down, before it is a row."""

    actor: Actor
    lane: Lane
    arguments: dict[str, Any]
    due_at: datetime
    key: str | None
