"""The rules of consent and tokens: Intuit's state in, Intuit's state changed, no HTTP.

Lives are Intuit's: https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq
and https://blogs.intuit.com/2025/11/12/important-changes-to-refresh-token-policy/ for the hard one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from tieline_sandbox.forms import proves
from tieline_sandbox.quickbooks.model import AccessToken, App, Code, Grant, QuickBooksState, User

CODE_LIFE = timedelta(minutes=5)
ACCESS_TOKEN_LIFE = timedelta(hours=1)
REFRESH_TOKEN_LIFE = timedelta(days=101)  # moved on by every refresh
ROTATION = timedelta(hours=24)


class InvalidGrant(Exception):
    """The code or refresh token is none, not any more, or not for this caller."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an app asks a person for."""

    redirect_uri: str
    scopes: frozenset[str]
    challenge: str | None = None
    nonce: str | None = None


def allow(state: QuickBooksState, app: App, user: User, asked: Asked, realm_id: str, now: datetime) -> Code:
    """The person said yes to one company: the app gets a code."""
    code = Code(
        code=f"XAB{secrets.token_urlsafe(40)}",
        client_id=app.client_id,
        user_id=user.id,
        realm_id=realm_id,
        redirect_uri=asked.redirect_uri,
        scopes=asked.scopes,
        issued_at=now,
        challenge=asked.challenge,
        nonce=asked.nonce,
    )
    state.codes = {old.code: old for old in state.codes.values() if now - old.issued_at < CODE_LIFE}
    state.codes[code.code] = code
    return code


def subscriber(state: QuickBooksState, app: App, user: User, realm_id: str) -> User | None:
    """The other person whose grant keeps this one from connecting the company, where the app says so."""
    if app.second_consent != "REFUSED":
        return None
    live = (grant for grant in state.grants.values() if grant.is_live and grant.user_id != user.id)
    found = (grant for grant in live if (grant.client_id, grant.realm_id) == (app.client_id, realm_id))
    return next((state.users[grant.user_id] for grant in found), None)


def exchange(
    state: QuickBooksState, app: App, code: str, redirect_uri: str, verifier: str | None, now: datetime
) -> tuple[Grant, Code]:
    """A new grant for a code. A code that is exchanged twice ends the grant that it gave the first time."""
    found = state.codes.get(code)
    if found is None or found.client_id != app.client_id:
        raise InvalidGrant
    if found.grant_id is not None:
        _end(state, lambda grant: grant.id == found.grant_id)
        raise InvalidGrant
    fresh = timedelta(0) <= now - found.issued_at < CODE_LIFE
    if not fresh or found.redirect_uri != redirect_uri or not proves(verifier, found.challenge):
        del state.codes[code]
        raise InvalidGrant
    _replace_older(state, app, found)
    grant = Grant(
        id=str(uuid4()),
        client_id=app.client_id,
        user_id=found.user_id,
        realm_id=found.realm_id,
        scopes=found.scopes,
        auth_time=found.issued_at,
        hard_expires_at=now + timedelta(days=app.hard_life_days),
        refresh_token=_new_refresh_token(),
        token_since=now,
        extended_at=now,
    )
    state.grants[grant.id] = grant
    state.codes[code] = replace(found, grant_id=grant.id)
    return grant, found


def refresh(state: QuickBooksState, app: App, token: str, now: datetime) -> Grant:
    """The grant that goes on: with the same token within a day, then with another one and the old one dead."""
    found = state.holder(token)
    if found is None or found.client_id != app.client_id or now >= expires_at(found):
        raise InvalidGrant
    grant = replace(found, extended_at=now)
    if now - found.token_since >= ROTATION:
        grant = replace(grant, refresh_token=_new_refresh_token(), token_since=now)
    state.grants[grant.id] = grant
    return grant


def expires_at(grant: Grant) -> datetime:
    """When the refresh token dies if it is not used; never later than the grant as a whole."""
    return min(grant.extended_at + REFRESH_TOKEN_LIFE, grant.hard_expires_at)


def issue_access_token(state: QuickBooksState, grant: Grant, now: datetime) -> AccessToken:
    kept = (one for one in state.access_tokens.values() if one.expires_at > now - ACCESS_TOKEN_LIFE)
    state.access_tokens = {one.token: one for one in kept}
    made = AccessToken(
        token=f"eyJ{secrets.token_urlsafe(48)}", grant_id=grant.id, expires_at=now + ACCESS_TOKEN_LIFE
    )
    state.access_tokens[made.token] = made
    return made


def revoke(state: QuickBooksState, grant: Grant) -> None:
    """One authorisation ends; those of other companies and people go on."""
    _end(state, lambda one: one.id == grant.id)


def revoke_all(
    state: QuickBooksState, *, user_id: str | None, realm_id: str | None, client_id: str | None
) -> int:
    """Ends what fits all that is given; how many there were."""
    wanted = (client_id, user_id, realm_id)

    def fits(grant: Grant) -> bool:
        has = (grant.client_id, grant.user_id, grant.realm_id)
        return all(one in (None, other) for one, other in zip(wanted, has, strict=True))

    return _end(state, fits)


def _replace_older(state: QuickBooksState, app: App, code: Code) -> None:
    """The person's own older grant of this company ends, and others' where the app says so."""

    def is_older(grant: Grant) -> bool:
        same = (grant.client_id, grant.realm_id) == (app.client_id, code.realm_id)
        return same and (app.second_consent == "REPLACES" or grant.user_id == code.user_id)

    _end(state, is_older)


def _end(state: QuickBooksState, fits: Callable[[Grant], bool]) -> int:
    ended = [grant for grant in state.grants.values() if grant.is_live and fits(grant)]
    for grant in ended:
        state.grants[grant.id] = replace(grant, is_live=False)
    return len(ended)


def _new_refresh_token() -> str:
    return f"RT1-{secrets.randbelow(90) + 10}-H0-{secrets.token_urlsafe(24)}"
