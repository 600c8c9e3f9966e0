"""The enum of the kinds of events."""

from __future__ import annotations

from enum import Enum

from tieline.events.kinds import kinds
from tieline_gateway.graphql.kinds import enum_of, member_of

ConnectionEventKind = enum_of(
    "ConnectionEventKind",
    kinds(),
    description="What happened. Later versions add kinds: treat one that you do not know like OTHER.",
    other="A kind that this server does not know, written by a newer one: load again what you show of the client.",
)


def kind_of(written: str) -> Enum:
    """The member for a kind as it stands in the database."""
    return member_of(ConnectionEventKind, written)
