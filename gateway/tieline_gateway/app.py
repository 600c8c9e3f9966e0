"""The ASGI application: routes, and what stands around them. It opens nothing: `serve` does, before it listens."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from tieline.settings import Settings
from tieline_gateway.addresses import Addresses, Strangers
from tieline_gateway.auth import context_of
from tieline_gateway.graphql.context import Context
from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.metrics import Metrics
from tieline_gateway.middleware import CORRELATION_HEADER, Correlation, Measured
from tieline_gateway.places import Places
from tieline_gateway.presence import Presence
from tieline_gateway.refusals import Refusals
from tieline_gateway.routes.health import MetricsRoute, livez, readyz, root
from tieline_gateway.routes.oauth import CALLBACK_LABEL, OAuthCallback, is_callback
from tieline_gateway.routes.webhooks import WEBHOOK_LABEL, WebhookRoute, is_webhook
from tieline_gateway.settings import GatewaySettings
from tieline_gateway.spending import spending
from tieline_gateway.transport import GraphQLTransport
from tieline_gateway.transport.incoming import PRACTICE_HEADER

_KNOWN = frozenset({"/", "/graphql", "/livez", "/readyz", "/metrics"})


def create_app(settings: Settings, gateway: GatewaySettings) -> Starlette:
    """Put the application together; pure, so that tests and servers can make as many as they like."""
    metrics = Metrics()
    refusals = Refusals(metrics=metrics)
    strangers = Strangers(scale=gateway.rate_address)
    presence = Presence(most=gateway.sockets_per_caller or None)
    transport = GraphQLTransport(
        schema=build_schema(),
        context=partial(context_of, presence=presence, begins_sign_in=strangers.begins_sign_in),
        hears=strangers.hears,
        joins=presence.join,
        spends=spending(gateway),
        caller=Context.caller,
        allowed_origins=settings.origins,
        development=settings.is_development,
    )
    return Starlette(
        routes=[
            *transport.routes("/graphql"),
            OAuthCallback(origins=settings.origins).route(),
            WebhookRoute(metrics=metrics).route(),
            Route("/", root),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", MetricsRoute(metrics, settings).__call__),
        ],
        middleware=[
            Middleware(Correlation),
            Middleware(Measured, metrics=metrics, label=_label),
            Middleware(
                CORSMiddleware,
                allow_origins=sorted(settings.origins),
                allow_methods=["POST"],
                allow_headers=["authorization", "content-type", CORRELATION_HEADER, PRACTICE_HEADER],
                expose_headers=[CORRELATION_HEADER, "retry-after"],
                max_age=600,
            ),
            Middleware(Places, label=_label, refusals=refusals),
            Middleware(Addresses, label=_label, strangers=strangers, refusals=refusals),
        ],
    )


def _label(path: str) -> str:
    """What a path is counted as; no id and nothing that strangers write is in it."""
    if path in _KNOWN:
        return path
    if is_callback(path):
        return CALLBACK_LABEL
    return WEBHOOK_LABEL if is_webhook(path) else "other"
