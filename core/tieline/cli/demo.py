"""The demo practice: forty clients that nobody looks after in earnest, and a key to see them with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from tieline.clients import service as clients
from tieline.clients.service import NewClient
from tieline.embedded import write_private
from tieline.errors import Invalid, Unauthenticated
from tieline.identity import authenticate
from tieline.ids import PersonId, PracticeId
from tieline.pages import MAX_PAGE
from tieline.practices import service as practices
from tieline.practices.keys import issue_key
from tieline.practices.plan import Plan
from tieline.practices.service import NewMember
from tieline.principal import Principal, Role

PRACTICE = "Demo Practice"
ADMIN = "admin@demo.invalid"

_TEAMS = ("North", "South")
_TRADES = ("Bakery", "Joinery", "Bicycles", "Bookshop", "Catering", "Dental Care", "Electrical", "Florists")
_TOWNS = ("Ashford", "Brecon", "Culross", "Dunmore", "Évian")


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """The demo as it stands: its practice and admin, a working key of theirs, how many clients were added now."""

    practice_id: PracticeId
    person_id: PersonId
    key: str = field(repr=False)
    added: int


async def ensure_demo(key_file: Path) -> Demo:
    """Make what is missing of the demo; the key is kept in a file that only its owner can read."""
    practice_id = await _practice()
    key = await asyncio.to_thread(_kept, key_file)
    if not await _works(key):
        key = await _issue(practice_id)
        await asyncio.to_thread(write_private, key_file, key + "\n")
    principal = await authenticate(key)
    teams = [await practices.create_team(practice_id, name) for name in _TEAMS]
    there = await _codes(principal)
    missing = {code: name for code, name in client_names().items() if code not in there}
    for code, name in missing.items():
        await clients.create_client(
            principal,
            NewClient(
                name=name,
                legal_name=name.replace("Ltd", "Limited"),
                practice_code=code,
                team_id=teams[int(code[1:]) % len(teams)],
                country="GB",
                currency="GBP",
            ),
        )
    person_id = await practices.locate_person(practice_id, ADMIN)
    return Demo(practice_id=practice_id, person_id=person_id, key=key, added=len(missing))


async def _codes(principal: Principal) -> set[str | None]:
    """The practice codes of all clients."""
    codes: set[str | None] = set()
    after = None
    while True:
        page = await clients.list_clients(principal, first=MAX_PAGE, after=after)
        codes.update(client.practice_code for client in page.rows)
        if not page.has_next:
            return codes
        after = page.cursors[-1]


def client_names() -> dict[str, str]:
    """The clients' names by practice code."""
    names = (f"{town} {trade} Ltd" for town in _TOWNS for trade in _TRADES)
    return {f"D{number:03}": name for number, name in enumerate(names, start=1)}


async def _practice() -> PracticeId:
    try:
        return await practices.locate_practice(PRACTICE)
    except Invalid:
        admin = NewMember(name="Demo Admin", email=ADMIN, role=Role.ADMIN)
        return (await practices.create_practice(PRACTICE, admin=admin, plan=Plan.ADVANCED)).id


async def _works(key: str) -> bool:
    try:
        await authenticate(key)
    except Unauthenticated:
        return False
    return True


async def _issue(practice_id: PracticeId) -> str:
    person_id = await practices.locate_person(practice_id, ADMIN)
    return (await issue_key(practice_id, name="demo", person_id=person_id)).secret.reveal()


def _kept(key_file: Path) -> str:
    return key_file.read_text().strip() if key_file.exists() else ""
