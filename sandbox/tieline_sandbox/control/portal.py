"""What there is: apps, people, organisations, and the consents between them."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from tieline_sandbox.codec import Malformed, decode, encode, merge
from tieline_sandbox.control import webhooks
from tieline_sandbox.control.endpoint import Asked, Handlers, Unknown
from tieline_sandbox.names import business_name
from tieline_sandbox.people import details
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero import grants, seeded
from tieline_sandbox.xero.model import App, User, XeroState, connection_key
from tieline_sandbox.xero.organisations import found

_MAX_REDIRECT_URIS = 50


def put_app(sandbox: Sandbox, asked: Asked) -> App:
    client_id, apps = asked.path["client_id"], sandbox.state.xero.apps
    current = apps.get(client_id) or App(client_id=client_id, secret=secrets.token_urlsafe(24))
    changed = merge(current, asked.body, fixed=("client_id",))
    for uri in changed.redirect_uris:
        _check_redirect_uri(uri)
    if len(changed.redirect_uris) > _MAX_REDIRECT_URIS:
        raise Malformed("redirect_uris", f"must be at most {_MAX_REDIRECT_URIS}")
    webhooks.check_url(changed.webhook_url)
    if changed.webhook_url is not None and changed.webhook_url != current.webhook_url:
        sandbox.xero_outbox.begin(client_id)
    apps[client_id] = replace(changed, webhook_key=changed.webhook_key or secrets.token_urlsafe(24))
    return apps[client_id]


def _check_redirect_uri(uri: str) -> None:
    parts = urlsplit(uri)
    fine = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
    if not fine or "*" in uri or parts.fragment or not parts.hostname:
        raise Malformed("redirect_uris", f"{uri} must be https, or http://localhost, without * and #")


def put_user(sandbox: Sandbox, asked: Asked) -> User:
    id_, users = _uuid(asked.path["user_id"]), sandbox.state.xero.users
    current = users.get(id_) or User(**details(id_, Dice("xero user", id_)))
    changed = merge(current, asked.body, fixed=("id",))
    for tenant_id in changed.organisations:
        if tenant_id not in sandbox.state.xero.organisations:
            raise Malformed("organisations", f"there is no organisation {tenant_id}")
    users[id_] = changed
    return changed


def users(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"users": list(sandbox.state.xero.users.values())}


def put_organisation(sandbox: Sandbox, asked: Asked) -> Any:
    tenant_id, given = _uuid(asked.path["tenant_id"]), dict(asked.body)
    day_remaining = decode(int | None, given.pop("day_remaining", None), "day_remaining")
    organisations = sandbox.state.xero.organisations
    current = organisations.get(tenant_id)
    if current is None:
        seed = decode(str, given.get("seed", tenant_id), "seed")
        name = decode(str, given.get("name", business_name(Dice(tenant_id).below(576))), "name")
        current = found(
            tenant_id, seed=seed, name=name, country=decode(str, given.get("country", "GB"), "country")
        )
    organisations[tenant_id] = merge(current, given, fixed=("tenant_id",))
    if "day_remaining" in asked.body:
        sandbox.xero.limiter.leave(tenant_id, day_remaining)
    return organisations[tenant_id]


def organisations(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"organisations": list(sandbox.state.xero.organisations.values())}


def populate(sandbox: Sandbox, asked: Asked) -> Any:
    given = dict(asked.body)
    if "seed" not in given:
        sandbox.state.populated += 1
        given["seed"] = f"populated-{sandbox.state.populated}"
    wanted: seeded.Population = decode(seeded.Population, given | {"seed": str(given["seed"])})
    user, made = seeded.populate(sandbox.state.xero, wanted)
    return {
        "user_id": user.id,
        "email": user.email,
        "organisations": [{"tenant_id": one.tenant_id, "name": one.name} for one in made],
    }


@dataclass(frozen=True, kw_only=True)
class _Revocation:
    user: str
    client_id: str
    organisation: str | None = None


def revoke(sandbox: Sandbox, asked: Asked) -> Any:
    wanted: _Revocation = decode(_Revocation, asked.body)
    state = sandbox.state.xero
    user = state.person(wanted.user)
    if user is None:
        raise Unknown("user", wanted.user)
    if wanted.organisation is None:
        if grants.grant_key(user.id, wanted.client_id) not in state.grants:
            raise Unknown("consent of", wanted.user)
        grants.revoke(state, wanted.client_id, user.id)
        return {}
    connection = state.connections.get(connection_key(wanted.client_id, user.id, wanted.organisation.lower()))
    if connection is None or not connection.is_connected:
        raise Unknown("connection to", wanted.organisation)
    grants.disconnect(state, connection)
    return {}


def list_grants(sandbox: Sandbox, _asked: Asked) -> Any:
    state = sandbox.state.xero
    tokens = _refresh_tokens(sandbox)
    return {
        "grants": [_grant(state, grant.user_id, grant.client_id, tokens) for grant in state.grants.values()]
    }


def _grant(
    state: XeroState, user_id: str, client_id: str, tokens: Counter[tuple[str, str, str]]
) -> dict[str, Any]:
    return {
        "user": user_id,
        "email": state.users[user_id].email,
        "client_id": client_id,
        "scopes": sorted(state.grants[grants.grant_key(user_id, client_id)].scopes),
        "refresh_tokens": {
            kind: tokens[user_id, client_id, kind] for kind in ("current", "in_grace", "dead")
        },
        "connections": encode(state.connections_of(client_id, user_id)),
    }


def _refresh_tokens(sandbox: Sandbox) -> Counter[tuple[str, str, str]]:
    """How many there are by person, app and kind."""
    state, now, counted = sandbox.state.xero, sandbox.clock.now(), Counter[tuple[str, str, str]]()
    for token in state.refresh_tokens.values():
        session = state.sessions[token.session_id]
        kind = "dead" if not grants.is_good(token, now) else "in_grace" if token.replaced_at else "current"
        counted[session.user_id, session.client_id, kind] += 1
    return counted


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise Malformed("the address", f"{text} must be a UUID") from error


HANDLERS: Handlers = {
    ("PUT", "/apps/{client_id}"): put_app,
    ("GET", "/users"): users,
    ("PUT", "/users/{user_id}"): put_user,
    ("GET", "/organisations"): organisations,
    ("PUT", "/organisations/{tenant_id}"): put_organisation,
    ("POST", "/populate"): populate,
    ("POST", "/revoke"): revoke,
    ("GET", "/grants"): list_grants,
}
