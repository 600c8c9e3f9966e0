"""A pair of tokens as it is kept: what the provider gave, when it was given, and until when it is good."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tieline.ids import CredentialId, PracticeId
from tieline.plugins import TokenSet
from tieline.vault import Place, Secret, Vault

TABLE = "credential"
CURRENT, PREVIOUS = "tokens_sealed", "previous_sealed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Access and refresh token of one grant. `obtained_at` says which of two pairs is the younger one.

    `hard_expires_at` is the end of the grant itself, where the provider tells it: no refresh moves it.
    """

    access: Secret
    refresh: Secret | None
    id_token: Secret | None
    obtained_at: datetime
    access_expires_at: datetime
    refresh_expires_at: datetime | None
    hard_expires_at: datetime | None
    scopes: frozenset[str]

    @classmethod
    def of(cls, tokens: TokenSet, *, at: datetime) -> Pair:
        """What the token endpoint gave at this calendar instant."""
        return cls(
            access=tokens.access,
            refresh=tokens.refresh,
            id_token=tokens.id_token,
            obtained_at=at,
            access_expires_at=at + tokens.expires_in,
            refresh_expires_at=at + tokens.refresh_expires_in if tokens.refresh_expires_in else None,
            hard_expires_at=at + tokens.refresh_hard_expires_in if tokens.refresh_hard_expires_in else None,
            scopes=tokens.scopes,
        )

    def lasting(self, refresh_life: timedelta) -> Pair:
        """With the provider's own life of a refresh token where the answer did not name one."""
        if self.refresh is None or self.refresh_expires_at is not None:
            return self
        return replace(self, refresh_expires_at=self.obtained_at + refresh_life)

    def followed_by(self, tokens: TokenSet, *, at: datetime, refresh_life: timedelta) -> Pair:
        """The pair after a refresh; a refresh token that was not rotated stays, and so do ends not told anew."""
        said = Pair.of(tokens, at=at)
        fresh = replace(
            said,
            id_token=said.id_token or self.id_token,
            hard_expires_at=said.hard_expires_at or self.hard_expires_at,
        )
        if fresh.refresh is not None:
            return fresh.lasting(refresh_life)
        return replace(
            fresh,
            refresh=self.refresh,
            refresh_expires_at=fresh.refresh_expires_at or self.refresh_expires_at,
        )

    def sealed(self, vault: Vault, place: Place) -> bytes:
        return vault.seal(Secret(json.dumps(self._plain())), place)

    @classmethod
    def opened(cls, sealed: bytes, vault: Vault, place: Place) -> Pair:
        """Raises SealBroken."""
        plain: dict[str, Any] = json.loads(vault.open(sealed, place).reveal())
        return cls(
            access=Secret(plain["access"]),
            refresh=_secret(plain["refresh"]),
            id_token=_secret(plain["id_token"]),
            obtained_at=datetime.fromisoformat(plain["obtained_at"]),
            access_expires_at=datetime.fromisoformat(plain["access_expires_at"]),
            refresh_expires_at=_instant(plain["refresh_expires_at"]),
            hard_expires_at=_instant(plain.get("hard_expires_at")),  # unknown to pairs that were kept before
            scopes=frozenset(plain["scopes"]),
        )

    def _plain(self) -> dict[str, Any]:
        return {
            "access": self.access.reveal(),
            "refresh": self.refresh.reveal() if self.refresh else None,
            "id_token": self.id_token.reveal() if self.id_token else None,
            "obtained_at": self.obtained_at.isoformat(),
            "access_expires_at": self.access_expires_at.isoformat(),
            "refresh_expires_at": self.refresh_expires_at.isoformat() if self.refresh_expires_at else None,
            "hard_expires_at": self.hard_expires_at.isoformat() if self.hard_expires_at else None,
            "scopes": sorted(self.scopes),
        }


def place_of(practice_id: PracticeId, credential_id: CredentialId, column: str = CURRENT) -> Place:
    """Where a credential's pair is sealed for: CURRENT, or PREVIOUS for the one before a new consent."""
    return Place(practice_id=practice_id, table=TABLE, row_id=credential_id, column=column)


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text is not None else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
