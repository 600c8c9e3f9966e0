"""Other processes that ask for the same token, held by a test: told to go, stopped, killed, listened to."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.credentials.holding import Holding
from tests.support.deployment import Deployment
from tests.support.source import ROOT

_SECONDS = 45


@dataclass(frozen=True, kw_only=True)
class Asker:
    process: asyncio.subprocess.Process

    async def line(self) -> str:
        """The next that it says; what it complains of fails the test."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_SECONDS):
            said = (await self.process.stdout.readline()).decode().strip()
        if not said:
            assert self.process.stderr is not None
            raise AssertionError((await self.process.stderr.read()).decode())
        return said

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")

    async def answers(self) -> list[str]:
        """A fingerprint of the token, or an error's code, for each caller."""
        answers: list[str] = json.loads(await self.line())
        return answers

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def asking(
    deployment: Deployment, holding: Holding, *, callers: int = 1, **more: str
) -> AsyncIterator[Asker]:
    """A process that is ready to ask; it does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.credentials.asking"),
        *(str(holding.practice_id), str(holding.credential.id), str(callers)),
        cwd=ROOT,
        env=deployment.environment | more,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    asker = Asker(process=process)
    try:
        assert await asker.line() == "ready"
        yield asker
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
