"""The enum of the kinds of events, made from the kinds themselves, so that none can be forgotten."""

from __future__ import annotations

import inspect
from enum import Enum, EnumType

import strawberry

from tieline.events.kinds import kinds

OTHER = "OTHER"
_OTHER = (
    "A kind that this server does not know, written by a newer one: load again what you show of the client."
)


def _made() -> type[Enum]:
    values = {
        name: strawberry.enum_value(name, description=_first_line(kind)) for name, kind in kinds().items()
    } | {OTHER: strawberry.enum_value(OTHER, description=_OTHER)}
    return strawberry.enum(
        EnumType.__call__(Enum, "ConnectionEventKind", values),
        description="What happened. Later versions add kinds: treat one that you do not know like OTHER.",
    )


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


ConnectionEventKind = _made()


def kind_of(written: str) -> Enum:
    """The member for a kind as it stands in the database."""
    return ConnectionEventKind(written if written in ConnectionEventKind.__members__ else OTHER)
