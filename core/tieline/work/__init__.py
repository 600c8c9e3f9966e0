"""Units of work: one transaction that changes rows, records events and queues jobs, all or nothing.

    unit_of_work ──┬── rows      through repositories
                   ├── events    work.event(...)    written with the rows, none skipped by a reader
                   ├── activity  work.did(...)      what the caller did: its events, and what is none
                   └── jobs      work.enqueue(...)  written with the rows, rung after the commit

A job row is the truth; the doorbell that Redis carries only saves the wait until the scheduler looks.
"""

from tieline.work.actor import Actor, Again, Lane, actor
from tieline.work.retry import retrying
from tieline.work.unit import Work, attempt, system_work, unit_of_work

__all__ = ["Actor", "Again", "Lane", "Work", "actor", "attempt", "retrying", "system_work", "unit_of_work"]
