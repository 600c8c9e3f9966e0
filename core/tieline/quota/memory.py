"""What this process knows of each app's quota in Redis: what its memory is called, and which calls are in flight.

A Redis that was wiped is called otherwise. Then blocks and months are read from where they outlive it, and the calls
that this process has in flight are entered again, before the first new one starts. Several practices may have a copy
of one app, each with blocks of its own: a copy's first call tells those.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tieline.log import get_logger
from tieline.quota.calls import Call, Meter
from tieline.quota.careful import Careful
from tieline.quota.lasting import Block, Lasting
from tieline.quota.months import Months
from tieline.quota.script import Script, Taken, Unknown

QUIET = timedelta(seconds=1)
_NONE = "none"
_MOST_APPS = 10_000
_ATTEMPTS = 5

log = get_logger(__name__)


@dataclass(slots=True)
class _App:
    """`name` is what Redis' memory was called when we looked.

    Whose blocks and months it was told of stands in `told`, whose blocks this process read in `read`. With none told,
    it is told it all.
    """

    name: str = ""
    told: set[Lasting] = field(default_factory=set)
    read: set[Lasting] = field(default_factory=set)
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)
    flying: dict[str, Call] = field(default_factory=dict)


class Memory:
    """`quiet` is how long nothing starts after a wipe, so that all processes enter what they have in flight."""

    def __init__(self, script: Script, careful: Careful, months: Months, *, quiet: timedelta = QUIET) -> None:
        self._script = script
        self._careful = careful
        self._months = months
        self._quiet = quiet
        self._apps: dict[Meter, _App] = {}

    async def take(self, call: Call, lasting: Lasting) -> Taken:
        """As the script takes it; Unknown only when Redis forgets again and again."""
        app = self._app(call.meter)
        taken: Taken = Unknown()
        for _ in range(_ATTEMPTS):
            asked_of = app.name if lasting in app.told else _NONE
            taken = await self._script.take(call, memory=asked_of)
            if not isinstance(taken, Unknown):
                break
            async with app.joining:
                if lasting not in app.told or app.name == asked_of:
                    await self._join(call.meter, app, lasting)
        return taken

    async def recall(self, call: Call, lasting: Lasting) -> None:
        """Read the long blocks that this process has not read yet."""
        app = self._app(call.meter)
        if lasting not in app.read:
            await self._load(call.meter, app, lasting)

    def started(self, call: Call) -> None:
        self._app(call.meter).flying[call.id] = call

    def ended(self, call: Call) -> None:
        self._app(call.meter).flying.pop(call.id, None)

    def doubt(self) -> None:
        """Redis was away: what it remembers of us may be old."""
        for app in self._apps.values():
            app.told.clear()

    async def _join(self, meter: Meter, app: _App, lasting: Lasting) -> None:
        before = app.name
        standing = await self._load(meter, app, lasting)
        days = await self._months.known(lasting)
        app.name = await self._script.join(
            meter, standing, days, memory=secrets.token_hex(8), before=before, quiet=self._quiet
        )
        if app.name != before:
            app.told.clear()
        if not app.told:
            for call in list(app.flying.values()):
                await self._script.rejoin(call)
        app.told.add(lasting)
        if before not in {"", app.name}:
            log.warning(
                "quota.forgotten", provider=meter.provider, blocks=len(standing), calls=len(app.flying)
            )

    async def _load(self, meter: Meter, app: _App, lasting: Lasting) -> Sequence[Block]:
        standing = await lasting.load()
        for block in standing:
            self._careful.block(meter, block)
        app.read.add(lasting)
        return standing

    def _app(self, meter: Meter) -> _App:
        if len(self._apps) > _MOST_APPS:
            for idle in [
                one for one, app in self._apps.items() if not app.flying and not app.joining.locked()
            ]:
                del self._apps[idle]
        return self._apps.setdefault(meter, _App())
