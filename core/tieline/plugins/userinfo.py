"""Who signed in, as a provider's userinfo endpoint tells it (OpenID Connect Core, 5.3): for people to see, no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from tieline.errors import ProviderError
from tieline.log import fields_of, get_logger
from tieline.plugins.contract import Endpoints
from tieline.plugins.transport import counted
from tieline.vault import Secret

_MAX_ANSWER_BYTES = 64 * 1024

_log = get_logger(__name__)


async def ask_userinfo(
    client: httpx.AsyncClient, endpoints: Endpoints, access: Secret, *, provider: str, seconds: float
) -> Mapping[str, Any]:
    """The claims; none where there is no such endpoint, or no answer that can be read: no sign-in depends on them."""
    if endpoints.userinfo is None:
        return {}
    headers = {"Accept": "application/json", "Authorization": f"Bearer {access.reveal()}"}
    asked = httpx.Request("GET", endpoints.userinfo, headers=headers)
    try:
        answer = await counted(
            client,
            asked,
            provider=provider,
            seconds=seconds,
            max_bytes=_MAX_ANSWER_BYTES,
            reference_header=endpoints.reference_header,
        )
    except ProviderError as error:
        _log.warning("provider.userinfo_unknown", provider=provider, **fields_of(error))
        return {}
    claims = _claims(answer) if answer.status_code == httpx.codes.OK else None
    if claims is None:
        _log.warning("provider.userinfo_unknown", provider=provider, status=answer.status_code)
    return claims or {}


def _claims(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        claims = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None
