"""The scene at the provider, safe to set again: an app for the practice, people with logins, their organisations."""

from __future__ import annotations

from tieline.cli.story.api import BrokeOff
from tieline.cli.story.cast import EVERYBODY, LARGE, Person
from tieline.cli.story.provider import Sandbox

CLIENT_ID = "tieline-demo"
TIER = "starter"
_INVOICES = 6_000
_KEPT_FOR_PEOPLE = 100  # a tenth of that tier's day, which syncs that nobody waits for leave alone
_LEFT_AT_FIRST, _LEFT_AGAIN = (
    9,
    2,
)  # enough to begin with; too little to end with, wherever a first start was killed


def register_app(sandbox: Sandbox) -> str:
    """The demo's app at the provider; its secret."""
    app = sandbox.control("PUT", f"/apps/{CLIENT_ID}", bulk_consent=True, tier=TIER)
    return str(app["secret"])


def register_callback(sandbox: Sandbox, callback_url: str) -> None:
    sandbox.control("PUT", f"/apps/{CLIENT_ID}", redirect_uris=[callback_url])


def set_stage(sandbox: Sandbox, *, is_first: bool) -> None:
    """Everybody with their organisations; one of those is large, and its day nearly spent."""
    tenants = dict(found for person in EVERYBODY for found in populate(sandbox, person).items())
    left = _KEPT_FOR_PEOPLE + (_LEFT_AT_FIRST if is_first else _LEFT_AGAIN)
    sandbox.control(
        "PUT", f"/organisations/{tenants[LARGE]}", records={"invoices": _INVOICES}, day_remaining=left
    )


def populate(sandbox: Sandbox, person: Person) -> dict[str, str]:
    """The person with a login there; the provider's ids of the organisations, by name."""
    made = sandbox.control(
        "POST",
        "/populate",
        seed=person.seed,
        names=person.organisations,
        organisations=len(person.organisations),
        user={"email": person.email, "given_name": person.given_name, "family_name": person.family_name},
    )
    return {one["name"]: one["tenant_id"] for one in made["organisations"]}


def tenants_of(sandbox: Sandbox, person: Person) -> list[str]:
    """The provider's ids of what this person can open."""
    for user in sandbox.control("GET", "/users")["users"]:
        if user["email"] == person.email:
            return list(user["organisations"])
    raise BrokeOff(f"Nobody of the name {person.name} has a login at the sandbox.")
