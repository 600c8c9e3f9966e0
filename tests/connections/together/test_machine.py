"""Whatever two people do to a practice's connections, in whatever order or at once, these things stay true.

Each step is foreseen from what the tables say before it; of two at once, the one order or the other has to explain what
both were told and what the tables say then.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.connections.together import truths
from tests.connections.together.answers import answered
from tests.connections.together.deeds import BulkConnect, Connect
from tests.connections.together.explaining import explained
from tests.connections.together.facts import Facts, Person
from tests.connections.together.ledger import MANY, Ledger
from tests.connections.together.looking import previewed
from tests.connections.together.reckoning import Told
from tests.connections.together.stage import LOGINS, Stage, set_stage
from tests.connections.together.wishes import Choice, Wish, wishes
from tests.support.figures import is_full
from tieline.connections.warnings.service import expire
from tieline.plugins import Product

T = TypeVar("T")

IS_FULL = is_full("proofs")

places = st.integers(0, 11)
_DAY = timedelta(hours=27)
"""Then every sign-in has run out, and every credential has had its daily look."""

_SHUT = ("ACCESS_LOST", "SUBSCRIPTION_LAPSED", "SCOPE_MISSING")


class Event(StrEnum):
    """What nobody of the practice does."""

    JOBS_RUN = "JOBS_RUN"
    A_DAY_GOES_BY = "A_DAY_GOES_BY"
    BOOKS_TAKEN_AWAY = "BOOKS_TAKEN_AWAY"
    ALL_TAKEN_AWAY = "ALL_TAKEN_AWAY"
    A_CONSENT_GROWS_OLD = "A_CONSENT_GROWS_OLD"
    A_CONSENT_ENDS = "A_CONSENT_ENDS"
    BOOKS_CANNOT_BE_OPENED = "BOOKS_CANNOT_BE_OPENED"


class Together(RuleBasedStateMachine):
    """Rules run in a thread, what they do in the loop of the tests. `other` is a practice that stays as it is."""

    loop: asyncio.AbstractEventLoop
    sql: asyncpg.Connection
    move: Any
    other: Stage
    examples: Iterator[int]

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(doing, self.loop).result()
        except BaseException as error:
            error.add_note("\n".join(self.trail))
            raise

    @initialize()
    def begin(self) -> None:
        self.trail = [f"example {next(self.examples)}"]
        self.run(self._begin())

    async def _begin(self) -> None:
        self.other.ledger.wronged.clear()
        self.stage = await set_stage(self.sql, self.other.ledger)
        self.others = await self.other.facts()
        self.others_whole = await truths.whole(self.other)
        self.stranger = replace(self.other.people[0], name="stranger", sees=frozenset(), manages=False)
        admin, manager, few, owner, _ = self.stage.people
        beginnings = ((admin, "ann"), (manager, "bob"), (few, "cam"), (owner, "ann"))
        for by, login in beginnings:
            assert await answered(self.stage.sign_in(by, MANY, login, LOGINS[login])) == (Told("READY"),)
        self.facts = await self.stage.facts()
        await self._connect_some()
        await self.stage.settle()
        self.facts = await self.stage.facts()

    async def _connect_some(self) -> None:
        """Two clients through the admin's sign-in and one through the manager's, each for both products."""
        named = {books: each for each, books in self.facts.externals.items()}
        first, second, third, _ = self.stage.clients
        (admin, ann), (manager, bob), *_ = self.stage.signed_in
        for product in Product:
            rows = ((first, named["a"]), (second, named["b"]))
            deeds = (
                BulkConnect(by=admin, sign_in=ann, product=product.value, rows=rows),
                BulkConnect(by=manager, sign_in=bob, product=product.value, rows=((third, named["c"]),)),
            )
            for deed in deeds:
                assert {each.word for each in await answered(deed)} == {"CONNECTED"}

    @rule(wish=wishes)
    def by_one(self, wish: Wish) -> None:
        """Somebody does something."""
        self.run(self._do([wish], None))

    @rule(wish=wishes, another=wishes, alike=st.booleans())
    def two_at_once(self, wish: Wish, another: Wish, alike: bool) -> None:  # noqa: FBT001
        """Alike, they may be after the same books for different clients."""
        if alike:
            pairs = tuple((client + 1, organisation) for client, organisation in wish.pairs)
            another = replace(another, pairs=pairs)
        self.run(self._do([wish, another], None))

    @rule(wish=wishes, place=places)
    def one_while_a_job_runs(self, wish: Wish, place: int) -> None:
        """One of those that let something go, or purge a client."""
        self.run(self._do([wish], place))

    @rule(what=st.sampled_from((*Event, Event.A_DAY_GOES_BY)), place=places)
    def meanwhile(self, what: Event, place: int) -> None:
        """Something happens that nobody here did."""
        self.run(self._happen(what, place))

    async def _happen(self, what: Event, place: int) -> None:
        self.trail.append(f"meanwhile: {what}")
        match what:
            case Event.JOBS_RUN:
                await self.stage.work_all()
            case Event.A_DAY_GOES_BY:
                await self.move(_DAY)
                await self.stage.work_all()
                self.stage.ledger.removed.clear()  # all has been looked at since
            case Event.BOOKS_TAKEN_AWAY | Event.ALL_TAKEN_AWAY:
                self._take_away(place, all_of_it=what is Event.ALL_TAKEN_AWAY)
            case Event.A_CONSENT_GROWS_OLD | Event.A_CONSENT_ENDS:
                await self._grow_old(place, swept=what is Event.A_CONSENT_ENDS)
            case Event.BOOKS_CANNOT_BE_OPENED:
                await self._shut(place)
        before, self.facts = self.facts, await self.stage.facts()
        truths.by_machine(self.stage, before, self.facts)
        await self._look(before)

    def _take_away(self, place: int, *, all_of_it: bool) -> None:
        held = sorted((each.credential, each.organisation) for each in self.facts.lines.values())
        if not held:
            return
        credential, organisation = held[place % len(held)]
        kept, books = self.facts.credentials[credential], self.facts.externals[organisation]
        client_id = self.stage.apps[kept.slug][1]
        self.trail.append(f"    {'all' if all_of_it else books} of {kept.subject}")
        if all_of_it:
            self.stage.ledger.remove_all(client_id, kept.subject)
        else:
            self.stage.ledger.remove(client_id, kept.subject, books)

    async def _do(self, wished: Sequence[Wish], place: int | None) -> None:
        choice = Choice(stage=self.stage, facts=self.facts, other=self.others, stranger=self.stranger)
        deeds = [deed for wish in wished if (deed := choice.deed(wish)) is not None]
        due = await self.stage.due() if place is not None else []
        jobs = [due[(place or 0) % len(due)]] if due else []
        self.trail += [f"{'and ' if number else ''}{deed}" for number, deed in enumerate([*deeds, *jobs])]

        looked = await previewed(deeds[0]) if len(deeds) == 1 and not jobs else None
        answers, _ = await asyncio.gather(
            asyncio.gather(*(answered(deed) for deed in deeds)),
            asyncio.gather(*(self.stage.work(job_id) for job_id in jobs)),
        )

        before, self.facts = self.facts, await self.stage.facts()
        self.trail += [f"    {told.word}" for answer in answers for told in answer]
        if looked is not None:
            assert looked == tuple(told.word for told in answers[0]), "it was not as it was shown before"
        await self._look(before)
        explained(list(zip(deeds, answers, strict=True)), before, self.facts, with_a_job=bool(jobs))

    async def _grow_old(self, place: int, *, swept: bool) -> None:
        held = sorted((each.credential, each.organisation) for each in self.facts.lines.values())
        if not held:
            return
        await self.sql.execute(
            "UPDATE consent SET consented_at = consented_at - interval '400 days' "
            "WHERE credential_id = $1 AND organisation_id = $2",
            *held[place % len(held)],
        )
        self.trail.append(f"    {held[place % len(held)]}")
        if swept:
            await expire(self.stage.practice_id, most=100)

    async def _shut(self, place: int) -> None:
        """As if a sync had found out; nothing here asks the provider whether it is so."""
        working = sorted(str(each.id) for each in self.facts.lines.values() if each.reason is None)
        if working:
            shut = (working[place % len(working)], _SHUT[place % len(_SHUT)])
            self.trail.append("    " + " becomes ".join(shut))
            await self.sql.execute("UPDATE connection SET reason = $2 WHERE id = $1::uuid", *shut)
            self.facts = await self.stage.facts()

    async def _look(self, before: Facts) -> None:
        truths.untouched(before, self.facts)
        await truths.settled(self.stage, before)
        await self.stage.settle()
        await truths.hold(self.stage, self.facts)
        assert await truths.whole(self.other) == self.others_whole, "another practice's rows have changed"

    def teardown(self) -> None:
        if hasattr(self, "facts"):
            self.run(truths.shown(self.stage, self.facts))


@pytest.fixture
async def other(ledger: Ledger, sql: asyncpg.Connection) -> Stage:
    """Another practice, whose admin has the same login as one here, with a client connected."""
    stage = await set_stage(sql, ledger)
    admin: Person = stage.people[0]
    assert await answered(stage.sign_in(admin, MANY, "ann", LOGINS["ann"])) == (Told("READY"),)
    [(_, sign_in)], facts = stage.signed_in, await stage.facts()
    for client, organisation in zip(stage.clients, sorted(facts.slugs), strict=False):
        deed = Connect(
            by=admin, sign_in=sign_in, product="BOOKKEEPING", client=client, organisation=organisation
        )
        [told] = await answered(deed)
        assert told.word == "DONE"
    return stage


async def test_what_two_people_do_at_once_leaves_every_promise_kept(
    other: Stage, sql: asyncpg.Connection, clock: Any
) -> None:
    machine = type(
        "Machine",
        (Together,),
        {
            "loop": asyncio.get_running_loop(),
            "sql": sql,
            "move": staticmethod(clock),
            "other": other,
            "examples": itertools.count(1),
        },
    )

    await asyncio.to_thread(
        run_state_machine_as_test,
        machine,
        settings=settings(
            max_examples=400 if IS_FULL else 12,
            stateful_step_count=30,
            derandomize=not IS_FULL,
            phases=(Phase.generate,),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
