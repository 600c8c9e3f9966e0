"""The quota: no call goes to a provider before there is a place for it among all of its limits.

gate       what a session's calls pass: waits, or says when to come back
process    the quota of a process, with Redis or without
lines      those who wait in this process, in their order
script     the Lua script: all limits of a call at once, or none
memory     what Redis was called when we last looked: a wiped one is told again what it must know
careful    the little that goes on while Redis is away
months     what was counted of months and is to be written
looking    what Redis answers to whoever only looks
telling    what people are told of a quota
lasting    what outlives Redis: long blocks, days of months; `kept` and `repository` keep them in PostgreSQL
calls      a call, its limits and its keys
"""

from tieline.quota.calls import Call, Meter
from tieline.quota.gate import PATIENCE, RESERVE, RedisGate
from tieline.quota.kept import KeptInRows
from tieline.quota.lasting import Block, Counted, Forgetful, Lasting
from tieline.quota.process import Quota, metering
from tieline.quota.telling import LimitTold, QuotaTold, Source, tell

__all__ = [
    "PATIENCE",
    "RESERVE",
    "Block",
    "Call",
    "Counted",
    "Forgetful",
    "KeptInRows",
    "Lasting",
    "LimitTold",
    "Meter",
    "Quota",
    "QuotaTold",
    "RedisGate",
    "Source",
    "metering",
    "tell",
]
