"""The sandbox as the story uses it: what happens at the providers, and a person who answers their consent pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from tieline.cli.story.api import BrokeOff
from tieline.cli.story.cast import Person
from tieline.cli.story.played import Played
from tieline.cli.story.sums import Sum

_SECONDS = 45.0


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox; `url` has no slash at its end. Close it, or use it as a block."""

    url: str
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=_SECONDS, follow_redirects=False), repr=False
    )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.http.close()

    def address(self, played: Played) -> str:
        """Where a provider is spoken to."""
        return f"{self.url}/{played.slug}"

    def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Have something happen at a provider, or look there. Raises BrokeOff."""
        answer = self._call(method, f"{self.url}/_control{path}", json=body or None)
        if answer.status_code != httpx.codes.OK:
            raise BrokeOff(f"The sandbox refused {method} {path}: {answer.text}")
        told: dict[str, Any] = answer.json()
        return told

    def books(self, played: Played, external_id: str) -> dict[str, Sum]:
        """What an organisation's books come to, by our shelves, without records that were deleted there."""
        books = self.control("GET", f"{played.control}/{played.many}/{external_id}/books")
        return {
            shelf: Sum.of(
                next((record[field] for field in played.totals if field in record), None)
                for dataset in datasets
                for record in books[dataset]
                if record.get("Status") != "DELETED"
            )
            for shelf, datasets in played.shelves.items()
        }

    def consent(self, authorization_url: str, person: Person, ids: Iterable[str]) -> dict[str, str]:
        """The person allows these organisations; what the browser brings to the front end then. Raises BrokeOff."""
        answered = self._call(
            "POST",
            authorization_url,
            data={"user": person.email, "decision": "allow", person.at.one: list(ids)},
        )
        back = self._call("GET", _sent_to(answered, "The consent page"))
        return dict(parse_qsl(urlsplit(_sent_to(back, "The callback")).query))

    def _call(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            return self.http.request(method, address, **more)
        except httpx.HTTPError as error:
            place = urlsplit(address)
            raise BrokeOff(f"{place.netloc}{place.path} did not answer ({type(error).__name__}).") from error


def _sent_to(answer: httpx.Response, who: str) -> str:
    """Where a redirect leads."""
    if not answer.has_redirect_location:
        raise BrokeOff(f"{who} answered {answer.status_code} and sent the browser nowhere.")
    return answer.headers["location"]
