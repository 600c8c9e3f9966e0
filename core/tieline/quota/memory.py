"""What this process knows of each app's quota in Redis: what its memory is called, and which calls are in flight.

A Redis that was wiped is called otherwise. Then blocks are read from where they outlive it, and the calls that
this process has in flight are entered again, before the first new one starts.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tieline.log import get_logger
from tieline.quota.blocks import Block, Blocks
from tieline.quota.calls import Call, Meter
from tieline.quota.careful import Careful
from tieline.quota.script import Script, Taken, Unknown

QUIET = timedelta(seconds=1)
_NONE = "none"
_MOST_APPS = 10_000
_ATTEMPTS = 5

log = get_logger(__name__)


@dataclass(slots=True)
class _App:
    """`name` is what Redis' memory was called when we looked; `is_doubted`: look again, and tell it all."""

    name: str = ""
    is_doubted: bool = True
    knows_blocks: bool = False
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)
    flying: dict[str, Call] = field(default_factory=dict)


class Memory:
    """`quiet` is how long nothing starts after a wipe, so that all processes enter what they have in flight."""

    def __init__(self, script: Script, careful: Careful, *, quiet: timedelta = QUIET) -> None:
        self._script = script
        self._careful = careful
        self._quiet = quiet
        self._apps: dict[Meter, _App] = {}

    async def take(self, call: Call, blocks: Blocks) -> Taken:
        """As the script takes it; Unknown only when Redis forgets again and again."""
        app = self._app(call.meter)
        taken: Taken = Unknown()
        for _ in range(_ATTEMPTS):
            asked_of = _NONE if app.is_doubted else app.name
            taken = await self._script.take(call, memory=asked_of)
            if not isinstance(taken, Unknown):
                break
            async with app.joining:
                if app.is_doubted or app.name == asked_of:
                    await self._join(call.meter, app, blocks)
        return taken

    async def recall(self, call: Call, blocks: Blocks) -> None:
        """Read the long blocks of an app of which Redis has told this process nothing yet."""
        app = self._app(call.meter)
        if not app.knows_blocks:
            await self._load(call.meter, app, blocks)

    def started(self, call: Call) -> None:
        self._app(call.meter).flying[call.id] = call

    def ended(self, call: Call) -> None:
        self._app(call.meter).flying.pop(call.id, None)

    def doubt(self) -> None:
        """Redis was away: what it remembers of us may be old."""
        for app in self._apps.values():
            app.is_doubted = True

    async def _join(self, meter: Meter, app: _App, blocks: Blocks) -> None:
        before = app.name
        standing = await self._load(meter, app, blocks)
        app.name = await self._script.join(
            meter, standing, memory=secrets.token_hex(8), before=before, quiet=self._quiet
        )
        for call in list(app.flying.values()):
            await self._script.rejoin(call)
        app.is_doubted = False
        if before not in {"", app.name}:
            log.warning(
                "quota.forgotten", provider=meter.provider, blocks=len(standing), calls=len(app.flying)
            )

    async def _load(self, meter: Meter, app: _App, blocks: Blocks) -> Sequence[Block]:
        standing = await blocks.load()
        for block in standing:
            self._careful.block(meter, block)
        app.knows_blocks = True
        return standing

    def _app(self, meter: Meter) -> _App:
        if len(self._apps) > _MOST_APPS:
            for idle in [
                one for one, app in self._apps.items() if not app.flying and not app.joining.locked()
            ]:
                del self._apps[idle]
        return self._apps.setdefault(meter, _App())
