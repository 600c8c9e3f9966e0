"""What the sandbox holds before anybody changes it: one app, two people, their organisations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tieline_sandbox.authorizing import FIRST_CALLBACK
from tieline_sandbox.names import business_name
from tieline_sandbox.people import Details, details
from tieline_sandbox.seeds import Dice, uuid_of
from tieline_sandbox.xero.model import App, Dataset, Organisation, User, XeroState
from tieline_sandbox.xero.organisations import found, tenant_id_of

CLIENT_ID = "sandbox-xero"
CLIENT_SECRET = "sandbox-xero-secret"  # noqa: S105 - opens nothing but the sandbox, and is in its README
WEBHOOK_KEY = "sandbox-xero-webhook-key"


@dataclass(frozen=True, kw_only=True)
class Population:
    """A person with so many organisations; the same words make the same ones."""

    organisations: int
    seed: str
    prefix: str = ""
    names: tuple[str, ...] = ()
    country: str = "GB"
    records: dict[Dataset, int] | None = None
    user: Details | None = None


def initial(key: Mapping[str, str]) -> XeroState:
    state = XeroState(signing_key=dict(key))
    state.apps[CLIENT_ID] = App(
        client_id=CLIENT_ID, secret=CLIENT_SECRET, redirect_uris=(FIRST_CALLBACK,), webhook_key=WEBHOOK_KEY
    )
    alex: Details = {"email": "alex.morgan@demo.invalid", "given_name": "Alex", "family_name": "Morgan"}
    bron: Details = {"email": "bronwen.reid@demo.invalid", "given_name": "Bronwen", "family_name": "Reid"}
    _, shared = populate(state, Population(organisations=12, seed="demo", user=alex))
    second, _ = populate(state, Population(organisations=0, seed="demo-second", user=bron))
    ours = tuple(one.tenant_id for one in shared[:3])
    theirs = _organisations(state, Population(organisations=16, seed="demo"))[12:]
    state.users[second.id] = replace(second, organisations=ours + tuple(one.tenant_id for one in theirs))
    return state


def populate(state: XeroState, wanted: Population) -> tuple[User, list[Organisation]]:
    """Make what is missing. Organisations that are there stay as they are; a person who is there gets more."""
    made = _organisations(state, wanted)
    user = _person(state, wanted)
    theirs = dict.fromkeys((*user.organisations, *(one.tenant_id for one in made)))
    state.users[user.id] = replace(user, organisations=tuple(theirs))
    return state.users[user.id], made


def _organisations(state: XeroState, wanted: Population) -> list[Organisation]:
    made: list[Organisation] = []
    for index in range(wanted.organisations):
        tenant_id = tenant_id_of(wanted.prefix, wanted.seed, index)
        if tenant_id not in state.organisations:
            given = wanted.names[index] if index < len(wanted.names) else business_name(index, wanted.country)
            name = f"{wanted.prefix} {given}" if wanted.prefix and index >= len(wanted.names) else given
            seed = f"{wanted.prefix}/{wanted.seed}/{index}"
            new = found(tenant_id, seed=seed, name=name, country=wanted.country)
            state.organisations[tenant_id] = replace(new, records=dict(wanted.records or {}))
        made.append(state.organisations[tenant_id])
    return made


def _person(state: XeroState, wanted: Population) -> User:
    id_ = uuid_of("xero user", wanted.prefix, wanted.seed)
    given = wanted.user or {}
    there = state.person(given.get("id", given.get("email", id_)))
    return there or User(**details(id_, Dice(id_), wanted.user))
