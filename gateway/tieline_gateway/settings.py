"""What only the gateway needs to know, read once from `TIELINE_*` like the rest."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """Where the API listens, and how it ends."""

    model_config = SettingsConfigDict(env_prefix="TIELINE_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses whose `X-Forwarded-*` headers are believed, comma-separated."
    )
    rate_cost: float = Field(
        50_000,
        ge=0,
        le=1_000_000_000,
        description="What the documents of one caller may cost a second; 0: as much as it likes.",
    )
    rate_burst: float = Field(
        3_000_000,
        ge=1,
        le=1_000_000_000,
        description="What they may cost at once, after the caller was quiet for a while.",
    )
    rate_address: float = Field(
        1,
        ge=0,
        le=1_000_000,
        description="What one address may do before anybody stands for it, and how many sign-ins it may begin, "
        "times this; 0: as much as it likes.",
    )
    sockets_per_caller: int = Field(
        100,
        ge=0,
        le=100_000,
        description="Sockets that one caller may hold in one process; 0: as many as it likes.",
    )
    drain_delay: float = Field(
        0.0,
        ge=0,
        le=300,
        description="Seconds that it goes on listening, not ready any more, once it is told to stop.",
    )
