"""What every migration of Tieline is made from: SQL for row-level security, and a base that cannot half-apply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tortoise.migrations.migration import Migration as TortoiseMigration
from tortoise.migrations.operations import Operation, RunSQL
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State

from tieline.database.roles import APP_ROLE, SYSTEM_ROLE

RECORD = (
    "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ($1, $2, clock_timestamp()) "
    "ON CONFLICT DO NOTHING"
)


_ALL = "SELECT, INSERT, UPDATE, DELETE"


class AtomicMigration(TortoiseMigration):
    """Records itself in the transaction that applies it, so that a kill between the two cannot happen."""

    def __init__(self, name: str, app_label: str) -> None:
        super().__init__(name, app_label)
        self.operations = _joined(self.operations)

    async def apply(
        self,
        state: State,
        *,
        dry_run: bool = False,
        schema_editor: BaseSchemaEditor | None = None,
        collect_sql: bool = False,
    ) -> State:
        after = await super().apply(
            state, dry_run=dry_run, schema_editor=schema_editor, collect_sql=collect_sql
        )
        if schema_editor is not None and not dry_run and not collect_sql:
            await schema_editor.client.execute_query(RECORD, [self.app_label, self.name])
        return after


class Recorder(MigrationRecorder):
    """Finds the row of an AtomicMigration there already and leaves it."""

    async def record_applied(self, app: str, name: str) -> None:
        await self.connection.execute_query(RECORD, [app, name])


def tenant_table(table: str, *, practice: str = "practice_id", rights: str = _ALL) -> RunSQL:
    """Wall a table in: forced row-level security, one policy for each role, and their rights (the system's: all)."""
    mine = f"{practice} = nullif(current_setting('tieline.practice', true), '')::uuid"
    return RunSQL(
        [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY one_practice ON {table} TO {APP_ROLE} USING ({mine}) WITH CHECK ({mine})",
            f"CREATE POLICY every_practice ON {table} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)",
            f"GRANT {rights} ON {table} TO {APP_ROLE}",
            f"GRANT {_ALL} ON {table} TO {SYSTEM_ROLE}",
        ]
    )


def open_table(table: str, *, system: str = "SELECT") -> RunSQL:
    """Let both roles read a table that belongs to the deployment and not to a practice."""
    return RunSQL([f"GRANT SELECT ON {table} TO {APP_ROLE}", f"GRANT {system} ON {table} TO {SYSTEM_ROLE}"])


def tenant_key(table: str, column: str, target: str, *, on_delete: str, key: str = "id") -> RunSQL:
    """A foreign key that carries the practice, since its check does not see row-level security."""
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_fkey FOREIGN KEY (practice_id, {column}) "
        f"REFERENCES {target} (practice_id, {key}) ON DELETE {on_delete}"
    )


def statements(*lines: str) -> RunSQL:
    """Plain SQL, one statement a line."""
    listed: Sequence[str] = lines
    return RunSQL(list(listed))


def _joined(operations: Iterable[Operation]) -> list[Operation]:
    """With neighbours of plain SQL as one: before each operation the library builds every model of the schema anew."""
    joined: list[Operation] = []
    for operation in operations:
        last = joined[-1] if joined else None
        if isinstance(operation, RunSQL) and isinstance(last, RunSQL):
            joined[-1] = RunSQL([*_lines(last), *_lines(operation)])
        else:
            joined.append(operation)
    return joined


def _lines(plain: RunSQL) -> list[str]:
    return [plain.sql] if isinstance(plain.sql, str) else list(plain.sql)
