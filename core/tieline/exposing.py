"""What this process counts, as `/metrics` answers it, and who may read that."""

from __future__ import annotations

import hmac

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from tieline import metrics
from tieline.database import pool_figures
from tieline.settings import Settings

__all__ = ["CONTENT_TYPE_LATEST", "exposed", "may_read"]


def exposed(*more: CollectorRegistry) -> bytes:
    """The figures of this moment, in Prometheus' text form."""
    for state, count in pool_figures().items():
        metrics.database_connections.labels(state).set(count)
    return b"".join(generate_latest(registry) for registry in (metrics.REGISTRY, *more))


def may_read(settings: Settings, authorization: str) -> bool:
    """Whether a request with this header may; in development anybody may, unless a token is set."""
    if settings.metrics_token is None:
        return settings.is_development
    expected = f"Bearer {settings.metrics_token.get_secret_value()}".encode()
    return hmac.compare_digest(authorization.encode(), expected)
