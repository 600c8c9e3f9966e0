"""Everything that survives a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tieline_sandbox.quickbooks import seeded
from tieline_sandbox.quickbooks.model import QuickBooksState
from tieline_sandbox.xero.model import XeroState


@dataclass(kw_only=True)
class State:
    """`populated` counts the calls of `populate` that named no seed: each gets one of its own.

    A file of a time that knew no QuickBooks begins with what there is at the first start.
    """

    xero: XeroState
    quickbooks: QuickBooksState = field(default_factory=seeded.initial)
    offset: timedelta = timedelta(0)
    populated: int = 0
    version: int = field(default=1)
