"""The authorize endpoint: the consent page for people, and the same by POST for scripts."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tieline_sandbox.authorizing import back, problem_of
from tieline_sandbox.forms import fields_of
from tieline_sandbox.pages import Choice, Consent, Pages
from tieline_sandbox.xero.grants import Asked, allow
from tieline_sandbox.xero.model import App, User
from tieline_sandbox.xero.scopes import GRANULAR
from tieline_sandbox.xero.service import Service, service_of

_PAGES = Pages(provider="Xero", colour="#13b5ea")


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A request to authorize that may be put to a person."""

    app: App
    asked: Asked
    query: list[tuple[str, str]]
    state: str | None
    several: bool

    def back(self, **answer: str) -> Response:
        return back(self.asked.redirect_uri, self.state, **answer)


async def authorize(request: Request) -> Response:
    """GET shows the page. POST answers it: `user`, `organisation` (any number), `decision` allow or deny."""
    service = service_of(request)
    question = _read(service, request)
    if isinstance(question, Response):
        return question
    if request.method == "POST":
        return _decide(service, question, fields_of(await request.body()))
    user = service.state.person(request.query_params.get("as", ""))
    if user is None:
        return _PAGES.choose_person(question.app.client_id, service.state.users.values(), question.query)
    organisations = service.state.organisations
    known = (organisations[tenant_id] for tenant_id in user.organisations if tenant_id in organisations)
    return _PAGES.consent(
        Consent(
            client_id=question.app.client_id,
            user=user,
            scopes=question.asked.scopes,
            legend="Organisations",
            field="organisation",
            choices=(Choice(value=one.tenant_id, label=one.name) for one in known),
            several=question.several,
            redirect_uri=question.asked.redirect_uri,
        )
    )


def _read(service: Service, request: Request) -> _Question | Response:
    """The question, or the page or redirect that says why it cannot be asked."""
    given = request.query_params
    app = service.state.apps.get(given.get("client_id", ""))
    if app is None:
        return _PAGES.problem("unauthorized_client", "Unknown client or client not enabled.")
    redirect_uri = given.get("redirect_uri", "")
    if redirect_uri not in app.redirect_uris:
        return _PAGES.problem("unauthorized_client", "Invalid redirect_uri.")
    state = given.get("state")
    error = problem_of(given, GRANULAR)
    if error:
        return back(redirect_uri, state, error=error)
    scopes, challenge = frozenset(given.get("scope", "").split()), given.get("code_challenge")
    asked = Asked(redirect_uri=redirect_uri, scopes=scopes, challenge=challenge, nonce=given.get("nonce"))
    single = "bulk_connect:false" in given.get("acr_values", "").split()
    query = [pair for pair in given.multi_items() if pair[0] != "as"]
    return _Question(app=app, asked=asked, query=query, state=state, several=app.bulk_consent and not single)


def _decide(service: Service, question: _Question, fields: list[tuple[str, str]]) -> Response:
    form = dict(fields)
    user = service.state.person(form.get("user", ""))
    if user is None:
        return _PAGES.problem("invalid_request", "Nobody is logged in.")
    if form.get("decision") == "deny":
        return question.back(error="access_denied", error_description="The user denied the request.")
    if form.get("decision") != "allow":
        return _PAGES.problem("invalid_request", "Neither allowed nor denied.")
    tenants = tuple(dict.fromkeys(value.lower() for name, value in fields if name == "organisation"))
    wrong = _wrong_choice(service, question, user, tenants)
    if wrong:
        return _PAGES.problem("invalid_request", wrong)
    code = allow(service.state, question.app, user, question.asked, tenants, service.now())
    return question.back(
        code=code.code, scope=" ".join(sorted(code.scopes)), session_state=code.auth_event_id
    )


def _wrong_choice(service: Service, question: _Question, user: User, tenants: tuple[str, ...]) -> str | None:
    if len(tenants) > 1 and not question.several:
        return "Only one organisation can be connected at a time."
    if not set(tenants) <= set(user.organisations) & set(service.state.organisations):
        return "This person cannot connect one of these organisations."
    if not tenants and not service.state.connections_of(question.app.client_id, user.id):
        return "Choose an organisation to connect."
    return None
