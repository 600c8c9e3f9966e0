"""What only the gateway needs to know, read once from `TIELINE_*` like the rest."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """Where the API listens, and who may read its figures."""

    model_config = SettingsConfigDict(env_prefix="TIELINE_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses whose `X-Forwarded-*` headers are believed, comma-separated."
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for `/metrics`; without one it answers in development only."
    )
