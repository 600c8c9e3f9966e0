"""The log of what apps asked for, which tests assert on: who, what, when; never a token's value."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from urllib.parse import parse_qsl, urlencode

MAX_ENTRIES = 200_000
_SHOWN_HEADERS = ("If-Modified-Since", "Accept", "Xero-tenant-id", "X-Include-Refresh-Token-Hard-Expires-In")
_SECRET = frozenset(
    {"access_token", "client_secret", "code", "code_verifier", "id_token", "refresh_token", "token"}
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as far as the sandbox can tell who asks what, before anything is done."""

    provider: str
    method: str
    path: str
    query: str
    endpoint: str
    family: str
    headers: dict[str, str]
    client_id: str | None = None
    user: str | None = None
    organisation: str | None = None
    grant_type: str | None = None

    def is_for(self, endpoint: str) -> bool:
        """`accounting` stands for every endpoint of the books, `any` for all of them."""
        return endpoint in ("any", self.endpoint, self.family)


@dataclass(kw_only=True)
class Entry:
    """`status` is None while the call is in flight, and for a connection that was dropped."""

    number: int
    at: datetime
    provider: str
    method: str
    path: str
    query: str
    endpoint: str
    client_id: str | None
    user: str | None
    organisation: str | None
    grant_type: str | None
    headers: dict[str, str]
    in_flight: int
    fault: str | None = None
    status: int | None = None
    family: str = field(default="", repr=False)


class RequestLog:
    """The last `MAX_ENTRIES` requests; `in_flight` counts those of one organisation that were open together."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._open: Counter[str | None] = Counter()
        self.last = 0

    def begin(self, call: Call, *, at: datetime, fault: str | None) -> Entry:
        self.last += 1
        self._open[call.organisation] += 1
        entry = Entry(
            number=self.last,
            at=at,
            provider=call.provider,
            method=call.method,
            path=call.path,
            query=_without_secrets(call.query),
            endpoint=call.endpoint,
            client_id=call.client_id,
            user=call.user,
            organisation=call.organisation,
            grant_type=call.grant_type,
            headers={
                name: call.headers[name.lower()] for name in _SHOWN_HEADERS if name.lower() in call.headers
            },
            in_flight=self._open[call.organisation],
            fault=fault,
            family=call.family,
        )
        self._entries.append(entry)
        return entry

    def finish(self, entry: Entry, status: int | None) -> None:
        entry.status = status
        self._open[entry.organisation] -= 1

    def entries(self, *, after: int, organisation: str | None, endpoint: str | None) -> Iterator[Entry]:
        first = self._entries[0].number if self._entries else 0
        for entry in islice(self._entries, max(0, after + 1 - first), None):
            fits = organisation in (None, entry.organisation)
            if fits and endpoint in (None, "any", entry.endpoint, entry.family):
                yield entry

    def clear(self) -> None:
        """Forget what was; numbers go on, so that an `after` stays good."""
        self._entries.clear()


def _without_secrets(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(name.lower() in _SECRET for name, _ in pairs):
        return query
    return urlencode([(name, "…" if name.lower() in _SECRET else value) for name, value in pairs])
