"""A sign-in from beginning to end, as a front end does it: start, the browser there and back, complete."""

from __future__ import annotations

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.cast import Person
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.stage import tenants_of

_START = """mutation($input: StartSignInInput!) {
  startSignIn(input: $input) { signIn { id } authorizationUrl errors { message } } }"""
_COMPLETE = """mutation($input: CompleteSignInInput!) {
  completeSignIn(input: $input) { signIn { state detailsTotal } errors { message } } }"""


def sign_in(api: Api, sandbox: Sandbox, person: Person, *, purpose: str, return_url: str) -> str:
    """This person allows all there is; the id of the sign-in, ready for use. Raises BrokeOff."""
    started = api.change(
        _START,
        provider="xero",
        purpose=purpose,
        products=["BOOKKEEPING", "DATA_HEALTH"],
        returnUrl=return_url,
    )
    told = sandbox.consent(started["authorizationUrl"], person, tenants_of(sandbox, person))
    if "proof" not in told:
        raise BrokeOff(f"The sign-in failed: {told.get('error', 'no proof came back')}.")
    api.change(_COMPLETE, id=told["signIn"], proof=told["proof"])
    return told["signIn"]
