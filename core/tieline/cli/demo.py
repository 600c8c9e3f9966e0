"""The demo practice: forty clients that nobody looks after in earnest, and two people with a key each."""

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
from tieline.principal import Permission, Principal, Role

PRACTICE = "Demo Practice"
ADMIN, ADMIN_NAME = "admin@demo.invalid", "Demo Admin"
COLLEAGUE, COLLEAGUE_NAME = "robin.hale@demo.invalid", "Robin Hale"

_TEAMS = ("North", "South")
_TRADES = ("Bakery", "Joinery", "Bicycles", "Bookshop", "Catering", "Dental Care", "Electrical", "Florists")
_TOWNS = ("Ashford", "Brecon", "Culross", "Dunmore", "Évian")


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """The demo as it stands: its practice and admin, a working key of theirs, how many clients were added now.

    The colleague's key is that of a member who may manage connections, and is no admin.
    """

    practice_id: PracticeId
    person_id: PersonId
    key: str = field(repr=False)
    colleague_key: str = field(repr=False)
    added: int


async def ensure_demo(folder: Path) -> Demo:
    """Make what is missing of the demo; the keys are kept there, in files that only their owner can read."""
    practice_id = await _practice()
    key = await _key(practice_id, ADMIN, folder / "demo-key")
    await _colleague(practice_id)
    return Demo(
        practice_id=practice_id,
        person_id=await practices.locate_person(practice_id, ADMIN),
        key=key,
        colleague_key=await _key(practice_id, COLLEAGUE, folder / "colleague-key"),
        added=await _add_clients(practice_id, await authenticate(key)),
    )


async def _add_clients(practice_id: PracticeId, principal: Principal) -> int:
    """Those that are missing; how many."""
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
    return len(missing)


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
        admin = NewMember(name=ADMIN_NAME, email=ADMIN, role=Role.ADMIN)
        return (await practices.create_practice(PRACTICE, admin=admin, plan=Plan.ADVANCED)).id


async def _colleague(practice_id: PracticeId) -> None:
    members = await practices.list_members(practice_id)
    if all(member.person.email != COLLEAGUE for member in members):
        permissions = frozenset({Permission.MANAGE_CONNECTIONS, Permission.SYNC})
        member = NewMember(name=COLLEAGUE_NAME, email=COLLEAGUE, role=Role.MEMBER, permissions=permissions)
        await practices.add_member(practice_id, member)


async def _key(practice_id: PracticeId, email: str, file: Path) -> str:
    """A key of this person's that works: the one that is kept, or a new one."""
    key = await asyncio.to_thread(_kept, file)
    if await _works(key):
        return key
    person_id = await practices.locate_person(practice_id, email)
    key = (await issue_key(practice_id, name="demo", person_id=person_id)).secret.reveal()
    await asyncio.to_thread(write_private, file, key + "\n")
    return key


async def _works(key: str) -> bool:
    try:
        await authenticate(key)
    except Unauthenticated:
        return False
    return True


def _kept(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""
