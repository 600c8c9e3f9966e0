"""The two NOLOGIN roles behind the walls, and what the login must and must not be.

`tieline_app` sees one practice's rows, `tieline_system` all; the login is granted both without inheriting
them, so that a query outside of a scope sees nothing.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from tieline.errors import StartRefused

APP_ROLE = "tieline_app"
SYSTEM_ROLE = "tieline_system"
ROLES = (APP_ROLE, SYSTEM_ROLE)
_INHERIT_OPTION_SINCE = 16
_OWNER_BY_MEMBERSHIP_SINCE = 15

_FITNESS = """
SELECT session_user::text AS login,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user) AS unbound,
       (SELECT rolinherit FROM pg_roles WHERE rolname = session_user) AS inherits,
       (SELECT coalesce(bool_or(rolsuper OR rolbypassrls OR rolcanlogin), false)
          FROM pg_roles WHERE rolname = ANY($1::text[])) AS roles_unbound,
       ARRAY(SELECT r FROM unnest($1::text[]) AS r
              WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)
                 OR NOT pg_has_role(session_user, r, 'MEMBER')) AS lacking
"""
_INHERITED = """
SELECT coalesce(bool_or(m.inherit_option), false)
  FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles l ON l.oid = m.member
 WHERE l.rolname = session_user AND r.rolname = ANY($1::text[])
"""


async def check_roles(connection: Any) -> None:
    """Raise StartRefused, saying what to run, unless row-level security would bind this login."""
    fitness = await connection.fetchrow(_FITNESS, list(ROLES))
    login = fitness["login"]
    if fitness["unbound"]:
        raise StartRefused(
            f"The login {login} is a superuser or has BYPASSRLS, so one practice could see another's rows: "
            "make a plain login for Tieline ('tieline doctor' prints the SQL)."
        )
    if fitness["lacking"] or fitness["roles_unbound"]:
        raise StartRefused(
            f"The login {login} lacks the roles {' and '.join(ROLES)}, or one of them may log in or bypass "
            "row-level security: run 'tieline migrate', or as an administrator the SQL that 'tieline doctor' prints."
        )
    if await _inherits(connection, inherits=fitness["inherits"]):
        raise StartRefused(
            f"The login {login} inherits the rights of {' and '.join(ROLES)}: run the SQL that 'tieline doctor' prints."
        )


async def ensure_roles(connection: Any) -> None:
    """Create the roles and grant them where that is missing and allowed. Raises StartRefused."""
    lacking = (await connection.fetchrow(_FITNESS, list(ROLES)))["lacking"]
    if not lacking:
        return
    login = await connection.fetchval("SELECT session_user::text")
    for statement in role_statements(login, connection.get_server_version().major, only=lacking):
        try:
            await connection.execute(statement)
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            continue  # another database of this cluster made it at the same moment
        except asyncpg.InsufficientPrivilegeError as refused:
            raise StartRefused(
                f"The login {login} may not create the roles {' and '.join(ROLES)}: "
                "let an administrator run the SQL that 'tieline doctor' prints, then migrate again."
            ) from refused


def role_statements(login: str, major: int, *, only: list[str] | None = None) -> list[str]:
    """The SQL that makes the roles and grants them to the login, for this major version of PostgreSQL."""
    quoted = '"' + login.replace('"', '""') + '"'
    wanted = ROLES if only is None else tuple(only)
    statements = [f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS" for role in wanted]
    if major < _INHERIT_OPTION_SINCE:
        if major >= _OWNER_BY_MEMBERSHIP_SINCE:
            # Without inheriting, the login would lose what it has as the database's owner.
            statements.append(f"GRANT CREATE ON SCHEMA public TO {quoted}")
        statements.append(f"ALTER ROLE {quoted} NOINHERIT")
        return statements + [f"GRANT {role} TO {quoted}" for role in wanted]
    return statements + [f"GRANT {role} TO {quoted} WITH INHERIT FALSE, SET TRUE" for role in wanted]


async def _inherits(connection: Any, *, inherits: bool) -> bool:
    if connection.get_server_version().major < _INHERIT_OPTION_SINCE:
        return inherits
    return bool(await connection.fetchval(_INHERITED, list(ROLES)))
