"""A sign-in from beginning to end, as a front end does it: start, to the provider and back, complete, another round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.cast import Person
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.stage import reach_of

PRODUCTS = ("BOOKKEEPING", "DATA_HEALTH")
_START = """mutation($input: StartSignInInput!) {
  startSignIn(input: $input) { signIn { id } authorizationUrl errors { message } } }"""
_CONTINUE = """mutation($input: ContinueSignInInput!) {
  continueSignIn(input: $input) { signIn { id } authorizationUrl errors { message } } }"""
_COMPLETE = """mutation($input: CompleteSignInInput!) {
  completeSignIn(input: $input) { signIn { state detailsTotal } errors { message } } }"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One trip of a sign-in that takes several; each is for one organisation."""

    number: int
    organisation: str
    sign_in_id: str


def sign_in(api: Api, sandbox: Sandbox, person: Person, *, purpose: str, return_url: str) -> str:
    """This person allows all there is; the id of the sign-in, ready for use. Raises BrokeOff."""
    begun = _begin(api, person, purpose=purpose, return_url=return_url)
    _go(api, sandbox, begun, person, reach_of(sandbox, person).values())
    return str(begun["signIn"]["id"])


def sign_in_by_rounds(
    api: Api, sandbox: Sandbox, person: Person, names: Iterable[str], *, return_url: str
) -> Iterator[Round]:
    """A consent for each of these, one after another, in one sign-in. Raises BrokeOff."""
    reach = reach_of(sandbox, person)
    begun = _begin(api, person, purpose="BULK_CONNECT", return_url=return_url)
    for number, name in enumerate(names, start=1):
        if number > 1:
            begun = api.change(_CONTINUE, id=begun["signIn"]["id"])
        _go(api, sandbox, begun, person, [reach[name]])
        yield Round(number=number, organisation=name, sign_in_id=begun["signIn"]["id"])


def _begin(api: Api, person: Person, *, purpose: str, return_url: str) -> dict[str, Any]:
    given = {"provider": person.at.slug, "purpose": purpose, "returnUrl": return_url}
    return api.change(_START, **given, products=PRODUCTS)


def _go(
    api: Api, sandbox: Sandbox, begun: dict[str, Any], person: Person, organisation_ids: Iterable[str]
) -> None:
    """To the provider and back; not at all where nobody has to sign in."""
    if begun["authorizationUrl"] is None:
        return
    told = sandbox.consent(begun["authorizationUrl"], person, organisation_ids)
    if "proof" not in told:
        raise BrokeOff(f"The sign-in failed: {told.get('error', 'no proof came back')}.")
    api.change(_COMPLETE, id=told["signIn"], proof=told["proof"])
