"""The session's sandbox, and a practice with an app there for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.sign_ins.desk import Desk, principal_of
from tests.support.deployment import Deployment
from tests.support.sandbox import Books, Person, Sandbox, running_sandbox
from tieline.ids import new_id
from tieline.practices.service import NewMember, create_practice
from tieline.principal import Role


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[Sandbox]:
    """As it is at its beginning."""
    async with httpx.AsyncClient(timeout=30) as http:
        made = Sandbox(url=sandbox_url, http=http)
        await made.control("POST", "/reset")
        yield made


@pytest.fixture
async def desk(opened: Deployment, sandbox: Sandbox, clock: Any) -> AsyncIterator[Desk]:
    """A practice of the test's own."""
    above = await opened.connect()
    try:
        yield await make_desk(sandbox, above, clock)
    finally:
        await above.close()


@pytest.fixture
async def other_desk(desk: Desk) -> Desk:
    """Another practice, to look in from."""
    return await make_desk(desk.sandbox, desk.above, desk.move)


async def make_desk(sandbox: Sandbox, above: Any, move: Any) -> Desk:
    first = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    made = await create_practice(f"Firm {new_id()}", admin=first)
    return Desk(
        practice_id=made.id,
        admin=principal_of(made.id, made.admin_id),
        app=await sandbox.app(made.id),
        sandbox=sandbox,
        above=above,
        move=move,
    )


@pytest.fixture
async def kim(sandbox: Sandbox) -> Person:
    """Somebody with three organisations at the provider."""
    return await sandbox.populate("Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio")


@pytest.fixture
def bakery(kim: Person) -> Books:
    return kim.named("Ashford Bakery Ltd")
