"""A practice with many organisations at a stand, made by the command line and the API, and what became of them.

many(stand, …) ── one login at Xero, one sign-in, clients added and connected by one request a thousand

`companies.py` has the same at QuickBooks Online.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from tests.chaos.sizes import size
from tests.chaos.stand import Stand
from tests.support.firm import Caller, Firm
from tests.support.sandbox import App, Books, Person
from tests.support.trips import Trip
from tests.sync.synced import Kept, truth_of
from tieline.ids import AppId, PersonId, PracticeId, new_id
from tieline.plugins import Product, feeds_for
from tieline_xero import Xero

LISTS = {"accounts": 12, "contacts": size(250, 130)}
"""Contacts of several pages: a stand asks for 100 at a time."""
_UNREAD = dict.fromkeys(
    (
        "invoices",
        "payments",
        "credit_notes",
        "prepayments",
        "overpayments",
        "bank_transactions",
        "bank_transfers",
        "manual_journals",
    ),
    0,
)
"""BOOKKEEPING reads none of them, and a sandbox that tells all it has would make hundreds for each organisation."""
WAIT_SECONDS = 600.0
_AT_ONCE = 10
_HEAP = 1_000
_ADD = """mutation($input: AddClientsInput!) { addClients(input: $input) {
  outcomes { code organisationId connection { id } } errors { code } } }"""
_SYNC = "mutation($id: ID!) { sync(input: {connectionId: $id}) { run { id } errors { code } } }"
_SYNC_ALL = "mutation { syncAll(input: {}) { queued remaining errors { code } } }"
_PORTALS: Mapping[str, tuple[str, dict[str, bool], tuple[str, ...]]] = {
    "xero": ("", {"bulk_consent": True}, ("--bulk-consent",)),
    "quickbooks": ("/quickbooks", {}, ()),
}
_SUCCEEDED = "SELECT id FROM sync_run WHERE practice_id = $1 AND state = 'SUCCEEDED'"
_OTHERS = "SELECT id FROM sync_run WHERE practice_id = $1 AND state <> 'SUCCEEDED'"
_UNDER_WAY = """
SELECT id FROM sync_run WHERE practice_id = $1 AND state IN ('QUEUED', 'RUNNING', 'PAUSED')
 UNION ALL
SELECT id FROM job WHERE practice_id = $1 AND failed_at IS NULL AND due_at <= clock_timestamp()
 LIMIT 1
"""
_KEPT = """
SELECT o.external_id AS books, r.dataset, r.external_id, r.active, r.data::text AS data
  FROM ledger_record AS r JOIN organisation AS o ON o.id = r.organisation_id
 WHERE r.practice_id = $1 AND r.deleted_at IS NULL
