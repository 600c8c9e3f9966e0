"""Boards drawn at random, with ties in whatever there is to sort by, and what each of their lines should show."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.books import Books
from tieline.connections.board.repository import BoardSort
from tieline.connections.states import Reason, Status
from tieline.ids import ClientId, CredentialId, PersonId, TeamId, new_id
from tieline.names import name_key, name_words
from tieline.practices.service import create_team

NAMES = (
    "Acme",
    "acme",
    "Ácme",
    "Åcme Ltd",
    "Zoë & Co",
    "zoe and co",
    "山田商店",
    "1st Aid",
    "O'Brien",
    "ß Straße",
    "Éclair",
    "Ecl",
)
BOOKS = ("Books A", "books a", "Bücher", "Zed", "zed", "0 Books")
PEOPLE = (("Zoë", "b@x"), ("Anna Berg", None), ("Ánna Berg", "a@x"), ("anna", "a@x"), ("Anna Berg", "a@x"))
DAY = timedelta(days=1)
AGES = (None, 0 * DAY, 336 * DAY, 364 * DAY, 366 * DAY)
GRANTS = (None, None, -DAY, 10 * DAY, 60 * DAY)
ORDER = (Status.UNINTEGRATED, Status.EXPIRED, Status.MISMATCH, Status.CONNECTED)
REASONS = (None, None, None, Reason.ACCESS_LOST, Reason.DISCONNECTED, Reason.TOKEN_EXPIRED)
SYNCED = (
    None,
    None,
    *(datetime(2031, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in (0, 0, 1, 999_999_999)),
)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Through:
    """A credential that lines hang on, and whose it is."""

    id: CredentialId
    person_id: PersonId
    name: str
    login: str | None
    grant: timedelta | None

    @property
    def key(self) -> tuple[str, ...]:
        return name_key(self.name), self.login or ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a client's line should show."""

    id: ClientId
    name: str
    team_id: TeamId | None
    status: Status = Status.UNINTEGRATED
    reason: Reason | None = None
    provider: str | None = None
    organisation: str | None = None
    synced: datetime | None = None
    through: Through | None = None
    age: timedelta | None = None

    def key(self, sort: BoardSort) -> tuple[Any, ...]:
        name = name_key(self.name)
        return {
            BoardSort.NAME: (name,),
            BoardSort.STATUS: (ORDER.index(self.status), name),
            BoardSort.LAST_SYNC: (self.synced or NEVER, name),
            BoardSort.ORGANISATION: (name_key(self.organisation or ""), name),
            BoardSort.INTEGRATED_BY: (self.through.key if self.through else (), name),
        }[sort] + (self.id,)

    @property
    def statuses(self) -> set[Status]:
        return {self.status} | ({Status.CONNECTED} if self.status is Status.MISMATCH else set())

    def ends_within(self, span: timedelta) -> bool:
        """Whether it works, and its consent or its grant ends within so much time, and not earlier than now."""
        if self.through is None or self.reason is not None:
            return False
        ends = [self.through.grant] if self.through.grant is not None else []
        ends += [365 * DAY - self.age] if self.age is not None else []
        return bool(ends) and timedelta(0) < min(ends) < span


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A practice with a board, and what was drawn for it at this instant."""

    books: Books
    lines: list[Line]
    at: datetime
    teams: list[TeamId]
    through: list[Through]

    def found(self, given: dict[str, Any]) -> list[Line]:
        """The lines of those clients that these filters name."""
        return [line for line in self.lines if all(_is_of(line, *each) for each in given.items())]

    def left(self, given: dict[str, Any]) -> list[Line]:
        """Those of them that are in the state that is asked for."""
        return [line for line in self.found(given) if all(self._is_in(line, *each) for each in given.items())]

    def _is_in(self, line: Line, name: str, value: Any) -> bool:
        match name:
            case "statuses":
                return not value or bool(line.statuses & set(value))
            case "reasons":
                return not value or line.reason in value
            case "with_warnings":
                return not value or line.ends_within(30 * DAY)
            case "expiring_before":
                return line.ends_within(value - self.at)
        return True


def _is_of(line: Line, name: str, value: Any) -> bool:
    match name:
        case "search":
            words: Collection[str] = (value or "").split()
            return all(any(own.startswith(word) for own in name_words(line.name)) for word in words)
        case "providers":
            return not value or line.provider in value
        case "team_ids":
            return not value or line.team_id in value
        case "integrated_by":
            return value is None or (line.through is not None and line.through.person_id == value)
    return True


async def draw(books: Books, seed: int, count: int) -> Drawing:
    """A board of so many lines, written; a quarter of its clients has no connection."""
    chance = random.Random(seed)  # noqa: S311 - drawn data, no secret
    at = datetime.now(UTC)
    teams = [await create_team(books.practice_id, f"Team {number}") for number in range(3)]
    through = [await _through(books, name, login, chance.choice(GRANTS), at) for name, login in PEOPLE]
    lines = [
        Line(id=ClientId(new_id()), name=chance.choice(NAMES), team_id=chance.choice([None, *teams]))
        for _ in range(count // 4)
    ]
    for _ in range(count - len(lines)):
        reason, mismatch = chance.choice(REASONS), chance.random() < 0.4
        bad = Status.EXPIRED if reason is not None else None
        lines.append(
            Line(
                id=ClientId(new_id()),
                name=chance.choice(NAMES),
                team_id=chance.choice([None, *teams]),
                status=bad or (Status.MISMATCH if mismatch else Status.CONNECTED),
                reason=reason,
                provider=chance.choice(("pretend", "feigned")),
                organisation=chance.choice(BOOKS),
                synced=chance.choice(SYNCED),
                through=chance.choice(through),
                age=chance.choice(AGES),
            )
        )
    chance.shuffle(lines)
    for line in lines:
        await _write(books, line, at)
    return Drawing(books=books, lines=lines, at=at, teams=teams, through=through)


async def _through(
    books: Books, name: str, login: str | None, grant: timedelta | None, at: datetime
) -> Through:
    member = await books.member()
    assert member.person_id is not None
    await books.sql.execute(
        "UPDATE person SET name = $2, name_key = $3 WHERE id = $1", member.person_id, name, name_key(name)
    )
    credential_id = await books.credential(member.person_id)
    await books.sql.execute(
        "UPDATE credential SET login = $2, hard_expires_at = $3 WHERE id = $1",
        credential_id,
        login,
        at + grant if grant is not None else None,
    )
    return Through(id=credential_id, person_id=member.person_id, name=name, login=login, grant=grant)


async def _write(books: Books, line: Line, at: datetime) -> None:
    await books.sql.execute(
        "INSERT INTO client (id, practice_id, name, name_key, team_id, detail_sources, created_at) "
        "VALUES ($1, $2, $3, $4, $5, '{}', $6)",
        line.id,
        books.practice_id,
        line.name,
        name_key(line.name),
        line.team_id,
        at,
    )
    await books.sql.execute(
        "INSERT INTO client_word (practice_id, word, client_id) SELECT $1, unnest($2::text[]), $3",
        books.practice_id,
        list(name_words(line.name)),
        line.id,
    )
    if line.organisation is not None and line.through is not None:
        await _connect(books, line, line.organisation, line.through, at)


async def _connect(books: Books, line: Line, organisation: str, through: Through, at: datetime) -> None:
    organisation_id = await books.organisation(organisation, provider=line.provider)
    await books.sql.execute(
        "UPDATE organisation SET client_id = $2, last_synced_at = $3 WHERE id = $1",
        organisation_id,
        line.id,
        line.synced,
    )
    await books.sql.execute(
        "INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, reason, "
        "mismatch, connected_at, changed_at) VALUES ($1, $2, $3, 'BOOKKEEPING', $4, $5, $6, $7, $8, $8)",
        new_id(),
        books.practice_id,
        line.id,
        organisation_id,
        through.id,
        line.reason,
        line.status is Status.MISMATCH,
        at,
    )
    if line.age is not None:
        await books.sql.execute(
            "INSERT INTO consent (practice_id, credential_id, organisation_id, consented_at) VALUES ($1, $2, $3, $4)",
            books.practice_id,
            through.id,
            organisation_id,
            at - line.age,
        )
