"""Between two practices stands a wall in the database itself, around every table and along every foreign key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from tests.support.blank import as_login
from tests.support.catalog import OPEN_TABLES, ForeignKey, practice_column, primary_key, tenant_tables
from tests.support.deployment import Deployment
from tests.support.rows import Filler, Row, insertion
from tieline.clients.models import ClientRow
from tieline.database import Scope, current, scope, system_scope
from tieline.ids import PracticeId, new_id

GENERATED_FROM = {"held_organisation_id": "organisation_id"}  # written through the column it is made from
NEVER_CHANGED = {"activity", "event"}  # the application adds what happened and never changes or deletes it

every_tenant_table = pytest.mark.parametrize("table", tenant_tables())


@dataclass(frozen=True, kw_only=True)
class Two:
    """Two practices with a row of each in every tenant table."""

    fill: Filler
    mine: PracticeId
    theirs: PracticeId
    my_row: dict[str, Row]
    their_row: dict[str, Row]

    async def find(self, table: str, row: Row) -> tuple[str, list[object]]:
        """A condition for this very row and its parameters, the first of which is $1."""
        columns = await primary_key(self.fill.connection, table)
        condition = " AND ".join(f'"{column}" = ${number}' for number, column in enumerate(columns, 1))
        return condition, [row[column] for column in columns]

    async def stands(self, table: str, row: Row) -> bool:
        """Whether the row is there as it was, seen from above."""
        condition, key = await self.find(table, row)
        found = await self.fill.connection.fetchrow(f"SELECT * FROM {table} WHERE {condition}", *key)
        return found is not None and dict(found) == row


@pytest.fixture(scope="module")
async def two(opened: Deployment) -> AsyncIterator[Two]:
    """The rows are made past the walls and deleted when the module's tests are over."""
    connection = await opened.connect()
    fill = await Filler.over(connection)
    mine, theirs = PracticeId(await fill.practice()), PracticeId(await fill.practice())
    yield Two(
        fill=fill,
        mine=mine,
        theirs=theirs,
        my_row={table: await fill.row(table, mine) for table in tenant_tables()},
        their_row={table: await fill.row(table, theirs) for table in tenant_tables()},
    )
    await fill.forget(mine, theirs)
    await connection.close()


@every_tenant_table
async def test_a_practice_sees_its_own_rows_and_no_other(two: Two, table: str) -> None:
    column = practice_column(table)

    async with scope(two.mine) as opened:
        seen = await opened.rows(f"SELECT DISTINCT {column} AS practice FROM {table}")
        theirs = await opened.rows(f"SELECT FROM {table} WHERE {column} = $1", two.theirs)

    assert [row["practice"] for row in seen] == [two.mine]
    assert theirs == []


@every_tenant_table
async def test_a_practice_neither_changes_nor_deletes_anothers_row(two: Two, table: str) -> None:
    column = practice_column(table)
    condition, key = await two.find(table, two.their_row[table])

    for sql in (
        f"UPDATE {table} SET {column} = {column} WHERE {condition}",
        f"DELETE FROM {table} WHERE {condition}",
    ):
        refused = pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"denied for table {table}")
        with refused if table in NEVER_CHANGED else nullcontext():
            async with scope(two.mine) as opened:
                assert await opened.run(sql, *key) == 0

    assert await two.stands(table, two.their_row[table])


@every_tenant_table
async def test_a_practice_adds_no_row_to_another(two: Two, table: str) -> None:
    practice_id = new_id() if table == "practice" else two.theirs
    values = await two.fill.values(table, practice_id)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with scope(two.mine) as opened:
            await opened.run(insertion(table, values), *values.values())


@every_tenant_table
async def test_a_practice_hands_no_row_of_its_own_to_another(two: Two, table: str) -> None:
    # It reads no column, so that only the rule for writing is asked, not the one for reading too.
    sql = f"UPDATE {table} SET {practice_column(table)} = '{two.theirs}'"
    why = f"denied for table {table}" if table in NEVER_CHANGED else "row-level security"

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=why):
        async with scope(two.mine) as opened:
            await opened.run(sql)

    assert await two.stands(table, two.my_row[table])


@pytest.mark.parametrize("as_system", [False, True], ids=["as the application", "as the system"])
@every_tenant_table
async def test_no_foreign_key_of_a_row_can_point_into_another_practice(
    two: Two, table: str, *, as_system: bool
) -> None:
    keys = [key for key in two.fill.keys if key.table == table and key.target != "practice"]
    anew = table in NEVER_CHANGED and not as_system

    for key in keys:
        stranger = await two.fill.row(key.target, two.theirs)
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            await (
                _point_anew(two, key, stranger) if anew else _point(two, key, stranger, as_system=as_system)
            )
        assert refused.value.constraint_name in _touched(two, key)
        assert await two.stands(table, two.my_row[table])


