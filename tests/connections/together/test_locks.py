"""Where a single lock keeps two apart: every moment is tried, whatever share of the other pairs is played."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from tests.connections.together.answers import answered
from tests.connections.together.deeds import BulkConnect
from tests.connections.together.keeping import keep, put_back
from tests.connections.together.ledger import MANY
from tests.connections.together.pairs import BOOKKEEPING, of_person
from tests.connections.together.playing import Play
from tests.support.polling import until
from tieline.sign_ins.service import complete_sign_in
from tieline.sign_ins.states import SignInState

_HELD = "SELECT id FROM connection WHERE id = $1 FOR NO KEY UPDATE NOWAIT"
_WAITED_FOR = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)
_COMPLETED = "SELECT count(*) FROM activity WHERE practice_id = $1 AND kind = 'SIGN_IN_COMPLETED'"


async def test_a_client_is_deleted_while_somebody_signs_in_for_its_books(play: Play) -> None:
    admin, manager, *_ = play.stage.people
    deletes = of_person(play.stage, play.begun.facts, admin)["deletes who works"]
    signs_in = of_person(play.stage, play.begun.facts, manager)["signs in as another"]

    await play.every({"deletes": deletes}, {"signs in": signs_in}, all_moments=True)


async def test_one_proof_that_is_shown_twice_at_once_completes_its_sign_in_once(play: Play) -> None:
    stage, (by, *_) = play.stage, play.stage.people
    sign_in_id, proof = await stage.sign_in(by, MANY, "cam", ("c",)).consent()
    before, begun = await stage.sql.fetchval(_COMPLETED, stage.practice_id), await keep(stage, "consented")

    async def complete() -> SignInState:
        return (await complete_sign_in(by.principal, sign_in_id, proof)).state

    await play.cutting.alone(complete)
    for cut in range(1, play.cutting.moments + 1):
        await put_back(stage, begun)
        states = await play.cutting.play(complete, complete, cut=cut)

        assert states == (SignInState.READY, SignInState.READY)
        assert await stage.sql.fetchval(_COMPLETED, stage.practice_id) == before + 1, f"at moment {cut}"


@pytest.mark.parametrize("name", ["reassigns", "connects over what was left, and what is broken"])
async def test_whoever_changes_several_connections_holds_none_while_another_one_has_the_first(
    play: Play, name: str
) -> None:
    """People are warned of many at once, with no other lock: by ascending id, as everybody takes them."""
    stage, (by, *_) = play.stage, play.stage.people
    works, broken, left = standing(play)
    deed, first, later = {
        "reassigns": (of_person(stage, play.begun.facts, by)["reassigns"], works, broken),
        "connects over what was left, and what is broken": (connects_over(play), broken, left),
    }[name]
    async with stage.sql.transaction():
        await stage.sql.fetchval(_HELD, first)
        doing = asyncio.create_task(answered(deed))

        async def waits() -> bool:
            return bool(await stage.sql.fetchval(_WAITED_FOR))

        await until(waits, "the first one is waited for")
        assert await stage.sql.fetchval(_HELD, later) == later

    assert {each.word for each in await doing} <= {"REASSIGNED", "CONNECTED"}


def standing(play: Play) -> list[UUID]:
    """The connection that works, the broken and the disconnected one: in the order of their ids."""
    named = [play.begun.facts.lines[client, BOOKKEEPING].id for client in play.stage.clients[:3]]
    ids = [each for each in named if each is not None]
    assert (ids, len(ids)) == (sorted(ids), 3)
    return ids


def connects_over(play: Play) -> BulkConnect:
    """Other books in the place of the disconnected ones, and those that broke anew."""
    facts, (by, *_), (_, second, third, _) = play.begun.facts, play.stage.people, play.stage.clients
    sign_in = next(each for person, each in play.stage.signed_in if person == by)
    free = next(each for each, books in facts.externals.items() if books == "d")
    rows = ((third, free), (second, facts.lines[second, BOOKKEEPING].organisation))
    return BulkConnect(by=by, sign_in=sign_in, product=BOOKKEEPING, rows=rows)
