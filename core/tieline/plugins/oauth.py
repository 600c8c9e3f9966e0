"""OAuth 2.0 as message parts without I/O: what is sent for consent, tokens and revocation, and what comes back.

Parts are put together by oauthlib; of it only what does not insist on TLS, because a server that pretends to be
a provider has none. Answers are read here: oauthlib's own reader raises on a scope that a person narrowed.
`send` is the one function that talks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
from oauthlib.common import add_params_to_qs, add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from tieline.errors import ProviderBroken, ProviderError, ProviderMisconfigured, ProviderUnavailable
from tieline.plugins.contract import ClientAuthentication, Endpoints, OAuth, RevocationForm, TokenSet
from tieline.plugins.transport import counted
from tieline.vault import Secret

_FORM = "application/x-www-form-urlencoded"
_VERIFIER_BYTES = 48  # 384 bits, 64 characters: RFC 7636 asks for 43 to 128
_MAX_ANSWER_BYTES = 256 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]+")  # RFC 6749, appendix A, without the space: it has to fit into a header
_UNSAID_LIFE = timedelta(minutes=5)
_LONGEST_LIFE = timedelta(days=3653)
_PASSING = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
_REFRESH_LIVES = ("refresh_token_expires_in", "x_refresh_token_expires_in")


class GrantRejected(ProviderError):
    """`invalid_grant`: the code or refresh token is used up, too old or revoked; which of these, it does not say."""

    code: ClassVar[str] = "GRANT_REJECTED"
    sentence: ClassVar[str] = "{} does not accept this code or refresh token any more."


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """PKCE with S256 (RFC 7636): the verifier is kept, the challenge goes with the browser."""

    verifier: Secret
    challenge: str

    @classmethod
    def make(cls) -> Challenge:
        verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
        digest = hashlib.sha256(verifier.encode()).digest()
        return cls(
            verifier=Secret(verifier), challenge=base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequest:
    """A POST that `send` makes; what proves the app and the person does not show."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    reference_header: str | None = field(default=None, repr=False)


def authorization_url(
    oauth: OAuth,
    endpoints: Endpoints,
    *,
    client_id: str,
    redirect_uri: str,
    state: str,
    challenge: Challenge,
    scopes: Sequence[str],
    preselect: str | None = None,
) -> str:
    """Where the browser goes for a consent; `preselect` is the organisation to choose, where a page can do that."""
    page = endpoints.authorize
    if preselect is not None and endpoints.reconnect_authorize is not None:
        page = endpoints.reconnect_authorize.format(
            client_id=quote(client_id, safe=""), organisation=quote(preselect, safe="")
        )
    ours = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": challenge.challenge,
        "code_challenge_method": "S256",
    }
    return add_params_to_uri(page, list({**oauth.extra, **ours}.items()))


def code_request(
    oauth: OAuth,
    endpoints: Endpoints,
    *,
    client_id: str,
    client_secret: Secret,
    code: Secret,
    redirect_uri: str,
    verifier: Secret,
) -> TokenRequest:
    """Change the callback's code for tokens; a code works once."""
    proof = _in_body(oauth, client_secret)
    body = WebApplicationClient(client_id).prepare_request_body(
        code=code.reveal(),
        redirect_uri=redirect_uri,
        include_client_id=bool(proof),
        code_verifier=verifier.reveal(),
        **proof,
    )
    return _to_token_endpoint(oauth, endpoints, client_id, client_secret, body)


def refresh_request(
    oauth: OAuth, endpoints: Endpoints, *, client_id: str, client_secret: Secret, refresh: Secret
) -> TokenRequest:
    """Change a refresh token for a new pair; at most providers the old one dies of it."""
    proof = _in_body(oauth, client_secret)
    if proof:
        proof["client_id"] = client_id
    body = WebApplicationClient(client_id).prepare_refresh_body(
        refresh_token=refresh.reveal(), include_client_id=bool(proof), **proof
    )
    return _to_token_endpoint(oauth, endpoints, client_id, client_secret, body)


def revocation_request(
    oauth: OAuth, endpoints: Endpoints, *, client_id: str, client_secret: Secret, token: Secret
) -> TokenRequest:
    """End a token at the provider (RFC 7009, or its JSON variant). Send the refresh token, not the access token."""
    headers = {"Accept": "application/json", "Authorization": _basic(client_id, client_secret)}
    if oauth.revocation is RevocationForm.JSON:
        body, headers["Content-Type"] = json.dumps({"token": token.reveal()}), "application/json"
    else:
        body, headers["Content-Type"] = add_params_to_qs("", [("token", token.reveal())]), _FORM
    return TokenRequest(
        url=endpoints.revocation,
        headers=headers,
        body=body.encode(),
        reference_header=endpoints.reference_header,
    )


