"""One running sandbox: its state and the instruments around it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tieline_sandbox.clock import Clock
from tieline_sandbox.faults import Faults
from tieline_sandbox.gate import Latency
from tieline_sandbox.jwts import SigningKey, new_key
from tieline_sandbox.log import RequestLog
from tieline_sandbox.notices import Outbox
from tieline_sandbox.quickbooks.limits import Limiter as QuickBooksLimiter
from tieline_sandbox.quickbooks.service import PREFIX as QUICKBOOKS
from tieline_sandbox.quickbooks.service import Service as QuickBooksService
from tieline_sandbox.state import State
from tieline_sandbox.store import Store, load
from tieline_sandbox.xero import seeded
from tieline_sandbox.xero.limits import Limiter
from tieline_sandbox.xero.provider import PREFIX
from tieline_sandbox.xero.service import Service
from tieline_sandbox.xero.signing import Signer


class Sandbox:
    """Everything that the applications of one process share."""

    def __init__(self, *, public_url: str, state_file: Path | None = None) -> None:
        loaded = load(state_file) if state_file else None
        self.state = loaded or State(xero=seeded.initial(new_key()))
        self.public_url = public_url.rstrip("/")
        self.clock = Clock(self.state.offset)
        self.log = RequestLog()
        self.faults = Faults()
        self.latency = Latency()
        self.store = Store(state_file, self._snapshot)
        self.xero_outbox, self.quickbooks_outbox = Outbox(), Outbox()
        key = SigningKey(self.state.xero.signing_key)
        self.xero = Service(
            current=lambda: self.state.xero,
            clock=self.clock,
            signer=Signer(key, self.public_url + PREFIX),
            limiter=Limiter(),
        )
        self.quickbooks = QuickBooksService(
            current=lambda: self.state.quickbooks,
            clock=self.clock,
            key=key,
            limiter=QuickBooksLimiter(),
            base=self.public_url + QUICKBOOKS,
        )
        self.store.changed()

    def reset(self) -> None:
        """Back to the beginning; tokens given out before are unknown from now on."""
        self.state = State(xero=seeded.initial(self.state.xero.signing_key))
        self.clock.set(timedelta(0))
        self.faults.clear()
        self.log.clear()
        self.latency.put(0)
        self.xero_outbox, self.quickbooks_outbox = Outbox(), Outbox()
        self.xero.limiter.reset()
        self.quickbooks.limiter.reset()

    def _snapshot(self) -> State:
        self.state.offset = self.clock.offset
        return self.state
