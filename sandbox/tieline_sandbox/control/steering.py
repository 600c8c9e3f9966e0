"""How it behaves: clock, faults, limits, delays, and the log of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from tieline_sandbox.codec import Malformed, decode, encode, merge
from tieline_sandbox.control.endpoint import Asked, Handlers, Unknown
from tieline_sandbox.faults import Plan
from tieline_sandbox.sandbox import Sandbox


def health(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"status": "ok", "now": sandbox.clock.now()}


def reset(sandbox: Sandbox, _asked: Asked) -> Any:
    sandbox.reset()
    return {}


@dataclass(frozen=True, kw_only=True)
class _Move:
    offset_seconds: timedelta | None = None
    advance_seconds: timedelta | None = None


def move_clock(sandbox: Sandbox, asked: Asked) -> Any:
    move: _Move = decode(_Move, asked.body)
    if (move.offset_seconds is None) == (move.advance_seconds is None):
        raise Malformed("", "must hold either offset_seconds or advance_seconds")
    if move.offset_seconds is not None:
        sandbox.clock.set(move.offset_seconds)
    if move.advance_seconds is not None:
        sandbox.clock.advance(move.advance_seconds)
    return show_clock(sandbox, asked)


def show_clock(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"now": sandbox.clock.now(), "offset_seconds": sandbox.clock.offset}


def plant(sandbox: Sandbox, asked: Asked) -> Any:
    plan: Plan = decode(Plan, asked.body)
    if plan.times < 1 or plan.after < 0:
        raise Malformed("times", "must be at least 1, and after at least 0")
    if plan.fault.kind == "fault":
        plan = replace(plan, provider="quickbooks")
    xero, quickbooks = sandbox.state.xero, sandbox.state.quickbooks
    user = (xero.person(plan.user) or quickbooks.person(plan.user)) if plan.user else None
    if plan.user and user is None:
        raise Unknown("user", plan.user)
    tenant_id = plan.organisation.lower() if plan.organisation else None
    return {"id": sandbox.faults.plant(replace(plan, user=user.id if user else None, organisation=tenant_id))}


def planted(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"faults": [{"id": number, **encode(plan)} for number, plan in sandbox.faults.planted()]}


def unplant(sandbox: Sandbox, _asked: Asked) -> Any:
    sandbox.faults.clear()
    return {}


def log(sandbox: Sandbox, asked: Asked) -> Any:
    """Entries in the order in which the calls came; those still in flight have no status yet."""
    query = asked.query
    try:
        after = int(query.get("after", "0"))
    except ValueError as error:
        raise Malformed("after", "must be a whole number") from error
    found = sandbox.log.entries(
        after=after, organisation=query.get("organisation"), endpoint=query.get("endpoint")
    )
    shown = [{name: value for name, value in encode(entry).items() if name != "family"} for entry in found]
    return {"entries": shown, "last": sandbox.log.last}


def clear_log(sandbox: Sandbox, _asked: Asked) -> Any:
    sandbox.log.clear()
    return {"last": sandbox.log.last}


def put_limits(sandbox: Sandbox, asked: Asked) -> Any:
    limiter = sandbox.xero.limiter
    limiter.limits = merge(limiter.limits, asked.body)
    return limiter.limits


def show_limits(sandbox: Sandbox, _asked: Asked) -> Any:
    return sandbox.xero.limiter.limits


def counters(sandbox: Sandbox, _asked: Asked) -> Any:
    return {"organisations": sandbox.xero.limiter.counts}


@dataclass(frozen=True, kw_only=True)
class _Delay:
    seconds: float


def put_latency(sandbox: Sandbox, asked: Asked) -> Any:
    delay: _Delay = decode(_Delay, asked.body)
    sandbox.latency.put(delay.seconds)
    return {field.name: getattr(delay, field.name) for field in fields(delay)}


HANDLERS: Handlers = {
    ("GET", "/health"): health,
    ("POST", "/reset"): reset,
    ("GET", "/clock"): show_clock,
    ("POST", "/clock"): move_clock,
    ("GET", "/faults"): planted,
    ("POST", "/faults"): plant,
    ("DELETE", "/faults"): unplant,
    ("GET", "/log"): log,
    ("DELETE", "/log"): clear_log,
    ("GET", "/limits"): show_limits,
    ("PUT", "/limits"): put_limits,
    ("GET", "/counters"): counters,
    ("PUT", "/latency"): put_latency,
}
