"""The SQL of a practice's apps at providers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tortoise.exceptions import IntegrityError

from tieline.credentials.models import ProviderAppRow
from tieline.database import current
from tieline.errors import Invalid
from tieline.ids import AppId, PracticeId


class Environment(StrEnum):
    """Whose books an app reaches: real ones, or those of a sandbox."""

    LIVE = "LIVE"
    SANDBOX = "SANDBOX"


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """A practice's app at a provider, without its secrets. `fault` is the code of the last refusal of the app."""

    id: AppId
    practice_id: PracticeId
    provider: str
    environment: Environment
    base_url: str | None
    client_id: str
    bulk_consent: bool
    tier: str | None
    fault: str | None
    created_at: datetime


_APP = (
    "a.id, a.practice_id, a.provider, a.environment, a.base_url, a.client_id, a.bulk_consent, a.tier, a.fault, "
    "a.created_at"
)
_MINE = "practice_id = $1 AND id = $2"


class AppRepository:
    """The apps of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> AppRepository:
        return cls(practice_id)

    async def get(self, app_id: AppId) -> App | None:
        return await self._one("a.id = $2", app_id)

    async def of_provider(self, provider: str) -> App | None:
        return await self._one("a.provider = $2", provider)

    async def all(self) -> list[App]:
        """By provider."""
        rows = await current().rows(
            f"SELECT {_APP} FROM provider_app AS a WHERE a.practice_id = $1 ORDER BY a.provider",
            self.practice_id,
        )
        return [app_of_row(row, row["id"]) for row in rows]

    async def add(self, row: ProviderAppRow) -> None:
        """Raises Invalid: a practice has one app at a provider, and an app serves one practice."""
        try:
            await row.save(force_create=True)
        except IntegrityError as conflict:
            if "provider_app_client_once" in str(conflict):
                raise Invalid(
                    "This client id is another practice's app already: each practice needs an app of its own.",
                    field="clientId",
                ) from None
            if "provider_app_once" not in str(conflict):
                raise
            raise Invalid(
                f"This practice has an app at {row.provider} already: 'tieline app list' shows it, "
                "'tieline app rotate' gives it a new secret.",
                field="provider",
            ) from conflict

    async def sealed_secret(self, app_id: AppId) -> bytes | None:
        sealed: bytes | None = await current().value(
            f"SELECT secret_sealed FROM provider_app WHERE {_MINE}", self.practice_id, app_id
        )
        return sealed

    async def set_secret(self, app_id: AppId, sealed: bytes) -> None:
        """A new secret; what was wrong with the old one is forgotten."""
        await current().run(
            f"UPDATE provider_app SET secret_sealed = $3, fault = NULL WHERE {_MINE}",
            self.practice_id,
            app_id,
            sealed,
        )

    async def set_webhook_secret(self, app_id: AppId, sealed: bytes | None) -> None:
        """None takes it away."""
        sql = f"UPDATE provider_app SET webhook_secret_sealed = $3 WHERE {_MINE}"
        await current().run(sql, self.practice_id, app_id, sealed)

    async def with_webhook_secret(self) -> frozenset[AppId]:
        """The apps that have one."""
        rows = await current().rows(
            "SELECT id FROM provider_app WHERE practice_id = $1 AND webhook_secret_sealed IS NOT NULL",
            self.practice_id,
        )
        return frozenset(row["id"] for row in rows)

    async def set_tier(self, app_id: AppId, tier: str) -> None:
        sql = f"UPDATE provider_app SET tier = $3 WHERE {_MINE}"
        await current().run(sql, self.practice_id, app_id, tier)

    async def set_fault(self, app_id: AppId, code: str | None) -> bool:
        """Whether it was another one before."""
        changed = f"UPDATE provider_app SET fault = $3 WHERE {_MINE} AND fault IS DISTINCT FROM $3"
        return await current().run(changed, self.practice_id, app_id, code) == 1

    async def _one(self, condition: str, value: object) -> App | None:
        row = await current().row(
            f"SELECT {_APP} FROM provider_app AS a WHERE a.practice_id = $1 AND {condition}",
            self.practice_id,
            value,
        )
        return app_of_row(row, row["id"]) if row else None


async def app_taking_webhooks(provider: str, app_id: AppId) -> tuple[App, bytes] | None:
    """This app with its sealed secret for webhooks, whosever it is; None where it has none. System scope."""
    row = await current().row(
        f"SELECT {_APP}, a.webhook_secret_sealed AS sealed FROM provider_app AS a "
        "WHERE a.id = $1 AND a.provider = $2 AND a.webhook_secret_sealed IS NOT NULL",
        app_id,
        provider,
    )
    return (app_of_row(row, row["id"]), row["sealed"]) if row else None


def app_of_row(row: Any, app_id: AppId) -> App:
    """The app that these columns of it tell of, by whatever name the row has its id."""
    return App(
        id=app_id,
        practice_id=row["practice_id"],
        provider=row["provider"],
        environment=Environment(row["environment"]),
        base_url=row["base_url"],
        client_id=row["client_id"],
        bulk_consent=row["bulk_consent"],
        tier=row["tier"],
        fault=row["fault"],
        created_at=row["created_at"],
    )
