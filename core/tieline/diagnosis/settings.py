"""What the settings lead to: the plugins, where browsers come to, whose tokens are taken."""

from __future__ import annotations

import httpx

from tieline import plugins
from tieline.diagnosis.finding import Finding, counted, fine, look, mend, unfit
from tieline.errors import IssuerUnavailable, StartRefused
from tieline.identity.issuer import Issuer
from tieline.plugins.registry import Registry
from tieline.settings import Settings

_SECONDS = 5.0


def look_at_plugins(settings: Settings) -> tuple[Finding, Registry | None]:
    """With the plugins, where they can be loaded."""
    try:
        registry = plugins.load(settings.allowed_plugins)
    except StartRefused as refused:
        return unfit("plugins", refused), None
    if not registry.plugins:
        remedy = (
            "Install the providers' plugins, such as tieline-xero: without one, nothing can be connected."
        )
        return mend("plugins", "none is installed", remedy), registry
    listed = ", ".join(f"{each.slug} ({each.distribution} {each.version})" for each in registry.plugins)
    return fine("plugins", listed), registry


async def look_at_public_url(settings: Settings) -> Finding:
    """Whether a gateway of ours is there, as far as this machine can see."""
    what, url = "public address", settings.public_url
    if not settings.is_development and url.startswith("http://"):
        return look(
            what,
            f"{url} is of this machine alone",
            "Set TIELINE_PUBLIC_URL to the https address that browsers and providers reach.",
        )
    try:
        async with httpx.AsyncClient(timeout=_SECONDS) as client:
            answer = await client.post(f"{url}/graphql", json={"query": "{ viewer { role } }"})
    except httpx.HTTPError as away:
        return look(
            what,
            f"{url} does not answer ({type(away).__name__})",
            "Start 'tieline serve', and see where the proxy and TIELINE_PUBLIC_URL lead.",
        )
    if not _is_ours(answer):
        return look(
            what,
            f"{url} answers {answer.status_code}, and not as Tieline does",
            "Have the proxy pass /graphql, /oauth/ and /webhooks/ on to 'tieline serve'.",
        )
    return fine(what, f"{url} answers")


def _is_ours(answer: httpx.Response) -> bool:
    """Whoever says nothing about themselves is told that as GraphQL."""
    try:
        errors = answer.json()["errors"]
        return bool(errors[0]["extensions"]["code"])
    except (ValueError, KeyError, IndexError, TypeError):
        return False


async def look_at_issuer(settings: Settings) -> list[Finding]:
    """Nothing where no issuer is trusted."""
    async with httpx.AsyncClient(timeout=_SECONDS) as client:
        issuer = Issuer.of(settings, client)
        if issuer is None:
            return []
        try:
            keys = await issuer.look()
        except IssuerUnavailable:
            return [
                mend(
                    "issuer of tokens",
                    f"{issuer.name} publishes no keys that can be read",
                    "Check TIELINE_OIDC_ISSUER letter by letter and TIELINE_OIDC_JWKS_URL; gateways must reach it.",
                )
            ]
    return [fine("issuer of tokens", f"{issuer.name} publishes {counted(keys, 'key')}")]
