"""The board, as the practice's admin reads it: a line for each client, with its connection and its latest sync."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tieline import clock
from tieline.cli.story.api import Api, BrokeOff

RUN_FIELDS = "id state limit { name } resumeAt message feeds { feed records done }"
_BOARD = f"""query($after: String) {{
  connectionBoard(product: DATA_HEALTH, first: 200, after: $after) {{
    totalCount counts {{ connected mismatch expired unintegrated }}
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ client {{ name }} statuses remedy
      connection {{ id reason lastSyncedAt integratedBy {{ login person {{ name }} }}
        organisation {{ name externalId provider {{ slug }} }} lastRun {{ {RUN_FIELDS} }} }} }} }} }}"""
_SHORT_PAUSE = timedelta(minutes=2)
_WORDS = {
    "EXPIRED": "expired",
    "MISMATCH": "mismatch",
    "CONNECTED": "connected",
    "UNINTEGRATED": "not connected",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Integrator:
    """Whose consent a connection hangs on; `login` is the provider's name for that person, where it tells one."""

    person: str
    login: str | None = None

    def __str__(self) -> str:
        return self.person if self.login is None else f"{self.person} ({self.login})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A client's line, with the latest sync of its organisation, if there was one."""

    client: str
    statuses: frozenset[str]
    remedy: str | None
    reason: str | None = None
    connection_id: str | None = None
    organisation: str | None = None
    provider: str | None = None
    external_id: str | None = None
    integrator: Integrator | None = None
    last_synced_at: datetime | None = None
    run: dict[str, Any] | None = None

    @property
    def run_id(self) -> str | None:
        return None if self.run is None else str(self.run["id"])

    @property
    def state(self) -> str | None:
        """How far its latest sync is."""
        return None if self.run is None else str(self.run["state"])

    @property
    def is_connected(self) -> bool:
        return "CONNECTED" in self.statuses

    @property
    def is_resting(self) -> bool:
        """Whether nothing happens to it any more by itself just now; a short pause is no rest."""
        if self.state == "PAUSED" and self.resume_at is not None:
            return self.resume_at - clock.now() > _SHORT_PAUSE
        return self.state not in {None, "QUEUED", "RUNNING"}

    @property
    def limit(self) -> str | None:
        """The provider's limit that it is paused by."""
        spent = None if self.run is None else self.run["limit"]
        return None if spent is None else str(spent["name"])

    @property
    def records(self) -> int:
        """Read so far by its latest sync."""
        return sum(feed["records"] for feed in self._feeds)

    @property
    def feeds_done(self) -> tuple[int, int]:
        """How many of how many feeds its latest sync has read."""
        return sum(feed["done"] for feed in self._feeds), len(self._feeds)

    @property
    def stage(self) -> str:
        """What is read now, in plain words."""
        if not self._feeds:
            return "begins"
        reading = (str(feed["feed"]).replace("_", " ") for feed in self._feeds if not feed["done"])
        return next(reading, "ends")

    @property
    def _feeds(self) -> list[dict[str, Any]]:
        return [] if self.run is None else list(self.run["feeds"])

    @property
    def resume_at(self) -> datetime | None:
        return None if self.run is None or self.run["resumeAt"] is None else _instant(self.run["resumeAt"])

    @property
    def word(self) -> str:
        """Its status in a word; the worst of several."""
        word = next(said for status, said in _WORDS.items() if status in self.statuses)
        return "paused" if word == "connected" and self.state == "PAUSED" else word


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    total: int
    counts: dict[str, int]
    rows: tuple[Row, ...]

    def under_way(self) -> list[Row]:
        """Those that are connected and whose latest sync does not rest."""
        return [row for row in self.rows if row.is_connected and not row.is_resting]

    def told(self, run: dict[str, Any]) -> Board:
        """The same with what was told of a sync since."""
        rows = (replace(row, run=run) if row.run_id == run["id"] else row for row in self.rows)
        return replace(self, rows=tuple(rows))

    def of(self, client: str) -> Row:
        """A client's line. Raises BrokeOff where it has none."""
        for row in self.rows:
            if row.client == client:
                return row
        raise BrokeOff(f"{client} is not on the board any more.")


def read_board(api: Api) -> Board:
    """All of it, page by page. Raises BrokeOff."""
    rows: list[Row] = []
    for page in api.pages(_BOARD, "connectionBoard"):
        total, counts = page["totalCount"], page["counts"]
        rows += [_row(node) for node in page["nodes"]]
    return Board(total=total, counts=counts, rows=tuple(rows))


def _row(node: dict[str, Any]) -> Row:
    connection = node["connection"] or {}
    organisation = connection.get("organisation") or {}
    synced = connection.get("lastSyncedAt")
    return Row(
        client=node["client"]["name"],
        statuses=frozenset(node["statuses"]),
        remedy=node["remedy"],
        reason=connection.get("reason"),
        connection_id=connection.get("id"),
        organisation=organisation.get("name"),
        provider=organisation.get("provider", {}).get("slug"),
        external_id=organisation.get("externalId"),
        integrator=_integrator(connection.get("integratedBy")),
        last_synced_at=_instant(synced) if synced else None,
        run=connection.get("lastRun"),
    )


def _integrator(told: dict[str, Any] | None) -> Integrator | None:
    if told is None or told["person"] is None:
        return None
    return Integrator(person=told["person"]["name"], login=told["login"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
