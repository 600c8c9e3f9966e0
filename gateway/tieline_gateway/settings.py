"""What only the gateway needs to know, read once from `TIELINE_*` like the rest."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_OWN_PORT = {"http": ":80", "https": ":443"}
_ORIGIN = re.compile(r"(?i:https?)://[A-Za-z0-9.\-\[\]:]+")


class GatewaySettings(BaseSettings):
    """Where the API listens and which pages may call it."""

    model_config = SettingsConfigDict(env_prefix="TIELINE_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
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
        """As browsers send them: lower case, no port where it is the scheme's own."""
        return frozenset(_as_sent(origin) for origin in _listed(self.allowed_origins))


def _as_sent(origin: str) -> str:
    scheme, _, place = origin.lower().partition("://")
    return f"{scheme}://{place.removesuffix(_OWN_PORT[scheme])}"


def _listed(text: str) -> list[str]:
    return [part.strip().rstrip("/") for part in text.split(",") if part.strip()]
