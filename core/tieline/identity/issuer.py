"""The issuer that the operator trusts: its keys as they were last fetched, and who a token of it speaks for.

    fresh, and has the key      nobody is asked
    older than five minutes     fetched again meanwhile: who comes with a key that is known waits for nobody
    older than ten minutes      fetched again first, by whoever comes then; the others go on with what there is
    a key that is not in it     fetched again first, but not twice in 30 seconds, whatever strangers send
    the issuer does not answer  what there is serves for a day, and it is asked again meanwhile, after five seconds;
                                so too where it answers without any key that can be used

One fetch at a time, which belongs to none of its callers: cancelling them does not stop it, `close` does.
Calendar time, as all that expires: tests move it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from tieline import clock
from tieline.errors import IssuerUnavailable, ProviderError, Unauthenticated
from tieline.identity.jwks import KeySet, read_key_set
from tieline.identity.reading import Unreadable, read_object
from tieline.identity.tokens import Head, Identity, TokenRefused, check_claims, read_head
from tieline.identity.verified import Verified
from tieline.log import get_logger
from tieline.plugins.transport import exchange
from tieline.settings import Settings, is_safe_address

RENEWED_AFTER = timedelta(minutes=5)
FRESH_FOR = timedelta(minutes=10)
SERVES_FOR = timedelta(hours=24)
UNKNOWN_KEY_PAUSE = timedelta(seconds=30)
FAILURE_PAUSE = timedelta(seconds=5)
MAX_ANSWER_BYTES = 256 * 1024

_SECONDS = 10.0
_DISCOVERY = "/.well-known/openid-configuration"
_log = get_logger(__name__)


class _NoAnswer(Exception):
    """What came is not what an issuer publishes; the message says in which way, for the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetched:
    keys: KeySet
    at: datetime


