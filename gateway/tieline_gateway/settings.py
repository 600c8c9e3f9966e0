"""What only the gateway needs to know, read once from `TIELINE_*` like the rest."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


class GatewaySettings(BaseSettings):
    """Where the API listens and which pages may call it."""

    model_config = SettingsConfigDict(env_prefix="TIELINE_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    public_url: str = Field(
        "http://localhost:8000",
        description="How browsers reach the gateway; the providers' callback addresses begin with it.",
    )
    allowed_origins: str = Field(
        "", description="Origins of the front ends, comma-separated: `https://app.example,https://…`. No `*`."
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses whose `X-Forwarded-*` headers are believed, comma-separated."
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for `/metrics`; without one it answers in development only."
    )

    @field_validator("allowed_origins")
    @classmethod
    def _whole_origins(cls, value: str) -> str:
        for origin in _listed(value):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin like https://app.example")
        return value

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(_listed(self.allowed_origins))


def _listed(text: str) -> list[str]:
    return [part.strip().rstrip("/") for part in text.split(",") if part.strip()]