def read_tokens(
    provider_slug: str,
    status: int,
    body: bytes,
    *,
    asked_scopes: Collection[str],
    hard_expiry_field: str | None = None,
) -> TokenSet:
    """The tokens of an answer of the token endpoint; scopes it does not name are as asked for.

    Raises GrantRejected, ProviderMisconfigured, ProviderUnavailable, ProviderBroken, and nothing else. A life that
    is missing or makes no sense counts as five minutes: the pair may be the only one that still works.
    """
    if status in _PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ProviderUnavailable(provider_slug)
    answer = _object(provider_slug, body)
    access = _token(provider_slug, answer, "access_token") if httpx.codes.is_success(status) else None
    if access is None:
        raise _refusal(provider_slug, answer)
    scopes = _words(answer.get("scope"))
    return TokenSet(
        access=access,
        refresh=_token(provider_slug, answer, "refresh_token"),
        id_token=_token(provider_slug, answer, "id_token"),
        expires_in=_life(answer.get("expires_in")) or _UNSAID_LIFE,
        refresh_expires_in=next(filter(None, (_life(answer.get(name)) for name in _REFRESH_LIVES)), None),
        scopes=scopes or frozenset(asked_scopes),
        refresh_hard_expires_in=_life(answer.get(hard_expiry_field)) if hard_expiry_field else None,
    )


async def send(
    client: httpx.AsyncClient, request: TokenRequest, *, provider: str, seconds: float
) -> tuple[int, bytes]:
    """Status and body of the answer. Raises ProviderUnavailable, whose `sent` says if an answer may be lost."""
    posted = httpx.Request("POST", request.url, headers=dict(request.headers), content=request.body)
    answer = await counted(
        client,
        posted,
        provider=provider,
        seconds=seconds,
        max_bytes=_MAX_ANSWER_BYTES,
        reference_header=request.reference_header,
    )
    return answer.status_code, answer.content


def _to_token_endpoint(
    oauth: OAuth, endpoints: Endpoints, client_id: str, client_secret: Secret, body: str
) -> TokenRequest:
    headers = {**oauth.token_headers, "Accept": "application/json", "Content-Type": _FORM}
    if oauth.client_authentication is ClientAuthentication.BASIC:
        headers["Authorization"] = _basic(client_id, client_secret)
    return TokenRequest(
        url=endpoints.token,
        headers=headers,
        body=body.encode(),
        reference_header=endpoints.reference_header,
    )


def _in_body(oauth: OAuth, client_secret: Secret) -> dict[str, str]:
    if oauth.client_authentication is ClientAuthentication.BASIC:
        return {}
    return {"client_secret": client_secret.reveal()}


def _basic(client_id: str, client_secret: Secret) -> str:
    """RFC 6749, 2.3.1: both are form-encoded before they are joined."""
    pair = f"{quote(client_id, safe='')}:{quote(client_secret.reveal(), safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _object(provider_slug: str, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderUnavailable(provider_slug) from None  # the cause would quote the body
    if not isinstance(answer, dict):
        raise ProviderBroken(provider_slug, "the token endpoint's answer is no object")
    return answer


def _refusal(provider_slug: str, answer: Mapping[str, Any]) -> ProviderError:
    error = answer.get("error")
    match error.lower() if isinstance(error, str) else None:
        case "invalid_grant":
            return GrantRejected(provider_slug)
        case "invalid_client" | "unauthorized_client":
            return ProviderMisconfigured(provider_slug)
        case "temporarily_unavailable" | "server_error":
            return ProviderUnavailable(provider_slug)
        case "invalid_request" | "invalid_scope" | "unsupported_grant_type":
            return ProviderBroken(provider_slug, "the token endpoint calls our request wrong")
    return ProviderBroken(provider_slug, "the token endpoint gave neither tokens nor a reason we know")


def _token(provider_slug: str, answer: Mapping[str, Any], name: str) -> Secret | None:
    value = answer.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise ProviderBroken(provider_slug, f"{name} is no token")
    return Secret(value)


def _life(value: object) -> timedelta | None:
    """A number of seconds, also one written as text; None when it makes no sense."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    if math.isnan(seconds) or seconds < 1:
        return None
    return timedelta(seconds=int(min(seconds, _LONGEST_LIFE.total_seconds())))


def _words(value: object) -> frozenset[str]:
    """The scopes of `a b c`; a list of them is met, too."""
    parts = value.split() if isinstance(value, str) else value
    return (
        frozenset(part for part in parts if isinstance(part, str)) if isinstance(parts, list) else frozenset()
    )
