"""The environment, read once into a typed value; every `TIELINE_*` of the core stands here.

Nothing that protects someone has a default: a missing key or address stops the start with a sentence.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tieline.errors import StartRefused
from tieline.vault import Vault

_OWN_PORT = {"http": ":80", "https": ":443"}
_OIDC = ("oidc_issuer", "oidc_audience", "oidc_jwks_url")
_ORIGIN = re.compile(r"(?i:https?)://[A-Za-z0-9.\-\[\]:]+")
_ADDRESS = re.compile(
    r"(?i:https://[A-Za-z0-9.\-\[\]:]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)(/[^\s?#\x00-\x1f]*)?"
)
_PUBLIC = re.compile(r"(?i:https://[A-Za-z0-9.\-\[\]:]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)")


class PluginSettings(BaseSettings):
    """What `tieline plugins` needs, which works before there is a database."""

    model_config = SettingsConfigDict(env_prefix="TIELINE_", frozen=True, extra="ignore")

    plugins: str = Field(
        "", description="Provider plugins to load, comma-separated slugs; empty loads every installed one."
    )

    @property
    def allowed_plugins(self) -> frozenset[str] | None:
        """The slugs that may be loaded; None for all there are."""
        return frozenset(_listed(self.plugins)) or None


class Settings(PluginSettings):
    """What every process of a deployment shares. Durations are in seconds unless the name says else."""

    environment: Literal["production", "development"] = Field(
        "production", description="`development` opens introspection and allows the movable clock."
    )
    database_url: SecretStr = Field(
        description="PostgreSQL 14+: `postgres://login:password@host:5432/name`, `?sslmode=verify-full` for TLS."
    )
    redis_url: SecretStr = Field(
        description="Redis or Valkey, its database for Tieline alone: `redis://:password@host:6379/0`."
    )
    encryption_keys: SecretStr = Field(
        description="The key ring, `id:base64,…`: the first seals, all open. `tieline keys generate` makes an entry."
    )
    public_url: str = Field(
        "http://localhost:8000",
        description="Where browsers and providers reach the API: `https://…`, or `http://localhost…` on one machine.",
    )
    allowed_origins: str = Field(
        "", description="Origins of the front ends, comma-separated: `https://app.example,https://…`. No `*`."
    )
    oidc_issuer: str | None = Field(
        None, description="Whose JWTs are taken besides API keys, letter by letter as their `iss` says."
    )
    oidc_audience: str | None = Field(
        None, description="What the `aud` of such a JWT must name: this API, as the issuer knows it."
    )
    oidc_jwks_url: str | None = Field(
        None, description="Where the issuer's keys are; without it, its discovery document says so."
    )
    database_pool_size: int = Field(
        10, ge=2, le=200, description="Connections a process holds at most, and one more for `/readyz`."
    )
    database_timeout: float = Field(
        30.0, gt=0, le=600, description="Seconds a statement may take, and a wait for a free connection."
    )
    worker_threads: int = Field(8, ge=1, le=64, description="Jobs a worker process has under way at once.")
    health_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Where workers and schedulers answer `/livez`, `/readyz` and `/metrics`; without one, nowhere.",
    )
    health_host: str = Field("127.0.0.1", description="The address that they listen on for that.")
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for `/metrics`; without one it answers in development only."
    )
    scheduler_interval: float = Field(
        5.0, gt=0, le=60, description="Seconds between two looks for jobs that are due."
    )
    event_retention_days: int = Field(30, ge=1, le=3650, description="Days an event is kept for replay.")
    activity_retention_days: int = Field(
        2557,
        ge=1,
        le=36500,
        description="Days it is kept who did what, and API keys that have ended: seven years.",
    )
    run_retention_days: int = Field(
        90, ge=1, le=3650, description="Days a sync that is over is kept; an organisation's last one stays."
    )
    sign_in_retention_days: int = Field(
        7, ge=1, le=3650, description="Days a sign-in that has ended is kept."
    )
    tombstone_retention_days: int = Field(
        30, ge=1, le=3650, description="Days a record is kept after it was gone at the provider."
    )
    webhook_retention_days: int = Field(
        35, ge=1, le=3650, description="Days an event of a webhook is known again when it is told again."
    )
    webhook_debounce: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="Seconds from a webhook's event to the sync of what it touched; some take up to twice as long.",
    )
    webhook_spacing: float = Field(
        300.0,
        ge=0,
        le=86400,
        description="Seconds, at least, between two syncs of one organisation that webhooks ask for.",
    )
    clock: Literal["real", "movable"] = Field(
        "real", description="`movable` lets tests and the demo move calendar time; refused in production."
    )
    log_format: Literal["json", "console"] = Field("json", description="One JSON object a line, or for eyes.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least level logged."
    )

    @model_validator(mode="after")
    def _movable_only_in_development(self) -> Self:
        if self.clock == "movable" and self.environment == "production":
            raise _apart("TIELINE_CLOCK=movable is refused in production", "unset it", "clock")
        return self

    @model_validator(mode="after")
    def _issuer_and_audience(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            raise _apart(
                "Of TIELINE_OIDC_ISSUER and TIELINE_OIDC_AUDIENCE one is set alone",
                "set both, or neither",
                *_OIDC,
            )
        if self.oidc_jwks_url is not None and self.oidc_issuer is None:
            raise _apart(
                "TIELINE_OIDC_JWKS_URL needs TIELINE_OIDC_ISSUER and TIELINE_OIDC_AUDIENCE",
                "set both, or unset it",
                *_OIDC,
            )
        return self

    @field_validator("oidc_issuer", "oidc_audience", "oidc_jwks_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _safe(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_address(value):
            raise ValueError("it is neither https:// nor http://localhost, or has a query")
        return value

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, value: str) -> str:
        address = value.rstrip("/")
        if not _PUBLIC.fullmatch(address):
            raise ValueError("it is neither https:// nor http://localhost, or has a path")
        return address

    @field_validator("allowed_origins")
    @classmethod
    def _whole_origins(cls, value: str) -> str:
        for number, origin in enumerate(_listed(value), start=1):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"entry {number} is not an origin like https://app.example")
        return value

    @property
    def origins(self) -> frozenset[str]:
        """As browsers send them: lower case, no port where it is the scheme's own."""
        return frozenset(as_sent(origin) for origin in _listed(self.allowed_origins))

    @property
    def is_development(self) -> bool:
        return self.environment == "development"

    @cached_property
    def vault(self) -> Vault:
        return Vault.from_text(self.encryption_keys.get_secret_value())


