"""Starts what was asked for in order, hands out the addresses, and stops it all in the opposite order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tieline.embedded import binaries, folder
from tieline.embedded import postgres as pg
from tieline.embedded import redis as valkey
from tieline.embedded.process import Server, Start
from tieline.errors import StartRefused


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Addresses with their passwords; an address is None when its server was not asked for.

    `database_url` is for the product: its login owns the database `tieline`, is no superuser and may
    create roles. `admin_url` is the superuser of the same cluster, for tests that make databases.
    """

    database_url: str | None = field(default=None, repr=False)
    admin_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    running: tuple[Server, ...] = field(default=(), repr=False)

    def alive(self) -> bool:
        """False as soon as one of the servers has ended on its own."""
        return not self.ended()

    def ended(self) -> tuple[str, ...]:
        """A sentence for each server that has ended although nobody stopped it."""
        return tuple(f"{one.name} ended: {one.last_words()}" for one in self.running if not one.alive())


def _silent(_: str) -> None: ...


@contextmanager
def embedded_servers(
    data: Path,
    *,
    postgres: bool = True,
    redis: bool = True,
    durable: bool = True,
    progress: Callable[[str], None] = _silent,
) -> Iterator[Servers]:
    """Run the servers on the data in `data`, a folder made if need be, until the block ends.

    They end with this process however it ends. `durable=False` is for tests: faster, and a crash of the
    machine may lose the data. Raises StartRefused with a sentence when the folder or the programs do not
    serve, or another start has the folder.
    """
    with ExitStack() as stack:
        try:
            install = binaries.postgres_install() if postgres else None
            program = binaries.redis_program() if redis else None
            start = _hold(stack, data.resolve(), install, durable=durable, progress=progress)
            servers = _run(stack, start, install, program)
        except OSError as error:
            raise StartRefused(f"The embedded servers cannot start in {data}: {error}.") from error
        yield servers


def _hold(
    stack: ExitStack, data: Path, install: Path | None, *, durable: bool, progress: Callable[[str], None]
) -> Start:
    """Make the folder ours for this start, and look at what is in it."""
    account = folder.unprivileged_account() if install else None
    folder.prepare(data, account)
    lock = stack.enter_context(folder.locked(data))
    if install:
        pg.check_version(install, data)
    passwords = folder.passwords(data, may_make=not pg.cluster(data).exists())
    return Start(
        data=data, lock=lock, account=account, passwords=passwords, durable=durable, progress=progress
    )


def _run(stack: ExitStack, start: Start, install: Path | None, program: Path | None) -> Servers:
    database = stack.enter_context(pg.running(install, start)) if install else None
    bell = stack.enter_context(valkey.running(program, start)) if program else None
    return Servers(
        database_url=database.database_url if database else None,
        admin_url=database.admin_url if database else None,
        redis_url=bell.redis_url if bell else None,
        running=tuple(one.server for one in (database, bell) if one),
    )
