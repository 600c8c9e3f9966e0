"""Client credentials, as Xero's OAuth endpoints take them."""

from __future__ import annotations

from collections.abc import Mapping

from tieline_sandbox.forms import basic


def credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str] | None:
    """Client id and secret: by Basic authentication, or else from the body."""
    if headers.get("authorization", "").lower().startswith("basic "):
        return basic(headers)
    if "client_id" in form and "client_secret" in form:
        return form["client_id"], form["client_secret"]
    return None
