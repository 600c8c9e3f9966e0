"""QuickBooks Online from above: apps, people, companies, consents, books, limits."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import StreamingResponse

from tieline_sandbox.books.edits import changed, created
from tieline_sandbox.books.values import Record, to_json
from tieline_sandbox.codec import Malformed, decode, encode, merge
from tieline_sandbox.control import webhooks
from tieline_sandbox.control.endpoint import Asked, Handlers, Unknown
from tieline_sandbox.control.streaming import streamed
from tieline_sandbox.names import business_name
from tieline_sandbox.notices import Notice
from tieline_sandbox.people import details
from tieline_sandbox.quickbooks import companies, grants, seeded
from tieline_sandbox.quickbooks.books.kinds import BY_DATASET, Kind
from tieline_sandbox.quickbooks.books.reading import everything, one, shelf_of
from tieline_sandbox.quickbooks.model import App, Company, Dataset, Grant, User
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.seeds import Dice

_MOST_CREATED = 10_000
_LONGEST_LIFE_DAYS = 36_500


def put_app(sandbox: Sandbox, asked: Asked) -> App:
    client_id, given, apps = asked.path["client_id"], dict(asked.body), sandbox.state.quickbooks.apps
    remaining = decode(int | None, given.pop("month_remaining", None), "month_remaining")
    current = apps.get(client_id) or App(client_id=client_id, secret=secrets.token_urlsafe(24))
    app = merge(current, given, fixed=("client_id",))
    for uri in app.redirect_uris:
        _check_redirect_uri(uri)
    if not 0 < app.hard_life_days <= _LONGEST_LIFE_DAYS:
        raise Malformed("hard_life_days", f"must be 1 to {_LONGEST_LIFE_DAYS}")
    webhooks.check_url(app.webhook_url)
    if app.webhook_url is not None and app.webhook_url != current.webhook_url:
        sandbox.quickbooks_outbox.begin(client_id)
    app = replace(app, verifier_token=app.verifier_token or secrets.token_urlsafe(24))
    apps[client_id] = app
    if "month_remaining" in asked.body:
        sandbox.quickbooks.limiter.leave(client_id, remaining, sandbox.clock.now())
    return app


def _check_redirect_uri(uri: str) -> None:
    parts = urlsplit(uri)
    fine = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
    if not fine or parts.query or "?" in uri or "#" in uri or not parts.hostname:
        raise Malformed("redirect_uris", f"{uri} must be https, or http://localhost, without ? and #")


def users(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"users": list(sandbox.state.quickbooks.users.values())}


def put_user(sandbox: Sandbox, asked: Asked) -> User:
    id_, state = asked.path["user_id"].lower(), sandbox.state.quickbooks
    current = state.users.get(id_) or User(**details(id_, Dice("quickbooks user", id_)))
    user = merge(current, asked.body, fixed=("id",))
    for realm_id in user.companies:
        if realm_id not in state.companies:
            raise Malformed("companies", f"there is no company {realm_id}")
    state.users[id_] = user
    return user


def list_companies(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"companies": list(sandbox.state.quickbooks.companies.values())}


def put_company(sandbox: Sandbox, asked: Asked) -> Company:
    realm_id, given, known = asked.path["realm_id"], asked.body, sandbox.state.quickbooks.companies
    if not (realm_id.isascii() and realm_id.isdecimal()):
        raise Malformed("the address", f"{realm_id} must be digits")
    current = known.get(realm_id)
    if current is None:
        seed = decode(str, given.get("seed", realm_id), "seed")
        name = decode(str, given.get("name", business_name(Dice(realm_id).below(576), "US")), "name")
        country = decode(str, given.get("country", "US"), "country")
        current = companies.found(realm_id, seed=seed, name=name, country=country)
    changed_at = sandbox.clock.now() if realm_id in known else current.updated_at
    known[realm_id] = replace(merge(current, given, fixed=("realm_id",)), updated_at=changed_at)
    return known[realm_id]


def show_company(sandbox: Sandbox, asked: Asked) -> Company:
    return _company(sandbox, asked)


def populate(sandbox: Sandbox, asked: Asked) -> Any:
    given = dict(asked.body)
    if "seed" not in given:
        sandbox.state.populated += 1
        given["seed"] = f"populated-{sandbox.state.populated}"
    wanted: seeded.Population = decode(seeded.Population, given | {"seed": str(given["seed"])})
    user, made = seeded.populate(sandbox.state.quickbooks, wanted)
    return {
        "user_id": user.id,
        "email": user.email,
        "companies": [{"realm_id": company.realm_id, "name": company.name} for company in made],
    }


@dataclass(frozen=True, kw_only=True)
class _Revocation:
    user: str | None = None
    realm: str | None = None
    client_id: str | None = None


def revoke(sandbox: Sandbox, asked: Asked) -> Any:
    """The live grants that fit all that is given end, as if people had disconnected the app at Intuit."""
    wanted: _Revocation = decode(_Revocation, asked.body)
    state = sandbox.state.quickbooks
    if wanted.user is None and wanted.realm is None:
        raise Malformed("", "must hold a user or a realm")
    user = state.person(wanted.user) if wanted.user else None
    if wanted.user and user is None:
        raise Unknown("user", wanted.user)
    ended = grants.revoke_all(
        state, user_id=user.id if user else None, realm_id=wanted.realm, client_id=wanted.client_id
    )
    if not ended:
        raise Unknown("grant of", wanted.user or wanted.realm or "")
    return {"ended": ended}


def list_grants(sandbox: Sandbox, _asked: Asked) -> Any:
    """All that were ever given, oldest first; tokens are not told."""
    state, now = sandbox.state.quickbooks, sandbox.clock.now()

    def shown(grant: Grant) -> Record:
        return {
            "user": grant.user_id,
            "email": state.users[grant.user_id].email,
            "client_id": grant.client_id,
            "realm_id": grant.realm_id,
            "scopes": sorted(grant.scopes),
            "is_live": grant.is_live and now < grants.expires_at(grant),
            "token_since": encode(grant.token_since),
            "expires_at": encode(grants.expires_at(grant)),
            "hard_expires_at": encode(grant.hard_expires_at),
        }

    return {"grants": [shown(grant) for grant in state.grants.values()]}


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """Exactly one of `create`, so many `times`, or `id` with `change`, `deactivated` or `deleted`."""

    dataset: Dataset
    id: str | None = None
    change: dict[str, Any] | None = None
    create: dict[str, Any] | None = None
    times: int = 1
    deactivated: bool = False
    deleted: bool = False


def edit(sandbox: Sandbox, asked: Asked) -> Any:
    """Change, deactivate, delete or create a record; the answer is the record, or the last, as it is from now on."""
    company, now = _company(sandbox, asked), sandbox.clock.now()
    wanted: _Edit = decode(_Edit, asked.body)
    ways = (wanted.change is not None, wanted.create is not None, wanted.deactivated, wanted.deleted)
    if sum(ways) != 1 or (wanted.id is None) != (wanted.create is not None):
        raise Malformed("", "must hold `create`, or `id` with one of `change`, `deactivated` and `deleted`")
    if not 0 < wanted.times <= (1 if wanted.create is None else _MOST_CREATED):
        raise Malformed("times", f"must be 1, or up to {_MOST_CREATED} with `create`")
    kind, state = BY_DATASET[wanted.dataset], sandbox.state.quickbooks
    shelf = shelf_of(state, company, kind)
    edits = state.edits.setdefault(company.realm_id, {}).setdefault(wanted.dataset, {})
    if wanted.create is not None:
        for _ in range(wanted.times):
            made = created(kind, shelf.ledger, edits, wanted.create, now)
            edits[made.id] = made
            _tell(sandbox, company, wanted, made.id)
    else:
        if one(shelf, wanted.id or "") is None:
            raise Unknown(f"record in {wanted.dataset}", wanted.id or "")
        fields = wanted.change or _removal(kind, deleted=wanted.deleted)
        made = changed(kind, shelf.ledger, edits.get(wanted.id or ""), wanted.id or "", fields, now)
        edits[made.id] = made
        _tell(sandbox, company, wanted, made.id)
    return json.loads(to_json({"record": shelf_of(state, company, kind).find(made.id)}))


def _tell(sandbox: Sandbox, company: Company, wanted: _Edit, id_: str) -> None:
    what = "created" if wanted.create is not None else "deleted" if wanted.deleted else "updated"
    at = sandbox.clock.now()
    sandbox.quickbooks_outbox.add(
        Notice(organisation=company.realm_id, dataset=wanted.dataset, id=id_, what=what, at=at)
    )


def _removal(kind: Kind, *, deleted: bool) -> Record:
    """Lists are made inactive and never deleted; transactions are deleted and never inactive."""
    if deleted == kind.is_list:
        word = "deleted" if deleted else "deactivated"
        raise Malformed(word, f"is not something that happens to {kind.dataset}")
    return {"status": "Deleted"} if deleted else {"Active": False}


def books(sandbox: Sandbox, asked: Asked) -> StreamingResponse:
    """An object: the company's info, and each dataset with every record."""
    company = _company(sandbox, asked)
    return streamed("company_info", companies.info(company), everything(sandbox.state.quickbooks, company))


