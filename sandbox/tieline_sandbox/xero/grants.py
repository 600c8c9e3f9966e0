"""The rules of consent, tokens and connections: Xero's state in, Xero's state changed, no HTTP.

Lives are Xero's: https://developer.xero.com/faq/oauth2.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from tieline_sandbox.forms import proves
from tieline_sandbox.xero.model import (
    App,
    Code,
    Connection,
    Grant,
    RefreshToken,
    Session,
    User,
    XeroState,
    connection_key,
)
from tieline_sandbox.xero.scopes import IDENTITY

CODE_LIFE = timedelta(minutes=5)
ACCESS_TOKEN_LIFE = timedelta(minutes=30)
ID_TOKEN_LIFE = timedelta(minutes=5)
REFRESH_TOKEN_LIFE = timedelta(days=60)  # if it is not used
REFRESH_TOKEN_GRACE = timedelta(minutes=30)  # after it was used


class InvalidGrant(Exception):
    """The code or refresh token is none, not any more, or not for this caller."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an app asks a person for."""

    redirect_uri: str
    scopes: frozenset[str]
    challenge: str | None = None
    nonce: str | None = None


def grant_key(user_id: str, client_id: str) -> str:
    return f"{user_id} {client_id}"


def allow(
    state: XeroState, app: App, user: User, asked: Asked, tenants: tuple[str, ...], now: datetime
) -> Code:
    """The person said yes: the scopes add up, the organisations are connected, the app gets a code."""
    key = grant_key(user.id, app.client_id)
    before = state.grants[key].scopes if key in state.grants else frozenset[str]()
    granted = before | asked.scopes
    state.grants[key] = Grant(user_id=user.id, client_id=app.client_id, scopes=granted)
    event = str(uuid4())
    for tenant_id in tenants:
        _connect(state, app, user, tenant_id, event, now)
    code = Code(
        code=secrets.token_urlsafe(32),
        client_id=app.client_id,
        user_id=user.id,
        redirect_uri=asked.redirect_uri,
        scopes=(granted - IDENTITY) | asked.scopes,
        auth_event_id=event,
        issued_at=now,
        challenge=asked.challenge,
        nonce=asked.nonce,
    )
    state.codes = {old.code: old for old in state.codes.values() if now - old.issued_at < CODE_LIFE}
    state.codes[code.code] = code
    return code


def _connect(state: XeroState, app: App, user: User, tenant_id: str, event: str, now: datetime) -> None:
    key = connection_key(app.client_id, user.id, tenant_id)
    found = state.connections.get(key)
    if found:
        kept = found.is_connected and app.reconnecting_keeps_auth_event
        event = found.auth_event_id if kept else event
        state.connections[key] = replace(found, auth_event_id=event, updated_at=now, is_connected=True)
        return
    state.connections[key] = Connection(
        id=str(uuid4()),
        client_id=app.client_id,
        user_id=user.id,
        tenant_id=tenant_id,
        auth_event_id=event,
        created_at=now,
        updated_at=now,
    )


def exchange(
    state: XeroState, app: App, code: str, redirect_uri: str, verifier: str | None, now: datetime
) -> tuple[Session, Code]:
    """A new session for a code. A code is used up by the first attempt of its app, good or bad."""
    found = state.codes.get(code)
    if found is None or found.client_id != app.client_id:
        raise InvalidGrant
    del state.codes[code]
    expired = not timedelta(0) <= now - found.issued_at < CODE_LIFE
    key = grant_key(found.user_id, app.client_id)
    if (
        expired
        or found.redirect_uri != redirect_uri
        or not proves(verifier, found.challenge)
        or key not in state.grants
    ):
        raise InvalidGrant
    if app.new_consent_kills_old_pair:
        _end_sessions(state, app.client_id, found.user_id)
    session = Session(
        id=str(uuid4()),
        client_id=app.client_id,
        user_id=found.user_id,
        scopes=found.scopes,
        auth_event_id=found.auth_event_id,
        auth_time=found.issued_at,
    )
    state.sessions[session.id] = session
    return session, found


def issue_refresh_token(state: XeroState, session: Session, now: datetime) -> RefreshToken:
    made = RefreshToken(token=secrets.token_urlsafe(32), session_id=session.id, issued_at=now)
    state.refresh_tokens[made.token] = made
    return made


def rotate(state: XeroState, app: App, token: str, now: datetime) -> Session:
    """The session that goes on. In its grace an old token may be used as often as it takes."""
    found = state.refresh_tokens.get(token)
    session = state.sessions.get(found.session_id) if found else None
    if found is None or session is None or session.client_id != app.client_id or not is_good(found, now):
        raise InvalidGrant
    if found.replaced_at is None:
        state.refresh_tokens[token] = replace(found, replaced_at=now)
    for other in list(state.refresh_tokens.values()):
        if other.session_id == session.id and not is_good(other, now):
            del state.refresh_tokens[other.token]
    return session


def is_good(token: RefreshToken, now: datetime) -> bool:
    if token.replaced_at is not None:
        return now - token.replaced_at < REFRESH_TOKEN_GRACE
    return now - token.issued_at < REFRESH_TOKEN_LIFE


def revoke(state: XeroState, client_id: str, user_id: str) -> None:
    """The whole consent ends: its tokens, and every connection of this person to the app."""
    state.grants.pop(grant_key(user_id, client_id), None)
    _end_sessions(state, client_id, user_id)
    for connection in state.connections_of(client_id, user_id):
        disconnect(state, connection)


def disconnect(state: XeroState, connection: Connection) -> None:
    """One organisation leaves; the tokens stay good."""
    key = connection_key(connection.client_id, connection.user_id, connection.tenant_id)
    state.connections[key] = replace(connection, is_connected=False)


def _end_sessions(state: XeroState, client_id: str, user_id: str) -> None:
    whose = (client_id, user_id)
    ended = {one.id for one in state.sessions.values() if (one.client_id, one.user_id) == whose}
    state.sessions = {one.id: one for one in state.sessions.values() if one.id not in ended}
    kept = (token for token in state.refresh_tokens.values() if token.session_id not in ended)
    state.refresh_tokens = {token.token: token for token in kept}
