"""What a browser gets that comes back from a provider: a redirect to the front end, or a small page. Pure.

The page hands `{source: "tieline", signIn, proof}`, or `error` in the place of the proof, to the window that
opened it, if that is of an allowed origin, and closes. Nothing of it is shown but a sentence.
"""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Collection, Mapping

from starlette.responses import HTMLResponse, RedirectResponse, Response

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_POLICY = "default-src 'none'; script-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tieline</title></head>
<body><p>{sentence}</p>{script}</body>
</html>
"""
_SCRIPT = """
<script nonce="{nonce}">
const message = {message}, origins = {origins};
if (window.opener && origins.length) {{
  for (const origin of origins) window.opener.postMessage(message, origin);
  window.close();
}}
</script>
"""


def redirect(location: str) -> Response:
    """To the front end, which is told by the address itself."""
    return RedirectResponse(location, status_code=303, headers=_HEADERS)


def handing_page(sentence: str, told: Mapping[str, str], origins: Collection[str]) -> Response:
    """For a sign-in without a return address: the opener is told, and people read the sentence."""
    nonce = secrets.token_urlsafe(18)
    script = _SCRIPT.format(
        nonce=nonce, message=_literal({"source": "tieline", **told}), origins=_literal(sorted(origins))
    )
    return _page(sentence, script=script, nonce=nonce, status=200)


def sentence_page(sentence: str, *, status: int) -> Response:
    """Nobody is told anything but the person."""
    return _page(sentence, script="", nonce=secrets.token_urlsafe(18), status=status)


def _page(sentence: str, *, script: str, nonce: str, status: int) -> Response:
    return HTMLResponse(
        _PAGE.format(sentence=html.escape(sentence), script=script),
        status_code=status,
        headers={**_HEADERS, "content-security-policy": _POLICY.format(nonce=nonce)},
    )


def _literal(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
