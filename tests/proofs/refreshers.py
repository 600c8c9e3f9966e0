"""Processes that ask for a credential's access token at the same moment, forked from one that has loaded everything.

One line in, JSON: what is wanted. One line out for it, JSON: what each process says, its callers' answers or that it
hangs for ever with the provider's answer in its hands.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

from tests.credentials.asking import ask
from tests.credentials.holding import Holding
from tests.support.deployment import Deployment
from tests.support.source import ROOT
from tieline import plugins
from tieline.cli.opened import configured
from tieline.credentials import refreshing
from tieline.credentials.tokens import CredentialTokens
from tieline.ids import CredentialId, PracticeId
from tieline.lifespan import ready

_forking = get_context("fork")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """So many `callers` in so many `processes`; or one that `hangs` between the answer and the write-back."""

    practice_id: str
    credential_id: str
    processes: int = 1
    callers: int = 1
    hangs: bool = False


async def _refresh(wanted: Wanted, begin: Barrier, told: Connection) -> None:
    async def hang(*_arguments: Any) -> bool:
        told.send([os.getpid()])
        await asyncio.Event().wait()
        return False

    if wanted.hangs:
        setattr(refreshing, "_write_back", hang)  # noqa: B010 - the one line at which it is to die
    async with ready(configured()):
        whose = PracticeId(UUID(wanted.practice_id)), CredentialId(UUID(wanted.credential_id))
        await asyncio.to_thread(begin.wait)
        told.send(await asyncio.gather(*(ask(CredentialTokens(*whose)) for _ in range(wanted.callers))))


def _become(wanted: Wanted, begin: Barrier, told: Connection) -> None:
    asyncio.run(_refresh(wanted, begin, told))


def main() -> None:
    plugins.load(None)
    for line in sys.stdin:
        wanted = Wanted(**json.loads(line))
        begin, heard = _forking.Barrier(wanted.processes), []
        for _ in range(wanted.processes):
            hears, tells = _forking.Pipe(duplex=False)
            _forking.Process(target=_become, args=(wanted, begin, tells), daemon=True).start()
            heard.append(hears)
        sys.stdout.write(json.dumps([each.recv() for each in heard]) + "\n")
        sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class Refreshers:
    """The process that forks them."""

    process: asyncio.subprocess.Process

    async def answers(self, holding: Holding, *, processes: int, callers: int) -> list[str]:
        """A fingerprint of the token, or an error's code, for each caller."""
        said = await self._ask(holding, processes=processes, callers=callers)
        return [answer for each in said for answer in each]

    async def hanging(self, holding: Holding) -> int:
        """The id of a process that has an answer of the provider's and does not store it."""
        [[pid]] = await self._ask(holding, hangs=True)
        return int(pid)

    async def _ask(self, holding: Holding, **more: Any) -> list[list[Any]]:
        wanted = Wanted(
            practice_id=str(holding.practice_id), credential_id=str(holding.credential.id), **more
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(vars(wanted)).encode() + b"\n")
        said: list[list[Any]] = json.loads(await self.process.stdout.readline())
        return said


@asynccontextmanager
async def refreshers(deployment: Deployment) -> AsyncIterator[Refreshers]:
    """They do not outlive the block."""
    with (deployment.logs / "refreshers.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.proofs.refreshers"),
            cwd=ROOT,
            env=deployment.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield Refreshers(process=process)
    finally:
        await process.communicate(b"")


if __name__ == "__main__":
    main()
