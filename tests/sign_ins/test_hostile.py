"""Hostile sign-ins, each beside a twin that differs in the fault alone: nothing of the one is accepted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.sign_ins.conftest import make_desk
from tests.sign_ins.hostile.acting import ACTING, CONNECTING
from tests.sign_ins.hostile.callbacks import CALLBACKS, REPLAYS, STATES
from tests.sign_ins.hostile.companies import COMPANIES
from tests.sign_ins.hostile.lures import LURES, MEDDLING
from tests.sign_ins.hostile.others import ADDING, OTHERS
from tests.sign_ins.hostile.proofs import COMPLETIONS, PROOFS
from tests.sign_ins.hostile.table import Family, Hostile, Scene
from tests.support.deployment import Deployment
from tests.support.sandbox import Sandbox

HOSTILE = (*CALLBACKS, *PROOFS, *LURES, *ACTING, *COMPANIES)
FAMILIES: tuple[Family[Any], ...] = (STATES, REPLAYS, COMPLETIONS, MEDDLING, CONNECTING, OTHERS, ADDING)
IN_COMPANY = [hostile for hostile in HOSTILE if not hostile.alone]
ALONE = [hostile for hostile in HOSTILE if hostile.alone]


def name_of(case: Hostile | Family[Any]) -> str:
    return case.name


@pytest.fixture(scope="module")
async def common(opened: Deployment, sandbox_url: str) -> AsyncIterator[Scene]:
    """One practice for all of them: what is refused leaves nothing that another could stumble over."""
    above = await opened.connect()
    async with httpx.AsyncClient(timeout=30) as http:
        sandbox = Sandbox(url=sandbox_url, http=http)
        await sandbox.control("POST", "/reset")
        kim = await sandbox.populate("Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio")
        yield Scene(desk=await make_desk(sandbox, above, _never), kim=kim)
    await above.close()


async def _never(_: object) -> None:
    raise AssertionError("Who moves the clock is to be alone.")


@pytest.mark.parametrize("hostile", IN_COMPANY, ids=name_of)
async def test_it_is_refused_where_its_twin_is_accepted(common: Scene, hostile: Hostile) -> None:
    await is_refused(common, hostile)

    twin = await hostile.stage(common, is_hostile=False)
    assert await twin() is None


@pytest.mark.parametrize("hostile", ALONE, ids=name_of)
async def test_it_is_refused_where_its_twin_is_accepted_elsewhere(
    common: Scene, clock: Any, hostile: Hostile
) -> None:
    await is_refused(await common.anew(clock), hostile)

    twin = await hostile.stage(await common.anew(clock), is_hostile=False)
    assert await twin() is None


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
async def test_all_are_refused_where_their_twins_are_accepted(common: Scene, family: Family[Any]) -> None:
    scene = await common.anew()
    staged = await family.stage(scene)
    before, told = await scene.snapshot(), await scene.exchanges()

    refused = {fault.name: await fault.act(scene, staged) for fault in family.faults}

    assert refused == {fault.name: fault.refused for fault in family.faults}
    assert await scene.snapshot() == before
    assert await scene.exchanges() == told
    assert [await twin(scene, staged) for twin in family.twins] == [None] * len(family.twins)


async def is_refused(scene: Scene, hostile: Hostile) -> None:
    """Nothing of it is accepted: no row changes but those that it may leave a trace in, and no code brings anything."""
    act = await hostile.stage(scene, is_hostile=True)
    before, told = await scene.snapshot(), await scene.exchanges()

    refused = await act()

    after = await scene.snapshot()
    assert refused == hostile.refused
    assert {table for table, rows in after.items() if rows != before[table]} == hostile.leaves
    assert await scene.exchanges() == [*told, *hostile.told]


def test_there_are_many_and_each_is_another() -> None:
    names = [each.name for each in HOSTILE] + [fault.name for family in FAMILIES for fault in family.faults]

    assert len(set(names)) == len(names) >= 60
