"""The authorize endpoint: the consent page for people, and the same by POST for scripts."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tieline_sandbox.authorizing import back, problem_of
from tieline_sandbox.forms import form_of
from tieline_sandbox.pages import Choice, Consent, Pages
from tieline_sandbox.people import full_name
from tieline_sandbox.quickbooks.grants import Asked, allow, subscriber
from tieline_sandbox.quickbooks.model import App, Company, User
from tieline_sandbox.quickbooks.scopes import ACCOUNTING, KNOWN
from tieline_sandbox.quickbooks.service import Service, service_of

_PAGES = Pages(provider="QuickBooks Online", colour="#2ca01c")


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A request to authorize that may be put to a person; `realm_id` is the only company it is about, if any."""

    app: App
    asked: Asked
    query: list[tuple[str, str]]
    state: str | None
    realm_id: str | None

    def back(self, **answer: str) -> Response:
        return back(self.asked.redirect_uri, self.state, **answer)


async def authorize(request: Request) -> Response:
    """GET shows the page. POST answers it: `user`, `company` (a realm id), `decision` allow or deny."""
    return await _asked(request, realm_id=None)


async def reconnect(request: Request) -> Response:
    """The link that preselects a company: `appId`, `realmId`, `mode=reconnect`.

    Intuit documents these three only. That the link also takes what the authorize endpoint takes (`client_id`,
    `redirect_uri`, `scope`, `state`, `response_type`) and goes on as it does, with this company as the only
    choice, is our reading; so is that an app is named by its client id.
    """
    given = request.query_params
    if given.get("mode") != "reconnect" or not given.get("realmId"):
        return _PAGES.problem("invalid_request", "The link must name a realmId and the mode reconnect.")
    if given.get("appId") != given.get("client_id"):
        return _PAGES.problem("invalid_request", "The link is for another app.")
    return await _asked(request, realm_id=given["realmId"])


async def _asked(request: Request, realm_id: str | None) -> Response:
    service = service_of(request)
    question = _read(service, request, realm_id)
    if isinstance(question, Response):
        return question
    if request.method == "POST":
        return _decide(service, question, form_of(await request.body()))
    user = service.state.person(request.query_params.get("as", ""))
    if user is None:
        return _PAGES.choose_person(question.app.client_id, service.state.users.values(), question.query)
    choices = (
        Choice(value=one.realm_id, label=one.name, is_chosen=realm_id is not None)
        for one in _companies(service, question, user)
    )
    return _PAGES.consent(
        Consent(
            client_id=question.app.client_id,
            user=user,
            scopes=question.asked.scopes,
            legend="Company",
            field="company",
            choices=choices,
            several=False,
            redirect_uri=question.asked.redirect_uri,
        )
    )


def _read(service: Service, request: Request, realm_id: str | None) -> _Question | Response:
    """The question, or the page or redirect that says why it cannot be asked."""
    given = request.query_params
    app = service.state.apps.get(given.get("client_id", ""))
    if app is None:
        return _PAGES.problem("invalid_client", "There is no such app.")
    redirect_uri = given.get("redirect_uri", "")
    if redirect_uri not in app.redirect_uris:
        return _PAGES.problem("invalid_redirect_uri", "The redirect_uri is not one of the app's.")
    state = given.get("state")
    error = problem_of(given, KNOWN)
    if error:
        return back(redirect_uri, state, error=error)
    scopes, challenge = frozenset(given.get("scope", "").split()), given.get("code_challenge")
    asked = Asked(redirect_uri=redirect_uri, scopes=scopes, challenge=challenge, nonce=given.get("nonce"))
    query = [pair for pair in given.multi_items() if pair[0] != "as"]
    return _Question(app=app, asked=asked, query=query, state=state, realm_id=realm_id)


def _decide(service: Service, question: _Question, form: dict[str, str]) -> Response:
    user = service.state.person(form.get("user", ""))
    if user is None:
        return _PAGES.problem("invalid_request", "Nobody is logged in.")
    if form.get("decision") == "deny":
        return question.back(error="access_denied")
    if form.get("decision") != "allow":
        return _PAGES.problem("invalid_request", "Neither allowed nor denied.")
    realm_id = form.get("company", "")
    if realm_id not in {one.realm_id for one in _companies(service, question, user)}:
        return _PAGES.problem("invalid_request", "Choose one of the companies that can be connected.")
    other = subscriber(service.state, question.app, user, realm_id)
    if other:
        return _PAGES.problem(
            "app_already_purchased", f"{full_name(other)} has connected this company before."
        )
    code = allow(service.state, question.app, user, question.asked, realm_id, service.now())
    named = {"realmId": realm_id} if ACCOUNTING in code.scopes else {}
    return question.back(code=code.code, **named)


def _companies(service: Service, question: _Question, user: User) -> list[Company]:
    """Those that the person may connect here."""
    known = service.state.companies
    return [
        known[realm_id]
        for realm_id in user.companies
        if realm_id in known and question.realm_id in (None, realm_id)
    ]
