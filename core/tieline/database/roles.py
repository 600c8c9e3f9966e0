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
_OWNER_BY_MEMBERSHIP = 15

_FITNESS = """
SELECT session_user::text AS login,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user) AS unbound,
       (SELECT coalesce(bool_or(r.rolsuper OR r.rolbypassrls OR r.rolcanlogin
                                OR coalesce(pg_has_role(r.oid, o.oid, 'MEMBER'), false)), false)
          FROM pg_roles AS r LEFT JOIN pg_roles AS o ON o.rolname = ANY($1::text[]) AND o.oid <> r.oid
         WHERE r.rolname = ANY($1::text[])) AS roles_unbound,
       ARRAY(SELECT r FROM unnest($1::text[]) AS r
              WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)
                 OR NOT pg_has_role(session_user, r, {member})) AS lacking,
       EXISTS (SELECT FROM pg_roles WHERE rolname = ANY($1::text[])
                  AND pg_has_role(session_user, oid, 'USAGE')) AS inherits
"""


def _fitness(connection: Any) -> str:
    # From 16 on a membership may be for administering only; what counts is whether SET ROLE is allowed.
    major = connection.get_server_version().major
    return _FITNESS.format(member="'SET'" if major >= _INHERIT_OPTION_SINCE else "'MEMBER'")


async def check_roles(connection: Any) -> None:
    """Raise StartRefused, saying what to run, unless row-level security would bind this login."""
    fitness = await connection.fetchrow(_fitness(connection), list(ROLES))
    _refuse_unbound(fitness)
    login = fitness["login"]
    if fitness["lacking"]:
        raise StartRefused(
            f"The login {login} lacks the roles {' and '.join(ROLES)}",
            "run 'tieline migrate', or as an administrator the SQL that 'tieline doctor' prints",
        )
    if fitness["roles_unbound"]:
        raise StartRefused(
            f"One of the roles {' and '.join(ROLES)} may log in, bypasses row-level security or is a member of "
            "the other, so one practice could see another's rows",
            "run the SQL that 'tieline doctor' prints",
        )
    if fitness["inherits"]:
        raise StartRefused(
            f"The login {login} inherits the rights of {' and '.join(ROLES)}",
            "run the SQL that 'tieline doctor' prints",
        )


async def ensure_roles(connection: Any) -> None:
    """Create the roles and grant them where that is missing and allowed. Raises StartRefused."""
    fitness = await connection.fetchrow(_fitness(connection), list(ROLES))
    _refuse_unbound(fitness)
    login = fitness["login"]
    if fitness["lacking"]:
        await _make_roles(connection, login)
    await _keep_schema(connection, _quoted(login))
    if not await connection.fetchval("SELECT has_schema_privilege('public', 'CREATE')"):
        raise StartRefused(
            f"The login {login} may not make tables in the schema public",
            f"let the database's owner run GRANT CREATE ON SCHEMA public TO {_quoted(login)}, then migrate again",
        )


async def _make_roles(connection: Any, login: str) -> None:
    for statement in await remedy(connection):
        try:
            await connection.execute(statement)
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            continue  # another database of this cluster made it at the same moment
        except asyncpg.InsufficientPrivilegeError as refused:
            raise StartRefused(
                f"The login {login} may not create the roles {' and '.join(ROLES)}",
                "let an administrator run the SQL that 'tieline doctor' prints, then migrate again",
            ) from refused


async def _keep_schema(connection: Any, login: str) -> None:
    """On 15 the database's owner makes tables in `public` by a membership, which NOINHERIT would take away."""
    if connection.get_server_version().major != _OWNER_BY_MEMBERSHIP:
        return
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE pg_database_owner")
            await connection.execute(f"GRANT CREATE ON SCHEMA public TO {login}")
    except asyncpg.InsufficientPrivilegeError:
        return  # not the owner: whoever is has to grant it


async def remedy(connection: Any) -> list[str]:
    """The SQL that makes this login fit or, where it never can be, a login that is."""
    fitness = await connection.fetchrow(_fitness(connection), list(ROLES))
    if fitness["unbound"]:
        database = await connection.fetchval("SELECT quote_ident(current_database())")
        there = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tieline')")
        make = [] if there else ["CREATE ROLE tieline LOGIN CREATEROLE PASSWORD 'choose one'"]
        return [*make, f"ALTER DATABASE {database} OWNER TO tieline"]
    there = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])", list(ROLES)
    )
    missing = [role for role in ROLES if role not in {row["rolname"] for row in there}]
    statements = [f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS" for role in missing]
    if fitness["roles_unbound"]:
        statements += [f"ALTER ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS" for role in ROLES]
        statements += [f"REVOKE {one} FROM {other}" for one, other in (ROLES, ROLES[::-1])]
    return statements + _grants(_quoted(fitness["login"]), connection.get_server_version().major)


def _quoted(login: str) -> str:
    return '"' + login.replace('"', '""') + '"'


def _refuse_unbound(fitness: Any) -> None:
    if fitness["unbound"]:
        raise StartRefused(
            f"The login {fitness['login']} is a superuser or has BYPASSRLS, so one practice could see another's "
            "rows",
            "make a plain login for Tieline ('tieline doctor' prints the SQL)",
        )


def _grants(login: str, major: int) -> list[str]:
    if major >= _INHERIT_OPTION_SINCE:
        return [f"GRANT {role} TO {login} WITH INHERIT FALSE, SET TRUE" for role in ROLES]
    keep = [f"GRANT CREATE ON SCHEMA public TO {login}"] if major == _OWNER_BY_MEMBERSHIP else []
    return [*keep, f"ALTER ROLE {login} NOINHERIT", *(f"GRANT {role} TO {login}" for role in ROLES)]
