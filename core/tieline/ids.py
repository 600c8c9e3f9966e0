"""Identifiers: UUIDv7 made by the application, so that they sort by the time they were made."""

from __future__ import annotations

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


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid_utils.compat.uuid7()


def parse_id(text: str) -> UUID | None:
    """The id written in its canonical form, or None: whatever else was sent names nothing of ours."""
    try:
        parsed = UUID(text)
    except (ValueError, AttributeError):
        return None
    return parsed if str(parsed) == text.lower() else None