def is_safe_address(url: str) -> bool:
    """Whether what comes from there comes from who stands there: `https://…`, or this machine itself."""
    return _ADDRESS.fullmatch(url) is not None


def as_sent(origin: str) -> str:
    """An origin in the form in which browsers send it."""
    scheme, _, place = origin.lower().partition("://")
    return f"{scheme}://{place.removesuffix(_OWN_PORT[scheme])}"


def _listed(text: str) -> list[str]:
    return [part.strip().rstrip("/") for part in text.split(",") if part.strip()]


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S]) -> S:
    """Read settings of this class from the environment. Raises StartRefused with one sentence a fault."""
    prefix = str(cls.model_config.get("env_prefix", ""))
    try:
        return cls()
    except ValidationError as invalid:
        faults = invalid.errors()
    missing = [_name(prefix, fault["loc"]) for fault in faults if fault["type"] == "missing"]
    sentences = [str(refusal_of(fault, prefix)) for fault in faults if fault["type"] != "missing"]
    if missing:
        sentences.append(
            f"Set {' and '.join(missing)} (docs/settings.md says to what), "
            "or start everything on this machine with 'tieline up'."
        )
    raise StartRefused(" ".join(sentences))


def load_settings() -> Settings:
    """The core's settings, its key ring checked. Raises StartRefused."""
    settings = load(Settings)
    _ = settings.vault
    return settings


def refusal_of(fault: ErrorDetails, prefix: str = "TIELINE_") -> StartRefused:
    """One fault of the environment, and what to do about it. It tells no value, which may be a secret."""
    if not fault["loc"]:
        return StartRefused(fault["ctx"]["wrong"], fault["ctx"]["remedy"])
    name = _name(prefix, fault["loc"])
    if fault["type"] == "missing":
        return StartRefused(f"{name} is not set", f"set {name}; docs/settings.md says to what")
    said = fault["msg"].removeprefix("Value error, ")
    return StartRefused(f"{name} cannot be used ({said})", "see docs/settings.md")


def fields_of(fault: ErrorDetails) -> tuple[str, ...]:
    """Those that it is about."""
    return (str(fault["loc"][0]),) if fault["loc"] else fault["ctx"]["fields"]


def _apart(wrong: str, remedy: str, *fields: str) -> PydanticCustomError:
    """A fault that no single setting has."""
    said = {"wrong": wrong, "remedy": remedy, "fields": fields}
    return PydanticCustomError("apart", "{wrong}: {remedy}", said)


def _name(prefix: str, location: tuple[int | str, ...]) -> str:
    return f"{prefix}{location[0]}".upper()
