"""A request to authorize as OAuth 2 has it: what is wrong with it, and the way back to the app."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

FIRST_CALLBACK = "http://localhost:5000/callback"
"""Where the apps that there are at the beginning return to."""
_CHALLENGE_LENGTH = 43  # of a SHA-256 digest in base64url


def problem_of(given: QueryParams, known: AbstractSet[str]) -> str | None:
    """The error's code; `known` are the scopes there are."""
    scopes = set(given.get("scope", "").split())
    challenge = given.get("code_challenge")
    if given.get("response_type") != "code":
        return "unsupported_response_type"
    if not scopes or not scopes <= known:
        return "invalid_scope"
    if challenge is None:
        return None
    fits = given.get("code_challenge_method") == "S256" and len(challenge) == _CHALLENGE_LENGTH
    return None if fits else "invalid_request"


def back(redirect_uri: str, state: str | None, **answer: str) -> Response:
    """Send the browser on to the app with this answer."""
    pairs = answer if state is None else answer | {"state": state}
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(pairs)}", 302, {"Cache-Control": "no-store"})
