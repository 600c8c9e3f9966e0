"""Where the database is: `TIELINE_DATABASE_URL` taken apart, and single connections outside of the pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import asyncpg

from tieline.errors import StartRefused
from tieline.settings import Settings

_CONNECT_SECONDS = 10.0
_OPTIONS = frozenset({"host", "sslmode"})
_TLS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

CONNECT_FAULTS = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What asking for a connection can raise when the address, the server or the login is at fault."""


def credentials(settings: Settings) -> dict[str, Any]:
    """What asyncpg wants to know, from the address in the settings. Raises StartRefused."""
    url, port = _split(settings.database_url.get_secret_value())
    options = dict(parse_qsl(url.query))
    unread = ", ".join(sorted(options.keys() - _OPTIONS))
    if unread:
        raise StartRefused(
            f"TIELINE_DATABASE_URL has options that are not read ({unread})",
            "use sslmode and host there, and PostgreSQL's own PGSSLROOTCERT and the like in the environment",
        )
    if options.get("sslmode", "prefer") not in _TLS:
        raise StartRefused(
            "The sslmode in TIELINE_DATABASE_URL is none that there is", f"make it one of {', '.join(_TLS)}"
        )
    return {
        "host": options.get("host", url.hostname),
        "port": port,
        "user": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "database": unquote(url.path.strip("/")),
        **({"ssl": options["sslmode"]} if "sslmode" in options else {}),
    }


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Any]:
    """One connection of the login itself, in no role and outside of the pool. Raises StartRefused."""
    try:
        connection = await asyncpg.connect(**credentials(settings), timeout=_CONNECT_SECONDS)
    except CONNECT_FAULTS as away:
        raise unreachable(settings, away) from away
    try:
        yield connection
    finally:
        await connection.close()


def unreachable(settings: Settings, cause: BaseException) -> StartRefused:
    address = credentials(settings)
    why = str(cause) or type(cause).__name__
    return StartRefused(
        f"PostgreSQL at {address['host']}:{address['port']} cannot be used ({why})",
        "check TIELINE_DATABASE_URL and that the server runs",
    )


def _split(text: str) -> tuple[SplitResult, int]:
    try:
        url = urlsplit(text)
        port = url.port or 5432
    except ValueError as malformed:
        raise _malformed() from malformed
    if url.scheme not in {"postgres", "postgresql"} or not url.hostname or not url.path.strip("/"):
        raise _malformed()
    return url, port


def _malformed() -> StartRefused:
    return StartRefused(
        "TIELINE_DATABASE_URL is not an address like postgres://login:password@host:5432/name",
        "set it to one (signs such as [ or @ in a password are written as %5B or %40)",
    )
