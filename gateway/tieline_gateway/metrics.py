"""What the gateway alone counts, in Prometheus' form; the names are an interface: docs/operations.md lists them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tieline.work.repository import Backlog


class Metrics:
    """One registry for one application, so that two in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tieline_http_requests_total",
            "Answered HTTP requests.",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tieline_http_request_seconds", "Time to answer.", ["route"], registry=self.registry
        )
        self.webhooks = Counter(
            "tieline_webhooks_total",
            "Webhooks that came.",
            ["provider", "outcome"],
            registry=self.registry,
        )
        self.sockets = Gauge("tieline_sockets_open", "Open WebSocket connections.", registry=self.registry)
        self._jobs = Gauge("tieline_jobs", "Jobs in the database.", ["lane", "state"], registry=self.registry)
        self._lag = Gauge(
            "tieline_job_lag_seconds", "The longest a due job has waited.", ["lane"], registry=self.registry
        )
        self._held_back = Gauge(
            "tieline_feed_held_back_seconds",
            "How long the oldest transaction that has written is open.",
            registry=self.registry,
        )

    def observe(self, backlog: Iterable[Backlog], held_back: timedelta | None) -> None:
        """Take over the figures that are read at the moment of a scrape; none where they could not be."""
        self._held_back.set(math.nan if held_back is None else held_back.total_seconds())
        self._jobs.clear()
        self._lag.clear()
        for lane in backlog:
            for state in ("due", "running", "failed"):
                self._jobs.labels(lane.lane.value, state).set(getattr(lane, state))
            self._lag.labels(lane.lane.value).set(lane.oldest.total_seconds())
