"""Everything that survives a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tieline_sandbox.xero.model import XeroState


@dataclass(kw_only=True)
class State:
    """`populated` counts the calls of `populate` that named no seed: each gets one of its own."""

    xero: XeroState
    offset: timedelta = timedelta(0)
    populated: int = 0
    version: int = field(default=1)
