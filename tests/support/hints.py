"""Whether hints reach this process: what listens says so to those who wait for them."""

from __future__ import annotations

from tests.support.polling import until
from tieline.live.watchers import WATCHERS


async def hearing(*, wanted: bool = True) -> None:
    """Wait until it is so, or until it is known that it is not."""

    async def holds() -> bool:
        return WATCHERS._hearing is wanted

    await until(holds, "hints arrive" if wanted else "it is known that no hints arrive")
