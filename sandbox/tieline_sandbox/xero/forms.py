"""Form bodies and client credentials, as the OAuth endpoints take them."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from tieline_sandbox.xero.model import App, XeroState


def form_of(body: bytes) -> dict[str, str]:
    """The fields, the last one of each name."""
    return dict(fields_of(body))


def fields_of(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str] | None:
    """Client id and secret: by Basic authentication, or else from the body."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        client_id, _, secret = text.partition(":")
        return unquote_plus(client_id), unquote_plus(secret)
    if "client_id" in form and "client_secret" in form:
        return form["client_id"], form["client_secret"]
    return None


def authenticated(state: XeroState, headers: Mapping[str, str], form: Mapping[str, str]) -> App | None:
    """The app whose secret the caller knows."""
    given = credentials(headers, form)
    app = state.apps.get(given[0]) if given else None
    if app is None or given is None or not secrets.compare_digest(app.secret.encode(), given[1].encode()):
        return None
    return app
