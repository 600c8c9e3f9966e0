"""What a plugin asks its provider through: one credential, perhaps one organisation, and the patience to ask again.

session.get(path) ── bearer ── gate ── exchange ── classify ─┬─ nothing          the answer
                        ▲                                    ├─ TokenExpired     renewed once, asked again
                        ├────────────────────────────────────┼─ Transient        twice more, where asking is harmless
                        └────────────────────────────────────┼─ Throttled        twice more, if the gate lets it
                                                             └─ any other fault  raised as an error of the tree
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol, TypeAlias

import httpx

from tieline import errors, metrics
from tieline.errors import ProviderBroken, ProviderError, ProviderUnavailable
from tieline.plugins import faults
from tieline.plugins.answer import Answer
from tieline.plugins.contract import Endpoints, Provider
from tieline.plugins.faults import Fault
from tieline.plugins.gate import Gate
from tieline.plugins.transport import exchange, reference_of
from tieline.vault import Secret

Parameters: TypeAlias = Mapping[str, str | int | bool]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

_HARMLESS_TWICE = frozenset({"GET", "HEAD", "DELETE"})
_CHANGES_NOTHING = frozenset({"GET", "HEAD"})
_PAUSES_SECONDS = (0.25, 1.0)
_REFUSALS = 3
_REQUEST_SECONDS = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
SMALLEST_PAGE = 25
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_DOTS = re.compile(r"(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\]|%2f|%5c|$)", re.IGNORECASE)


class TokenSource(Protocol):
    """Where a session's access token comes from."""

    async def access(self) -> Secret:
        """The token to use now."""
        ...

    async def renewed(self, stale: Secret) -> Secret:
        """Another one than `stale`, which the provider called expired. Raises ConsentGone, ProviderUnavailable."""
        ...


