"""The pages that people see: who logs in, what an app may have, and the error that cannot be sent back to it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse

from tieline_sandbox.people import Someone, full_name


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something that a person may tick: what is posted, and what is read."""

    value: str
    label: str
    is_chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What the consent page asks; `several` makes the choice, posted as `field`, one of checkboxes."""

    client_id: str
    user: Someone
    scopes: Iterable[str]
    legend: str
    field: str
    choices: Iterable[Choice]
    several: bool
    redirect_uri: str


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The pages of one provider, in its colour."""

    provider: str
    colour: str

    def choose_person(
        self, client_id: str, people: Iterable[Someone], query: list[tuple[str, str]]
    ) -> HTMLResponse:
        """Who is logging in: each person is a link to the same address with `as` added."""
        links = "".join(
            f'<li><a href="?{escape(urlencode([*query, ("as", user.id)]))}">{escape(full_name(user))}</a>'
            f" <small>{escape(user.email)}</small></li>"
            for user in people
        )
        return self._page("Log in", f"<h1>Log in to continue to {escape(client_id)}</h1><ul>{links}</ul>")

    def consent(self, asked: Consent) -> HTMLResponse:
        """What the app gets."""
        wanted = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(asked.scopes))
        body = (
            f"<h1>{escape(asked.client_id)} wants access</h1><p>Logged in as {escape(full_name(asked.user))}"
            f' <small>{escape(asked.user.email)}</small></p><ul>{wanted}</ul><form method="post">'
            f'<input type="hidden" name="user" value="{escape(asked.user.id)}">'
            f"<fieldset><legend>{escape(asked.legend)}</legend>{_choices(asked)}</fieldset>"
            '<button name="decision" value="allow">Allow access</button>'
            '<button name="decision" value="deny">Cancel</button></form>'
        )
        return self._page("Allow access", body, form_target=asked.redirect_uri)

    def problem(self, code: str, sentence: str) -> HTMLResponse:
        """An error that stays here, because the app's address cannot be trusted."""
        body = f"<h1>Sorry, something went wrong</h1><p>Error: {escape(code)}</p><p>{escape(sentence)}</p>"
        return self._page("Sorry", body, 400)

    def _page(self, title: str, body: str, status: int = 200, form_target: str | None = None) -> HTMLResponse:
        parts = urlsplit(form_target) if form_target else None
        targets = f"'self' {parts.scheme}://{parts.netloc}" if parts else "'none'"
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        html = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{self._style}</style></head><body><header><small>Tieline sandbox, pretending to be "
            f"{self.provider}</small></header>{body}</body></html>"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(html, status, headers=headers)

    @property
    def _style(self) -> str:
        return (
            "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#123}"
            f"header{{border-bottom:4px solid {self.colour};margin-bottom:1.5rem}}small{{color:#567}}"
            "label{display:block;padding:.15rem 0}fieldset{border:1px solid #cde;margin:1rem 0}"
            "button{font:inherit;padding:.4rem 1.2rem;margin-right:.5rem}"
        )


def _choices(asked: Consent) -> str:
    kind = "checkbox" if asked.several else "radio"
    return "".join(
        f'<label><input type="{kind}" name="{asked.field}" value="{escape(one.value)}"'
        f"{' checked' if one.is_chosen else ''}> {escape(one.label)}</label>"
        for one in asked.choices
    )
