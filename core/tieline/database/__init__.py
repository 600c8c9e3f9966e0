"""PostgreSQL, the truth: the pool, scopes (who may see which rows), roles, migrations.

    open_database ── pool ──┬── scope(practice)    role tieline_app, rows of one practice
                            └── system_scope()     role tieline_system, rows of all

A query outside of a scope is an error; a scope inside of a scope is, too.
"""

from tieline.database.connect import (
    check_database,
    close_database,
    oldest_write,
    open_database,
    pool_figures,
)
from tieline.database.migrate import SchemaState, migrate, schema_state
from tieline.database.scope import Rows, Scope, current, scope, system_scope

__all__ = [
    "Rows",
    "SchemaState",
    "Scope",
    "check_database",
    "close_database",
    "current",
    "migrate",
    "oldest_write",
    "open_database",
    "pool_figures",
    "schema_state",
    "scope",
    "system_scope",
]