"""

_READ = frozenset(
    dataset for feed in feeds_for(Xero().info, Product.BOOKKEEPING, {}) for dataset in feed.datasets
)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Our copies beside the provider's books, over all organisations: how many records differ, and how."""

    records: int
    lost: int
    foreign: int
    differing: int


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """`connections` are ids by the name of the organisation, which is the client's as well.

    `passed_over` are datasets that are not compared. `there` are the ids of what may be edited, by the books' own.
    """

    edited: ClassVar[str] = "contacts"
    id_field: ClassVar[str] = "ContactID"
    name_field: ClassVar[str] = "Name"
    removal: ClassVar[str] = "archived"

    stand: Stand = field(repr=False)
    admin: Caller
    app: App
    person: Person
    connections: dict[str, str]
    passed_over: frozenset[str] = frozenset()
    there: dict[str, deque[str]] = field(default_factory=dict, repr=False)

    @property
    def practice_id(self) -> PracticeId:
        return self.admin.practice_id

    async def sync(self, names: Iterable[str] | None = None) -> None:
        """Somebody asks for the sync of each of these, or of all."""

        async def ask(name: str) -> None:
            payload = (await self.admin.ask(_SYNC, id=self.connections[name]))["sync"]
            assert payload["errors"] == [], payload

        await each(ask, self.connections if names is None else names)

    async def sync_all(self) -> None:
        """Somebody asks for all of them at once, so that nobody waits for one of them."""
        payload = (await self.admin.ask(_SYNC_ALL))["syncAll"]
        assert payload == {"queued": len(self.connections), "remaining": 0, "errors": []}

    async def edit(self, new_name: Callable[[], str], *, times: int = 1) -> None:
        """At the provider every organisation gets new contacts; one of the others is renamed, and one taken away."""

        async def work_in(books: Books) -> None:
            there = await self._there(books)
            renamed, removed = there.popleft(), there.popleft()
            await self._edited(books, id=renamed, change={self.name_field: new_name()})
            await self._edited(books, id=removed, **{self.removal: True})
            created = [await self._edited(books, create={self.name_field: new_name()}) for _ in range(times)]
            there.extend([renamed, *created])

        await each(work_in, self.person.organisations)

    def at_sandbox(self, books: Books) -> str:
        """Where the sandbox lets these be seen and edited."""
        return f"/organisations/{books.tenant_id}"

    async def until_over(self, *, seconds: float = WAIT_SECONDS) -> None:
        """Wait until no run is live and no job is due."""
        await self.stand.until_none(_UNDER_WAY, self.practice_id, what="all is done", seconds=seconds)

    async def succeeded(self) -> int:
        """How many of all its syncs have ended well."""
        return len(await self.stand.rows(_SUCCEEDED, self.practice_id))

    async def others(self) -> int:
        """How many have not, whatever became of them."""
        return len(await self.stand.rows(_OTHERS, self.practice_id))

    async def calls(self) -> int:
        """How many calls these books had at the provider, by its own count."""
        counted = (await self.stand.sandbox.control("GET", "/counters"))["organisations"]
        return sum(counted[books.tenant_id]["calls"] for books in self.person.organisations)

    async def _there(self, books: Books) -> deque[str]:
        """What may be edited next comes first; in the same order for books of the same size."""
        if books.tenant_id not in self.there:
            whole = await self.stand.sandbox.control("GET", f"{self.at_sandbox(books)}/books")
            self.there[books.tenant_id] = deque(record[self.id_field] for record in whole[self.edited])
        return self.there[books.tenant_id]

    async def _edited(self, books: Books, **how: object) -> str:
        """The id of the record."""
        wanted = {"dataset": self.edited, **how}
        made = await self.stand.sandbox.control("POST", f"{self.at_sandbox(books)}/records", wanted)
        return str(made["record"][self.id_field])

    async def truth(self, books: Books) -> Kept:
        """What our copy of these should be."""
        whole = await truth_of(self.stand.sandbox, books.tenant_id)
        return {key: record for key, record in whole.items() if key[0] in _READ}

    async def compared(self) -> Compared:
        kept: dict[str, Kept] = {}
        for row in await self.stand.rows(_KEPT, self.practice_id):
            record = row["active"], json.loads(row["data"])
            kept.setdefault(row["books"], {})[row["dataset"], row["external_id"]] = record
        counts: Counter[str] = Counter()

        async def compare(books: Books) -> None:
            ours, theirs = kept.get(books.tenant_id, {}), await self.truth(books)
            ours = {key: record for key, record in ours.items() if key[0] not in self.passed_over}
            counts["records"] += len(theirs)
            counts["lost"] += len(theirs.keys() - ours.keys())
            counts["foreign"] += len(ours.keys() - theirs.keys())
            counts["differing"] += sum(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())

        await each(compare, self.person.organisations)
        kinds = ("records", "lost", "foreign", "differing")
        return Compared(**{kind: counts[kind] for kind in kinds})


