"""A practice in which two people's deeds get in each other's way, and these deeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from tests.connections.together.answers import Answer, Deed, answered
from tests.connections.together.deeds import BulkConnect, Change, Connect, Delete, Disconnect
from tests.connections.together.facts import Facts, Person
from tests.connections.together.ledger import MANY
from tests.connections.together.moves import Reassign, Reconnect, ReconnectAll
from tests.connections.together.stage import Stage
from tests.support.jobs import calendar
from tieline.connections.states import Reason
from tieline.connections.warnings.service import expire
from tieline.credentials.rejection import credential_rejected
from tieline.credentials.repository import CredentialRepository
from tieline.database import scope
from tieline.ids import CredentialId, JobId, PracticeId
from tieline.plugins import Product

Deeds: TypeAlias = Mapping[str, Deed]

_ALL = ("a", "b", "c", "d")
_SHUT = frozenset({"ACCESS_LOST", "SUBSCRIPTION_LAPSED"})
BOOKKEEPING = Product.BOOKKEEPING.value


@dataclass(frozen=True, kw_only=True)
class JobRuns:
    """One that lets something go. What it does is not foreseen, only that it does it before or after others."""

    stage: Stage
    job_id: JobId

    async def do(self) -> Answer:
        await self.stage.work(self.job_id)
        return ()

    def foresee(self, facts: Facts) -> Answer:
        del facts
        return ()


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The provider has refused the tokens of a login."""

    practice_id: PracticeId
    credential: UUID
    version: int

    async def do(self) -> Answer:
        credential_id = CredentialId(self.credential)
        await credential_rejected(self.practice_id, credential_id, Reason.REVOKED_AT_PROVIDER, self.version)
        return ()

    def foresee(self, facts: Facts) -> Answer:
        facts.credentials[self.credential] = replace(facts.credentials[self.credential], is_live=False)
        for key, line in list(facts.lines.items()):
            if line.credential == self.credential and line.reason in {None, *_SHUT}:
                facts.lines[key] = replace(line, reason="REVOKED_AT_PROVIDER")
        return ()


@dataclass(frozen=True, kw_only=True)
class RunsOut:
    """The sweep finds consents that are too old."""

    practice_id: PracticeId

    async def do(self) -> Answer:
        await expire(self.practice_id, most=100)
        return ()

    def foresee(self, facts: Facts) -> Answer:
        for key, line in list(facts.lines.items()):
            if (line.credential, line.organisation) in facts.over and line.reason in {None, *_SHUT}:
                facts.lines[key] = replace(line, reason="CONSENT_EXPIRED")
        return ()


async def furnish(stage: Stage) -> None:
    """Two with a sign-in that reaches all; on older logins a connection that works, a broken and a disconnected one."""
    admin, manager, *_ = stage.people
    for by, login, reached in ((manager, "dan", "ab"), (admin, "cam", "c")):
        await _done(stage.sign_in(by, MANY, login, [*reached]))
    (_, dan), (_, cam) = stage.signed_in
    named = {books: each for each, books in (await stage.facts()).externals.items()}
    first, second, third, _ = stage.clients
    for by, sign_in, client, books, product in (
        (manager, dan, first, "a", Product.BOOKKEEPING),
        (manager, dan, first, "a", Product.DATA_HEALTH),
        (manager, dan, second, "b", Product.BOOKKEEPING),
        (admin, cam, third, "c", Product.BOOKKEEPING),
    ):
        await _done(
            Connect(by=by, sign_in=sign_in, product=product.value, client=client, organisation=named[books])
        )
    facts = await stage.facts()
    broken, left = (facts.lines[client, BOOKKEEPING].id for client in (second, third))
    assert left is not None
    await stage.sql.execute("UPDATE connection SET reason = 'TOKEN_EXPIRED' WHERE id = $1", broken)
    await _done(Disconnect(by=admin, connection=left))
    await stage.sql.execute(
        "UPDATE sign_in SET usable_until = $2 WHERE practice_id = $1",
        stage.practice_id,
        await calendar() - timedelta(hours=1),
    )
    stage.signed_in.clear()
    for by, login in ((admin, "ann"), (manager, "bob")):
        await _done(stage.sign_in(by, MANY, login, _ALL))
    await stage.settle()


def of_person(stage: Stage, facts: Facts, by: Person) -> Deeds:
    """What this one may do to the connection that works, the one that is broken, the one disconnected, and without."""
    sign_in = next(each for person, each in stage.signed_in if person == by)
    named = {books: each for each, books in facts.externals.items()}
    first, second, third, fourth = stage.clients
    works, broken, left = (facts.lines[each, BOOKKEEPING].id for each in (first, second, third))
    assert works is not None
    assert broken is not None
    assert left is not None

    def connect(books: str) -> Connect:
        return Connect(by=by, sign_in=sign_in, product=BOOKKEEPING, client=fourth, organisation=named[books])

    rows = ((third, named["d"]), (fourth, named["c"]))
    return {
        "connects free books": connect("d"),
        "connects books that were left": connect("c"),
        "connects many": BulkConnect(by=by, sign_in=sign_in, product=BOOKKEEPING, rows=rows),
        "reconnects": Reconnect(by=by, sign_in=sign_in, connection=left),
        "reconnects all": ReconnectAll(by=by, sign_in=sign_in),
        "reassigns": Reassign(by=by, sign_in=sign_in, connections=(works, broken)),
        "changes": Change(by=by, sign_in=sign_in, connection=works, organisation=named["d"]),
        "disconnects": Disconnect(by=by, connection=works),
        "disconnects what is broken": Disconnect(by=by, connection=broken),
        "deletes who works": Delete(by=by, client=first),
        "deletes who was left": Delete(by=by, client=third),
        "deletes who has nothing": Delete(by=by, client=fourth),
        "signs in as another": stage.sign_in(by, MANY, "dan", ("a",)),
        "signs in as who was left": stage.sign_in(by, MANY, "cam", ("c",)),
    }


async def grow_old(stage: Stage) -> None:
    """The consents that connections hang on are older than a year."""
    await stage.sql.execute(
        "UPDATE consent AS n SET consented_at = consented_at - interval '400 days' FROM connection AS k "
        "WHERE k.practice_id = $1 AND n.credential_id = k.credential_id AND n.organisation_id = k.organisation_id",
        stage.practice_id,
    )


async def refusal(stage: Stage, facts: Facts, by: Person) -> Rejected:
    """Of this one's own login."""
    sign_in = next(each for person, each in stage.signed_in if person == by)
    [credential] = facts.trips[sign_in].credentials
    async with scope(stage.practice_id):
        known = await CredentialRepository.of(stage.practice_id).get(CredentialId(credential))
    assert known is not None
    return Rejected(practice_id=stage.practice_id, credential=credential, version=known.version)


async def _done(deed: Deed) -> None:
    [told] = await answered(deed)
    assert told.word in {"DONE", "READY"}, told