@every_tenant_table
async def test_the_login_without_a_scope_sees_changes_and_adds_nothing(
    two: Two, opened: Deployment, table: str
) -> None:
    values = await two.fill.values(table, new_id() if table == "practice" else two.mine)
    login = await as_login(opened)
    try:
        seen = await login.fetchval(f"SELECT count(*) FROM {table}")
        deleted = await login.execute(f"DELETE FROM {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await login.execute(insertion(table, values), *values.values())
    finally:
        await login.close()

    assert (seen, deleted) == (0, "DELETE 0")


@every_tenant_table
async def test_the_applications_role_without_a_practice_sees_nothing(opened: Deployment, table: str) -> None:
    login = await as_login(opened)
    try:
        await login.execute("SET ROLE tieline_app")
        unset = await login.fetchval(f"SELECT count(*) FROM {table}")
        await login.execute("SELECT set_config('tieline.practice', '', false)")
        blank = await login.fetchval(f"SELECT count(*) FROM {table}")
    finally:
        await login.close()

    assert (unset, blank) == (0, 0)


@pytest.mark.parametrize("table", sorted(OPEN_TABLES))
async def test_a_practice_does_not_write_what_belongs_to_the_deployment(two: Two, table: str) -> None:
    for sql in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            async with scope(two.mine) as opened:
                await opened.run(sql)


async def test_a_job_without_a_practice_is_the_systems_alone(two: Two) -> None:
    values = await two.fill.values("job", two.mine) | {"practice_id": None}
    async with system_scope() as opened:
        await opened.run(insertion("job", values), *values.values())

    async with scope(two.mine) as opened:
        seen = await opened.rows("SELECT FROM job WHERE id = $1", values["id"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with scope(two.mine) as opened:
            await opened.run(
                insertion("job", values | {"id": new_id()}), *(values | {"id": new_id()}).values()
            )
    async with system_scope() as opened:
        deleted = await opened.run("DELETE FROM job WHERE id = $1", values["id"])

    assert seen == []
    assert deleted == 1


async def test_a_query_outside_of_a_scope_raises(opened: Deployment) -> None:  # noqa: ARG001 - must be open
    with pytest.raises(RuntimeError, match="a query needs a scope"):
        await ClientRow.all()
    with pytest.raises(RuntimeError, match=r"opened by tieline\.database\.scope only"):
        async with in_transaction():
            pass
    with pytest.raises(RuntimeError, match="no scope is open here"):
        current()


async def test_a_scope_inside_of_a_scope_raises_and_the_outer_one_goes_on(two: Two) -> None:
    async with scope(two.mine) as outer:
        with pytest.raises(RuntimeError, match="a scope is open already"):
            async with scope(two.theirs):
                pass
        seen = await outer.value("SELECT id FROM practice")

    assert seen == two.mine


def _acting(two: Two, *, as_system: bool) -> AbstractAsyncContextManager[Scope]:
    return system_scope() if as_system else scope(two.mine)


async def _point(two: Two, key: ForeignKey, stranger: Row, *, as_system: bool) -> None:
    """Point my row at the stranger through this key, all of it but the practice."""
    pairs = [pair for pair in key.pairs if pair[0] != "practice_id"]
    condition, row_key = await two.find(key.table, two.my_row[key.table])
    start = len(row_key) + 1
    written = [GENERATED_FROM.get(column, column) for column, _ in pairs]
    changes = ", ".join(f'"{column}" = ${number}' for number, column in enumerate(written, start))
    values = [stranger[target] for _, target in pairs]
    async with _acting(two, as_system=as_system) as opened:
        await opened.run("SET CONSTRAINTS ALL IMMEDIATE")
        touched = await opened.run(f"UPDATE {key.table} SET {changes} WHERE {condition}", *row_key, *values)
    raise AssertionError(f"{key.name} let {touched} row point into another practice")


async def _point_anew(two: Two, key: ForeignKey, stranger: Row) -> None:
    """Where rows are never changed: add one of mine that points at the stranger."""
    values = await two.fill.values(key.table, two.mine)
    values |= {column: stranger[target] for column, target in key.pairs if column != "practice_id"}
    async with scope(two.mine) as opened:
        await opened.run(insertion(key.table, values), *values.values())
    raise AssertionError(f"{key.name} let a new row point into another practice")


def _touched(two: Two, key: ForeignKey) -> set[str]:
    """The keys that a change to this key's columns concerns."""
    columns = {GENERATED_FROM.get(column, column) for column, _ in key.pairs} - {"practice_id"}
    keys = (other for other in two.fill.keys if other.table == key.table)
    return {other.name for other in keys if columns & {column for column, _ in other.pairs}}
