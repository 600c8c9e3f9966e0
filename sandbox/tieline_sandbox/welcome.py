"""What the sandbox says when it is up: all that a client needs to be pointed at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from shlex import quote
from urllib.parse import urlencode

from tieline_sandbox.people import Someone, full_name
from tieline_sandbox.quickbooks import seeded as quickbooks_seeded
from tieline_sandbox.quickbooks.model import App as QuickBooksApp
from tieline_sandbox.quickbooks.scopes import ACCOUNTING
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero import seeded as xero_seeded
from tieline_sandbox.xero.model import App as XeroApp

_SHOWN_PEOPLE = 10
_XERO_SCOPES = "openid offline_access accounting.settings.read"
_INTUIT_SCOPES = f"openid {ACCOUNTING}"
_BEARER = "-H 'Authorization: Bearer ACCESS_TOKEN'"
_JSON = "-H 'Accept: application/json'"


def welcome(sandbox: Sandbox) -> Iterator[str]:
    """Line by line: addresses, credentials and people of each provider, and the way from a consent to the books."""
    yield f"Tieline sandbox at {sandbox.public_url}: Ctrl-C ends it, {sandbox.public_url}/_control steers it"
    yield from _xero(sandbox)
    yield from _quickbooks(sandbox)


def _xero(sandbox: Sandbox) -> Iterator[str]:
    base, state = sandbox.xero.signer.issuer, sandbox.state.xero
    yield f"Xero under {base}"
    yield f"  discovery      {base}/.well-known/openid-configuration"
    yield f"  accounting API {base}/api.xro/2.0"
    yield from _people((user, len(user.organisations)) for user in state.users.values())
    app = state.apps.get(xero_seeded.CLIENT_ID)
    user = next((user for user in state.users.values() if user.organisations), None)
    if app is None or user is None:
        return
    tenant = user.organisations[0]
    yield from _credentials(app, f"{sandbox.public_url}/_control/apps")
    yield f"  webhook key    {app.webhook_key}"
    consent = {"user": user.email, "organisation": tenant, "decision": "allow"}
    yield from _way(app, f"{base}/identity/connect/authorize", _XERO_SCOPES, consent, f"{base}/connect/token")
    yield f"  curl -s '{base}/api.xro/2.0/Organisation' {_BEARER} -H 'Xero-tenant-id: {tenant}' {_JSON}"


def _quickbooks(sandbox: Sandbox) -> Iterator[str]:
    base, state = sandbox.quickbooks.base, sandbox.state.quickbooks
    yield f"QuickBooks Online under {base}"
    yield f"  discovery      {base}/.well-known/openid_configuration/"
    yield f"  accounting API {base}/v3/company/REALM_ID"
    yield from _people((user, len(user.companies)) for user in state.users.values())
    app = state.apps.get(quickbooks_seeded.CLIENT_ID)
    user = next((user for user in state.users.values() if user.companies), None)
    if app is None or user is None:
        return
    realm = user.companies[0]
    yield from _credentials(app, f"{sandbox.public_url}/_control/quickbooks/apps")
    yield f"  verifier token {app.verifier_token}"
    consent = {"user": user.email, "company": realm, "decision": "allow"}
    yield from _way(app, f"{base}/connect/oauth2", _INTUIT_SCOPES, consent, f"{base}/oauth2/v1/tokens/bearer")
    yield f"  curl -s '{base}/v3/company/{realm}/companyinfo/{realm}' {_BEARER} {_JSON}"


def _people(people: Iterable[tuple[Someone, int]]) -> Iterator[str]:
    for user, count in islice(people, _SHOWN_PEOPLE):
        yield f"  {full_name(user)} <{user.email}>: {count} sets of books"


def _credentials(app: XeroApp | QuickBooksApp, portal: str) -> Iterator[str]:
    yield f"  client_id      {app.client_id}"
    yield f"  client_secret  {app.secret}"
    yield from (f"  redirect_uri   {uri}" for uri in app.redirect_uris)
    yield "  To come back to an address of yours:"
    yield f"""  curl -s -X PUT '{portal}/{app.client_id}' -d '{{"redirect_uris": ["http://localhost:3000/"]}}'"""


def _way(
    app: XeroApp | QuickBooksApp, authorize: str, scopes: str, consent: Mapping[str, str], token: str
) -> Iterator[str]:
    """A consent without a browser, and the exchange of its code."""
    if not app.redirect_uris:
        return
    asked = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uris[0],
        "scope": scopes,
        "state": "any",
    }
    exchange = {"grant_type": "authorization_code", "redirect_uri": app.redirect_uris[0], "code": "CODE"}
    yield "  A consent, the tokens for its CODE, a call with them:"
    yield f"  curl -s -o /dev/null -w '%{{redirect_url}}\\n' '{authorize}?{urlencode(asked)}' -d '{urlencode(consent)}'"
    yield f"  curl -s -u {quote(f'{app.client_id}:{app.secret}')} '{token}' -d '{urlencode(exchange)}'"
