"""The quota: no call goes to a provider before there is a place for it among all of its limits.

gate       what a session's calls pass: waits, or says when to come back
process    the quota of a process, with Redis or without
lines      those who wait in this process, in their order
script     the Lua script: all limits of a call at once, or none
memory     what Redis was called when we last looked: a wiped one is told again what it must know
careful    the little that goes on while Redis is away
months     what was counted of months and is to be written
lasting    what outlives Redis: long blocks, days of months; `kept` and `repository` keep them in PostgreSQL
calls      a call, its limits and its keys
"""

from tieline.quota.calls import Meter
from tieline.quota.gate import PATIENCE, RESERVE, RedisGate
from tieline.quota.kept import KeptInRows
from tieline.quota.lasting import Block, Counted, Forgetful, Lasting
from tieline.quota.process import Quota, metering

__all__ = [
    "PATIENCE",
    "RESERVE",
    "Block",
    "Counted",
    "Forgetful",
    "KeptInRows",
    "Lasting",
    "Meter",
    "Quota",
    "RedisGate",
    "metering",
]
