"""The scene at the providers, safe to set again: an app for the practice, people with logins, their organisations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tieline.cli.story.api import BrokeOff
from tieline.cli.story.cast import EVERYBODY, LARGE, Person
from tieline.cli.story.played import Played
from tieline.cli.story.provider import Sandbox

CLIENT_ID = "tieline-demo"
_COUNTRY = "GB"
_INVOICES = 6_000
_KEPT_FOR_PEOPLE = 100  # a tenth of a starter's day, which syncs that nobody waits for leave alone
_LEFT_AT_FIRST = 7  # enough to begin with
_LEFT_AGAIN = 2  # too little to end with, wherever a first start was killed


def register_app(sandbox: Sandbox, played: Played) -> str:
    """The demo's app at the provider; its secret."""
    return str(sandbox.control("PUT", f"{played.control}/apps/{CLIENT_ID}", **played.app)["secret"])


def register_callback(sandbox: Sandbox, played: Played, callback_url: str) -> None:
    sandbox.control("PUT", f"{played.control}/apps/{CLIENT_ID}", redirect_uris=[callback_url])


def set_stage(sandbox: Sandbox, *, is_first: bool) -> None:
    """Everybody with their organisations; one of those is large, and its day nearly spent."""
    for person in EVERYBODY:
        _populate(sandbox, person)
    for person in EVERYBODY:
        invite(sandbox, person, person.guest_of)
    large = reach_of(sandbox, EVERYBODY[0])[LARGE]
    left = _KEPT_FOR_PEOPLE + (_LEFT_AT_FIRST if is_first else _LEFT_AGAIN)
    sandbox.control("PUT", f"/organisations/{large}", records={"invoices": _INVOICES}, day_remaining=left)


def _populate(sandbox: Sandbox, person: Person) -> None:
    """The person with a login there, and organisations of these names."""
    sandbox.control(
        "POST",
        f"{person.at.control}/populate",
        seed=person.seed,
        names=person.organisations,
        country=_COUNTRY,
        user={"email": person.email, "given_name": person.given_name, "family_name": person.family_name},
        **{person.at.many: len(person.organisations)},
    )


def invite(sandbox: Sandbox, person: Person, names: Iterable[str]) -> None:
    """Let the person open these organisations too, which are somebody's there."""
    there = _organisations(sandbox, person.at)
    invited = [id_ for id_, name in there.items() if name in set(names)]
    user = _user(sandbox, person)
    theirs = {person.at.many: [*dict.fromkeys([*user[person.at.many], *invited])]}
    sandbox.control("PUT", f"{person.at.control}/users/{user['id']}", **theirs)


def reach_of(sandbox: Sandbox, person: Person) -> dict[str, str]:
    """What this person can open there: the provider's ids by name."""
    there = _organisations(sandbox, person.at)
    return {there[id_]: id_ for id_ in _user(sandbox, person)[person.at.many]}


def _organisations(sandbox: Sandbox, played: Played) -> dict[str, str]:
    """The names of all there are, by the provider's ids."""
    listed = sandbox.control("GET", f"{played.control}/{played.many}")[played.many]
    return {one[played.id]: one["name"] for one in listed}


def _user(sandbox: Sandbox, person: Person) -> dict[str, Any]:
    for user in sandbox.control("GET", f"{person.at.control}/users")["users"]:
        if user["email"] == person.email:
            return dict(user)
    raise BrokeOff(f"Nobody of the name {person.name} has a login at the sandbox.")
