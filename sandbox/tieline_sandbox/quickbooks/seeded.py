"""What the sandbox holds before anybody changes it: one app, two people, their companies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tieline_sandbox.authorizing import FIRST_CALLBACK
from tieline_sandbox.names import business_name
from tieline_sandbox.people import Details, details
from tieline_sandbox.quickbooks.companies import found, realm_id_of
from tieline_sandbox.quickbooks.model import App, Company, Dataset, QuickBooksState, User
from tieline_sandbox.seeds import Dice, uuid_of

CLIENT_ID = "sandbox-quickbooks"
CLIENT_SECRET = "sandbox-quickbooks-secret"  # noqa: S105 - opens nothing but the sandbox, and is in its README
VERIFIER_TOKEN = "sandbox-quickbooks-verifier"  # noqa: S105 - the same


@dataclass(frozen=True, kw_only=True)
class Population:
    """A person with so many companies; the same words make the same ones."""

    companies: int
    seed: str
    prefix: str = ""
    names: tuple[str, ...] = ()
    country: str = "US"
    records: dict[Dataset, int] | None = None
    user: Details | None = None


def initial() -> QuickBooksState:
    state = QuickBooksState()
    state.apps[CLIENT_ID] = App(
        client_id=CLIENT_ID,
        secret=CLIENT_SECRET,
        redirect_uris=(FIRST_CALLBACK,),
        verifier_token=VERIFIER_TOKEN,
    )
    dana: Details = {"email": "dana.ellis@demo.invalid", "given_name": "Dana", "family_name": "Ellis"}
    omar: Details = {"email": "omar.byrne@demo.invalid", "given_name": "Omar", "family_name": "Byrne"}
    _, shared = populate(state, Population(companies=8, seed="demo", user=dana))
    second, _ = populate(state, Population(companies=0, seed="demo-second", user=omar))
    state.users[second.id] = replace(second, companies=tuple(one.realm_id for one in shared[:3]))
    return state


def populate(state: QuickBooksState, wanted: Population) -> tuple[User, list[Company]]:
    """Make what is missing. Companies that are there stay as they are; a person who is there gets more."""
    made = [_company(state, wanted, index) for index in range(wanted.companies)]
    user = _person(state, wanted)
    theirs = dict.fromkeys((*user.companies, *(one.realm_id for one in made)))
    state.users[user.id] = replace(user, companies=tuple(theirs))
    return state.users[user.id], made


def _company(state: QuickBooksState, wanted: Population, index: int) -> Company:
    realm_id = realm_id_of(wanted.prefix, wanted.seed, index)
    if realm_id not in state.companies:
        given = wanted.names[index] if index < len(wanted.names) else business_name(index, wanted.country)
        name = f"{wanted.prefix} {given}" if wanted.prefix and index >= len(wanted.names) else given
        seed = f"{wanted.prefix}/{wanted.seed}/{index}"
        new = found(realm_id, seed=seed, name=name, country=wanted.country)
        state.companies[realm_id] = replace(new, records=dict(wanted.records or {}))
    return state.companies[realm_id]


def _person(state: QuickBooksState, wanted: Population) -> User:
    id_ = uuid_of("quickbooks user", wanted.prefix, wanted.seed)
    given = wanted.user or {}
    there = state.person(given.get("id", given.get("email", id_)))
    return there or User(**details(id_, Dice(id_), wanted.user))
