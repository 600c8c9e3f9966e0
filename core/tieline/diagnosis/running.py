"""Which of Tieline's processes are connected, and which of those that are needed are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from tieline.diagnosis.finding import Finding, counted, fine, look, mend
from tieline.processes import Running
from tieline.work.actor import QUEUES

_WHAT = "processes"
_COMMANDS = ("serve", "scheduler")


def look_at_processes(seen: Collection[Running], *, sees_all: bool) -> Finding:
    """`sees_all`: Redis has told; an idle worker has a connection there, and none to the database."""
    remedy = _to_start(seen)
    roles = Counter(_called(each) for each in seen)
    said = ", ".join(counted(number, role, role) for role, number in sorted(roles.items())) or "none"
    if remedy is None:
        return fine(_WHAT, said)
    if not sees_all:
        return look(_WHAT, f"{said} to be seen, and Redis does not list its clients", remedy)
    return mend(_WHAT, said, remedy) if seen else look(_WHAT, "none is connected", remedy)


def _called(process: Running) -> str:
    return " ".join(filter(None, (process.role, " and ".join(sorted(process.queues)))))


def _to_start(seen: Collection[Running]) -> str | None:
    roles = {each.role for each in seen}
    served = {queue for each in seen for queue in each.queues}
    wanted = [f"'tieline {role}'" for role in _COMMANDS if role not in roles]
    wanted += [f"'tieline worker --queues {queue}'" for queue in QUEUES if queue not in served]
    return f"Start {', '.join(wanted)}: one of each at least has to run." if wanted else None
