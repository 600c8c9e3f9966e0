"""Where a single lock keeps two apart: every moment is tried, whatever share of the other pairs is played."""

from __future__ import annotations

from tests.connections.together.keeping import keep, put_back
from tests.connections.together.ledger import MANY
from tests.connections.together.pairs import of_person
from tests.connections.together.playing import Play
from tieline.sign_ins.service import complete_sign_in
from tieline.sign_ins.states import SignInState

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