async def each(do: Callable[[T], Coroutine[Any, Any, R]], those: Iterable[T]) -> list[R]:
    """Do it for all of those, a few at once; in their order."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(that: T) -> R:
        async with free:
            return await do(that)

    return await asyncio.gather(*(one(that) for that in those))


async def many(
    stand: Stand,
    organisations: int,
    *,
    seed: str,
    records: dict[str, int] | None = None,
    url: str | None = None,
    held: bool = False,
) -> Portfolio:
    """As many clients as organisations, connected for BOOKKEEPING by one admin, each with a first run that is queued.

    The gateway must run. The same seed makes the same books. `url` is where the provider is, unless at the sandbox.
    `held`: from before the first run is queued the provider holds all calls, so that none ends before somebody strikes.
    """
    firm = await firm_at(stand)
    app = await app_of(stand, firm.practice_id, "xero", url or stand.sandbox.xero)
    names = [f"Client {number:05}" for number in range(organisations)]
    wanted = {
        "seed": seed,
        "prefix": str(new_id())[-4:],
        "names": names,
        "organisations": organisations,
        "records": _UNREAD | (records or LISTS),
    }
    made = await stand.sandbox.control("POST", "/populate", wanted)
    person = Person(
        id=made["user_id"],
        email=made["email"],
        organisations=tuple(
            Books(tenant_id=one["tenant_id"], name=one["name"]) for one in made["organisations"]
        ),
    )
    trip = Trip(firm=firm, sandbox=stand.sandbox, app=app, person=person, browser=stand.http)
    sign_in_id = await trip.ready()
    if held:
        await stand.sandbox.hold()
    connections = await added(stand, firm.admin, sign_in_id)
    assert sorted(connections) == names
    return Portfolio(stand=stand, admin=firm.admin, app=app, person=person, connections=connections)


async def firm_at(stand: Stand) -> Firm:
    """A practice with one admin, who has a key."""
    name, email = f"Firm {new_id()}", "ada@firm.invalid"
    admin = ("--admin-name", "Ada Admin", "--admin-email", email)
    made = await _said(stand, "practice", "create", name, "--plan", "ADVANCED", *admin)
    [(practice, person)] = re.findall(r"^practice (\S+)\nadmin +(\S+)$", made, re.MULTILINE)
    key = await _said(stand, "key", "create", "--practice", practice, "--person", email, "--name", "first")
    practice_id = PracticeId(UUID(practice))
    caller = Caller(http=stand.http, key=key, practice_id=practice_id, person_id=PersonId(UUID(person)))
    return Firm(http=stand.http, practice_id=practice_id, admin=caller)


async def app_of(stand: Stand, practice_id: PracticeId, provider: str, url: str) -> App:
    """The practice's app, in the provider's portal and here, where its provider is spoken to at this address."""
    client_id, (portal, settings, options) = f"app-{new_id()}", _PORTALS[provider]
    made = await stand.sandbox.control("PUT", f"{portal}/apps/{client_id}", settings)
    secret = stand.deployment.logs.with_name(f"{client_id}.secret")
    secret.write_text(made["secret"])
    said = await _said(
        stand,
        *("app", "add", "--practice", str(practice_id), "--provider", provider, *options),
        *("--client-id", client_id, "--secret-file", str(secret), "--sandbox-url", url),
    )
    [callback_url] = re.findall(r"^callback (\S+)$", said, re.MULTILINE)
    await stand.sandbox.control("PUT", f"{portal}/apps/{client_id}", {"redirect_uris": [callback_url]})
    return App(id=AppId(UUID(said.split()[1])), client_id=client_id, callback_url=callback_url)


async def added(stand: Stand, admin: Caller, sign_in_id: str) -> dict[str, str]:
    """A client for every organisation that the sign-in found."""
    found = await stand.rows(
        "SELECT id::text, name FROM organisation WHERE practice_id = $1 ORDER BY name", admin.practice_id
    )
    names = {row["id"]: row["name"] for row in found}
    added: dict[str, str] = {}
    for begin in range(0, len(found), _HEAP):
        rows = [{"organisationId": row["id"]} for row in found[begin : begin + _HEAP]]
        given = {"signInId": sign_in_id, "product": "BOOKKEEPING", "rows": rows}
        payload = (await admin.ask(_ADD, input=given))["addClients"]
        assert payload["errors"] == [], payload
        assert {one["code"] for one in payload["outcomes"]} == {"ADDED"}, payload
        added |= {names[one["organisationId"]]: one["connection"]["id"] for one in payload["outcomes"]}
    return added


async def _said(stand: Stand, *arguments: str) -> str:
    """What a command that succeeds prints."""
    ended = await asyncio.to_thread(stand.deployment.run, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()
