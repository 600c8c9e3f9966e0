"""The API as a front end calls it, for the story."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

_SECONDS = 45.0
_NOTICED_SECONDS = 0.2  # until a process that has let go of its sockets is seen to have ended


class BrokeOff(Exception):
    """The story cannot go on; the message is a sentence that says why."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """A GraphQL endpoint and a key; close it, or use it as a block.

    `watch` raises BrokeOff as soon as one of the processes behind it has ended.
    """

    url: str
    key: str = field(repr=False)
    watch: Callable[[], None] = field(repr=False)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=_SECONDS), repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.http.close()

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """What the document answers with. Raises BrokeOff."""
        self.watch()
        try:
            answer = self.http.post(
                f"{self.url}/graphql",
                json={"query": document, "variables": variables},
                headers={"authorization": f"Bearer {self.key}"},
            ).json()
        except (httpx.HTTPError, ValueError) as error:
            raise self.broken("The API did not answer", error) from error
        if answer.get("errors"):
            raise BrokeOff(f"The API refused: {answer['errors'][0]['message']}")
        data: dict[str, Any] = answer["data"]
        return data

    def broken(self, sentence: str, error: Exception) -> BrokeOff:
        """What to raise for this error, unless a process that ended is behind it. Raises BrokeOff."""
        time.sleep(_NOTICED_SECONDS)
        self.watch()
        return BrokeOff(f"{sentence} ({type(error).__name__}).")

    def change(self, document: str, **given: Any) -> dict[str, Any]:
        """Call a mutation with this input; its payload. Raises BrokeOff where it was refused."""
        (payload,) = self.ask(document, input=given).values()
        if payload["errors"]:
            raise BrokeOff(f"The API refused: {payload['errors'][0]['message']}")
        answered: dict[str, Any] = payload
        return answered

    def pages(self, document: str, *path: str, **variables: Any) -> Iterator[dict[str, Any]]:
        """Each page of a list that takes `after`, found in the answer under this path. Raises BrokeOff."""
        after = None
        while True:
            page: Any = self.ask(document, after=after, **variables)
            for name in path:
                page = page[name]
            yield page
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]