def show_limits(sandbox: Sandbox, _asked: Asked) -> Any:
    return sandbox.quickbooks.limiter.limits


def put_limits(sandbox: Sandbox, asked: Asked) -> Any:
    limiter = sandbox.quickbooks.limiter
    limiter.limits = merge(limiter.limits, asked.body)
    return limiter.limits


def counters(sandbox: Sandbox, _asked: Asked) -> Any:
    limiter = sandbox.quickbooks.limiter
    metered = {client_id: meter.used for client_id, meter in limiter.meters.items()}
    return {"companies": limiter.counts, "metered_reads": metered}


def _company(sandbox: Sandbox, asked: Asked) -> Company:
    realm_id = asked.path["realm_id"]
    found = sandbox.state.quickbooks.companies.get(realm_id)
    if found is None:
        raise Unknown("company", realm_id)
    return found


_TABLE: dict[tuple[str, str], Callable[[Sandbox, Asked], Any]] = {
    ("PUT", "/apps/{client_id}"): put_app,
    ("GET", "/users"): users,
    ("PUT", "/users/{user_id}"): put_user,
    ("GET", "/companies"): list_companies,
    ("GET", "/companies/{realm_id}"): show_company,
    ("PUT", "/companies/{realm_id}"): put_company,
    ("POST", "/populate"): populate,
    ("POST", "/revoke"): revoke,
    ("GET", "/grants"): list_grants,
    ("POST", "/companies/{realm_id}/records"): edit,
    ("GET", "/companies/{realm_id}/books"): books,
    ("GET", "/limits"): show_limits,
    ("PUT", "/limits"): put_limits,
    ("GET", "/counters"): counters,
}
HANDLERS: Handlers = {(method, f"/quickbooks{path}"): handler for (method, path), handler in _TABLE.items()}