class Issuer:
    """One issuer, for one audience. `keys_url` None: its discovery document says where its keys are."""

    def __init__(
        self, name: str, *, audience: str, client: httpx.AsyncClient, keys_url: str | None = None
    ) -> None:
        self.name = name
        self.audience = audience
        self._client = client
        self._keys_url = keys_url
        self._verified = Verified()
        self._fetched: _Fetched | None = None
        self._failed_at: datetime | None = None
        self._fetching: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, settings: Settings, client: httpx.AsyncClient) -> Issuer | None:
        """The one in the settings; None where they name none."""
        if settings.oidc_issuer is None or settings.oidc_audience is None:
            return None
        return cls(
            settings.oidc_issuer,
            audience=settings.oidc_audience,
            client=client,
            keys_url=settings.oidc_jwks_url,
        )

    async def identify(self, token: str) -> Identity:
        """Whom this token speaks for. Raises Unauthenticated, and IssuerUnavailable where it cannot be decided."""
        try:
            head = read_head(token)
            keys = await self._keys_for(head)
            claims = self._verified.claims(token, keys.find(head.key_id, head.algorithm))
            return check_claims(claims, issuer=self.name, audience=self.audience, at=clock.now())
        except TokenRefused as refusal:
            _log.debug("identity.token_refused", because=str(refusal))
            raise Unauthenticated from None

    async def close(self) -> None:
        """Nothing is fetched any more."""
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetching

    async def _keys_for(self, head: Head) -> KeySet:
        if self._is_wanted(head):
            waits_for_nobody = self._serves_meanwhile(head)
            fetching = self._begin()
            if not waits_for_nobody:
                await asyncio.wait([fetching])  # and not for itself: one caller's end is not the fetch's
        held = self._held()
        if held is None or (self._failed_at is not None and not held.knows(head.key_id)):
            raise IssuerUnavailable
        return held

    def _begin(self) -> asyncio.Task[None]:
        """The fetch that is under way, or a new one."""
        if self._fetching is None:
            # Out of every caller's context: what it logs is of none of their requests.
            self._fetching = asyncio.get_running_loop().create_task(self._fetch(), context=Context())
            self._fetching.add_done_callback(self._ended)
        return self._fetching

    def _ended(self, fetching: asyncio.Task[None]) -> None:
        self._fetching = None
        if not fetching.cancelled() and (bug := fetching.exception()) is not None:
            _log.error("identity.not_fetched", exc_info=bug)

    def _serves_meanwhile(self, head: Head) -> bool:
        """Whether what is held is good enough for this one until there is more."""
        held = self._held()
        if held is None or self._fetched is None or not held.knows(head.key_id):
            return False
        is_asked = self._fetching is not None or self._failed_at is not None
        return is_asked or clock.now() - self._fetched.at < FRESH_FOR

    def _held(self) -> KeySet | None:
        usable = self._fetched is not None and clock.now() - self._fetched.at < SERVES_FOR
        return self._fetched.keys if self._fetched is not None and usable else None

    def _is_wanted(self, head: Head) -> bool:
        """Whether a fetch may tell more than is known, and it is time for one."""
        now = clock.now()
        if self._failed_at is not None and now - self._failed_at < FAILURE_PAUSE:
            return False
        if self._fetched is None or self._failed_at is not None:
            return True
        pause = RENEWED_AFTER if self._fetched.keys.knows(head.key_id) else UNKNOWN_KEY_PAUSE
        return now - self._fetched.at >= pause

    async def _fetch(self) -> None:
        was_away = self._failed_at is not None
        try:
            keys = await self._published()
        except (ProviderError, Unreadable, _NoAnswer) as failure:
            self._failed_at = clock.now()
            if not was_away:
                _log.warning("identity.issuer_away", issuer=self.name, kind=type(failure).__name__)
            return
        self._fetched, self._failed_at = _Fetched(keys=keys, at=clock.now()), None
        if was_away:
            _log.info("identity.issuer_back", issuer=self.name, keys=len(keys.keys))

    async def _published(self) -> KeySet:
        keys = read_key_set(await self._document(self._keys_url or await self._discovered()))
        if not keys.keys:
            raise _NoAnswer("no key that can check a token")
        return keys

    async def look(self) -> int:
        """How many keys that can check a token it publishes at this moment. Raises IssuerUnavailable."""
        try:
            return len((await self._published()).keys)
        except (ProviderError, Unreadable, _NoAnswer) as failure:
            raise IssuerUnavailable from failure

    async def _discovered(self) -> str:
        """Where the issuer says that its keys are: a document that speaks for another issuer says nothing."""
        document = await self._document(self.name.rstrip("/") + _DISCOVERY)
        address = document.get("jwks_uri")
        if document.get("issuer") != self.name or not isinstance(address, str):
            raise _NoAnswer("another issuer's document")
        if not is_safe_address(address):
            raise _NoAnswer("keys at an address that is not safe")
        return address

    async def _document(self, address: str) -> dict[str, object]:
        try:
            request = self._client.build_request("GET", address, headers={"accept": "application/json"})
        except (httpx.InvalidURL, ValueError) as error:
            raise _NoAnswer("an address that is none") from error
        answer = await exchange(
            self._client,
            request,
            provider=urlsplit(self.name).hostname or "issuer",
            seconds=_SECONDS,
            max_bytes=MAX_ANSWER_BYTES,
        )
        if (
            answer.status_code != httpx.codes.OK
        ):  # a redirect too: keys are taken from where they are said to be
            raise _NoAnswer(f"status {answer.status_code}")
        return read_object(answer.content)


_trusted: Issuer | None = None


def trust(issuer: Issuer | None) -> None:
    """Set whose tokens this process takes; `trusting` calls this, nobody else."""
    global _trusted  # noqa: PLW0603 - one process, one issuer
    _trusted = issuer


def trusted() -> Issuer | None:
    """Whose tokens this process takes; None where the operator named nobody."""
    return _trusted


@asynccontextmanager
async def trusting(issuer: Issuer | None) -> AsyncIterator[None]:
    """Until the block ends, this process takes the tokens of this issuer."""
    trust(issuer)
    try:
        yield
    finally:
        trust(None)
        if issuer is not None:
            await issuer.close()
