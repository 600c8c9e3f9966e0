"""Identifiers: UUIDv7 made by the application, so that they sort by the time they were made."""

from __future__ import annotations

from datetime import timedelta
from typing import NewType
from uuid import UUID

import uuid_utils.compat

PracticeId = NewType("PracticeId", UUID)
PersonId = NewType("PersonId", UUID)
TeamId = NewType("TeamId", UUID)
ClientId = NewType("ClientId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
JobId = NewType("JobId", UUID)
AppId = NewType("AppId", UUID)
CredentialId = NewType("CredentialId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
SignInId = NewType("SignInId", UUID)
RoundId = NewType("RoundId", UUID)
RunId = NewType("RunId", UUID)
InvitationId = NewType("InvitationId", UUID)

_BELOW_TIME = 80  # RFC 9562, 5.7: the bits that follow the milliseconds


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid_utils.compat.uuid7()


def least_id(ago: timedelta) -> UUID:
    """The least id that can have been made so long ago or later, by real time: younger rows have greater ones."""
    milliseconds = new_id().int >> _BELOW_TIME
    return UUID(int=(milliseconds - ago // timedelta(milliseconds=1)) << _BELOW_TIME)


def parse_id(text: str) -> UUID | None:
    """The id written in its canonical form, or None: whatever else was sent names nothing of ours."""
    try:
        parsed = UUID(text)
    except (ValueError, AttributeError):
        return None
    return parsed if str(parsed) == text.lower() else None
