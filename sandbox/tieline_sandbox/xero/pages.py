"""The consent page that people see, and the page of an error that cannot be sent back to the app."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse

from tieline_sandbox.xero.model import App, Organisation, User

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#123}"
    "header{border-bottom:4px solid #13b5ea;margin-bottom:1.5rem}small{color:#567}"
    "label{display:block;padding:.15rem 0}fieldset{border:1px solid #cde;margin:1rem 0}"
    "button{font:inherit;padding:.4rem 1.2rem;margin-right:.5rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def choose_person(app: App, people: Iterable[User], query: list[tuple[str, str]]) -> HTMLResponse:
    """Who is logging in: each person is a link to the same address with `as` added."""
    links = "".join(
        f'<li><a href="?{escape(urlencode([*query, ("as", user.id)]))}">{escape(_full_name(user))}</a>'
        f" <small>{escape(user.email)}</small></li>"
        for user in people
    )
    return _page("Log in", f"<h1>Log in to continue to {escape(app.client_id)}</h1><ul>{links}</ul>")


def consent(
    app: App,
    user: User,
    organisations: Iterable[Organisation],
    *,
    several: bool,
    scopes: Iterable[str],
    redirect_uri: str,
) -> HTMLResponse:
    """Which organisations the app gets; `several` makes the choice one of checkboxes."""
    kind = "checkbox" if several else "radio"
    choices = "".join(
        f'<label><input type="{kind}" name="organisation" value="{escape(one.tenant_id)}"> {escape(one.name)}</label>'
        for one in organisations
    )
    wanted = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes))
    body = (
        f"<h1>{escape(app.client_id)} wants access</h1><p>Logged in as {escape(_full_name(user))}"
        f' <small>{escape(user.email)}</small></p><ul>{wanted}</ul><form method="post">'
        f'<input type="hidden" name="user" value="{escape(user.id)}">'
        f"<fieldset><legend>Organisations</legend>{choices}</fieldset>"
        '<button name="decision" value="allow">Allow access</button>'
        '<button name="decision" value="deny">Cancel</button></form>'
    )
    return _page("Allow access", body, form_target=redirect_uri)


def problem(code: str, sentence: str) -> HTMLResponse:
    """An error that stays here, because the app's address cannot be trusted."""
    return _page(
        "Sorry",
        f"<h1>Sorry, something went wrong</h1><p>Error: {escape(code)}</p><p>{escape(sentence)}</p>",
        400,
    )


def _page(title: str, body: str, status: int = 200, form_target: str | None = None) -> HTMLResponse:
    parts = urlsplit(form_target) if form_target else None
    targets = f"'self' {parts.scheme}://{parts.netloc}" if parts else "'none'"
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><header><small>Tieline sandbox, pretending to be Xero</small>"
        f"</header>{body}</body></html>"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(html, status, headers=headers)


def _full_name(user: User) -> str:
    return f"{user.given_name} {user.family_name}"