class Session:
    """Calls of one credential. The plugin names the organisation on each call, in the way its provider wants.

    Every call raises QuotaSpent, Throttled, ProviderUnavailable, ConsentGone, AccessLost, ScopeMissing,
    SubscriptionLapsed, NotAtProvider, ProviderRejected or ProviderBroken. `calls` counts what was sent, attempts
    that failed too, `refused` those of them that a limit refused, `in_doubt` those that may have changed something and
    were not answered; `now()` is the plugin's only clock.

    The core says in `halved` how often answers were found too large, and reads in `asked_size` how much was asked
    for. `version` is that of the credential's tokens when the session was opened.
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        provider: Provider,
        endpoints: Endpoints,
        tokens: TokenSource,
        gate: Gate,
        subject: str,
        organisation: str | None,
        now: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
        seconds: float = _REQUEST_SECONDS,
        max_bytes: int | None = None,
        version: int = 0,
    ) -> None:
        self._client = client
        self._provider = provider
        self._slug = provider.info.slug
        self._is_of_one = not provider.info.bulk_consent
        self._endpoints = endpoints
        self._tokens = tokens
        self._gate = gate
        self._sleep = sleep
        self._seconds = seconds
        self._max_bytes = MAX_ANSWER_BYTES if max_bytes is None else max_bytes
        self._under_way = 0
        self._is_over = False
        self.subject = subject
        self.organisation = organisation
        self.now = now
        self.version = version
        self.calls = 0
        self.refused = 0
        self.in_doubt = 0
        self.halved = 0
        self.asked_size: int | None = None

    def __repr__(self) -> str:
        return f"Session(provider={self._slug!r}, organisation={self.organisation!r}, calls={self.calls})"

    @property
    def _counted_for(self) -> str | None:
        """Whose limits a call spends: where a consent is one organisation's, each of its calls is that one's."""
        return self.subject if self.organisation is None and self._is_of_one else self.organisation

    @property
    def is_calling(self) -> bool:
        """Whether a call is under way: it waits for its turn, for its answer, or to be made again."""
        return self._under_way > 0

    def end(self) -> None:
        """Whoever calls through it from now on was given up: he waits for ever, and spends nobody's limits."""
        self._is_over = True

    def page_size(self, most: int) -> int:
        """How many records to ask for in one page: `most`, or less where that made an answer too large."""
        self.asked_size = max(most >> self.halved, min(most, SMALLEST_PAGE))
        return self.asked_size

    async def get(
        self, path: str, *, params: Parameters | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await self.request("GET", path, params=params, headers=headers)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """`path` is relative to the provider's API, or an address within it, as some name their next page."""
        url = self._address(path)
        asked = httpx.Request(
            method, url.copy_merge_params(dict(params)) if params else url, headers=headers, content=content
        )
        asked.headers.setdefault("Accept", "application/json")
        self._under_way += 1
        try:
            if self._is_over:
                await asyncio.Event().wait()
            response = await self._answered(asked)
        finally:
            self._under_way -= 1
        return Answer(
            provider=self._slug,
            status=response.status_code,
            headers=response.headers,
            content=response.content,
            reference=self._reference(response),
        )

    async def _answered(self, asked: httpx.Request) -> httpx.Response:
        token = await self._tokens.access()
        response, fault = await self._patiently(asked, token)
        if isinstance(fault, faults.TokenExpired):
            response, fault = await self._patiently(asked, await self._tokens.renewed(token))
        if fault is not None:
            raise _error(self._slug, fault).referring(self._reference(response))
        return response

    async def _patiently(self, asked: httpx.Request, token: Secret) -> tuple[httpx.Response, Fault | None]:
        for pause in _PAUSES_SECONDS if asked.method in _HARMLESS_TWICE else ():
            try:
                response, fault = await self._admitted(asked, token)
            except ProviderUnavailable:
                fault = None
            else:
                if not isinstance(fault, faults.Transient):
                    return response, fault
            await self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads callers, hides nothing
        return await self._admitted(asked, token)

    async def _admitted(self, asked: httpx.Request, token: Secret) -> tuple[httpx.Response, Fault | None]:
        """A call that a limit refused has done nothing: it goes back to the gate, which waits or raises QuotaSpent."""
        for _ in range(_REFUSALS):
            response, fault = await self._once(asked, token)
            if not isinstance(fault, faults.Throttled):
                break
            self.refused += 1
        return response, fault

    async def _once(self, asked: httpx.Request, token: Secret) -> tuple[httpx.Response, Fault | None]:
        """One call, and what its answer means. The request that carries the token lives no longer than this."""
        sent = httpx.Request(
            asked.method,
            asked.url,
            headers={**asked.headers, "authorization": self._bearer(token)},
            content=asked.content,
        )
        async with self._gate.call(self._counted_for) as passage:
            self.calls += 1
            with metrics.provider_called(self._slug) as called:
                with self._doubting(sent.method):
                    response = await exchange(
                        self._client,
                        sent,
                        provider=self._slug,
                        seconds=self._seconds,
                        max_bytes=self._max_bytes,
                        reference_header=self._endpoints.reference_header,
                    )
                fault = self._meaning(response)
                called.meant(fault)
            passage.answered(
                self._provider.remaining(response), fault if isinstance(fault, faults.Throttled) else None
            )
        return response, fault

    def _meaning(self, response: httpx.Response) -> Fault | None:
        fault = self._provider.classify(response)
        if fault is None and not response.is_success and response.status_code != httpx.codes.NOT_MODIFIED:
            return faults.Broken(message=f"the status {response.status_code} came without a fault we know")
        return fault

    @contextmanager
    def _doubting(self, method: str) -> Iterator[None]:
        """Until it is answered, or surely was not sent; also where nobody waits for the answer any more."""
        changes = method not in _CHANGES_NOTHING
        self.in_doubt += changes
        try:
            yield
        except ProviderUnavailable as away:
            self.in_doubt -= changes and not away.sent
            raise
        except ProviderBroken:  # an answer that is too long is one
            self.in_doubt -= changes
            raise
        self.in_doubt -= changes

    def _reference(self, response: httpx.Response) -> str | None:
        return reference_of(response, self._endpoints.reference_header)

    def _bearer(self, token: Secret) -> str:
        """Checked here, because the HTTP library's own complaint would quote it."""
        if not _SENDABLE.fullmatch(token.reveal()):
            raise ProviderBroken(self._slug, "the access token does not fit into a header")
        return f"Bearer {token.reveal()}"

    def _address(self, path: str) -> httpx.URL:
        """Only what lies within the provider's API may see the token."""
        api = httpx.URL(self._endpoints.api.rstrip("/") + "/")
        plain = path.partition("?")[0]
        try:
            url = httpx.URL(path if "://" in plain else f"{api}{path.lstrip('/')}")
        except httpx.InvalidURL:
            raise ProviderBroken(self._slug, "a path makes no address") from None
        within = (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port)
        if not within or url.userinfo or _DOTS.search(plain) or not url.path.startswith(api.path):
            raise ProviderBroken(self._slug, "an address lies outside its API")
        return url.copy_with(fragment=None)


def _error(provider: str, fault: Fault) -> ProviderError:  # noqa: C901, PLR0911 - one line for each fault
    match fault:
        case faults.Throttled():
            return errors.Throttled(
                provider, limit=fault.limit, scope=fault.scope, retry_after=fault.retry_after
            )
        case faults.TokenExpired():
            return ProviderBroken(provider, "an access token that was just renewed counts as expired")
        case faults.AccessLost():
            return errors.AccessLost(provider)
        case faults.AppRemoved():
            return errors.AppRemoved(provider)
        case faults.ScopeMissing():
            return errors.ScopeMissing(provider)
        case faults.SubscriptionLapsed():
            return errors.SubscriptionLapsed(provider)
        case faults.Missing():
            return errors.NotAtProvider(provider)
        case faults.Rejected():
            return errors.ProviderRejected(provider, fault.message, fields=fault.fields)
        case faults.Transient():
            return ProviderUnavailable(provider)
        case faults.Broken():
            return ProviderBroken(provider, fault.message)
