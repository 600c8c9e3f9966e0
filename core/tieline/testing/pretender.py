"""What the conformance kit asks of a server that pretends to be a provider: one app, one person, one set of books."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

import httpx

from tieline.vault import Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """An app as the pretended provider knows it."""

    client_id: str
    client_secret: Secret
    redirect_uri: str


class Pretender(Protocol):
    """A pretended provider with one organisation, whose books hold more than 25 records of at least one dataset.

    Each rule gets a pretender of its own, as it is at its beginning.
    """

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """The way to it, such as `httpx.MockTransport`, or `httpx.AsyncHTTPTransport` for a real address."""
        ...

    @property
    def url(self) -> str:
        """Where the provider's endpoints are, with their paths: `scheme://host[:port][/prefix]`."""
        ...

    @property
    def app(self) -> App: ...

    @property
    def organisation(self) -> str:
        """The provider's id of the one that the person consents to."""
        ...

    @property
    def words(self) -> Collection[str]:
        """The fields of records that hold one of a few words, to which the provider may add any day."""
        ...

    async def now(self) -> datetime:
        """Its time, in UTC."""
        ...

    async def consent(self, authorization_url: str) -> str:
        """What the person's browser does from there on: the address that it is sent back to."""
        ...

    async def expire(self) -> None:
        """Access tokens given out so far are too old from now on; refresh tokens are not."""
        ...

    async def revoke(self) -> None:
        """The person takes the consent back at the provider."""
        ...

    async def throttle(self, limit: str, seconds: int) -> bool | None:
        """The next call is refused as being over this limit, with so many seconds to wait where it can be said.

        True where the refusal says which limit it is; the provider may say the same over several.
        """
        ...

    async def books(self) -> Mapping[str, Collection[str]]:
        """The ids of all that is there now, what was archived too, by the plugin's datasets."""
        ...

    async def add(self, dataset: str) -> str | None:
        """Somebody enters another record: its id. None where nobody can."""
        ...

    async def change(self, dataset: str) -> str | None:
        """Somebody alters what a record is called, or says otherwise: its id. None where nobody can."""
        ...

    async def delete(self, dataset: str) -> str | None:
        """Somebody deletes a record: its id. None where nobody can."""
        ...


@runtime_checkable
class ArchivingPretender(Protocol):
    """What a pretended provider has besides, where records can be archived and still stand in the books."""

    async def archive(self, dataset: str) -> str | None:
        """Somebody archives a record that was not: its id. None where nobody can."""
        ...


@runtime_checkable
class ForgettingPretender(Protocol):
    """What a pretended provider has besides, where it looks back for a while only."""

    async def forget(self) -> None:
        """What was changed so far lies too far back from now on: cursors given until now are too old."""
        ...


@runtime_checkable
class TellingPretender(Protocol):
    """What a pretended provider has besides, where it tells of changes by webhooks."""

    @property
    def webhook_secret(self) -> Secret:
        """What it signs them with, for the app."""
        ...

    def signed(self, body: bytes) -> Mapping[str, str]:
        """The headers with which it posts this body; their names in lower case."""
        ...

    async def tell(self, dataset: str) -> bytes | None:
        """Somebody alters a record: the body that is posted then. None where it tells nothing of such records."""
        ...


Pretending: TypeAlias = Callable[[], AbstractAsyncContextManager[Pretender]]
"""Starts a pretender, and ends it with the block."""
