"""PostgreSQL and Redis: do they answer and take what is written, are they set as they should be, do clocks agree."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import redis

from tieline.database import schema_state
from tieline.database.address import connected, credentials
from tieline.database.connect import check_version
from tieline.database.roles import remedy
from tieline.diagnosis import repository
from tieline.diagnosis.finding import Finding, fine, look, mend, unfit
from tieline.errors import StartRefused
from tieline.processes import Running, read_name
from tieline.settings import Settings
from tieline.work.doorbell import make_broker

_APART_SECONDS = 2.0
_SECONDS = 5.0
_CROWDED = 0.8
_KEY = "tieline:doctor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Redis:
    """What Redis told. `running` is None where it lists its clients to nobody."""

    findings: tuple[Finding, ...]
    running: tuple[Running, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Postgres:
    """What the server told; the login may be unfit still. `serves`: it answers, and is new enough."""

    findings: tuple[Finding, ...]
    serves: bool = True
    running: tuple[Running, ...] = field(default=())


async def look_at_redis(settings: Settings) -> Redis:
    try:
        with closing(make_broker(settings)) as broker:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.to_thread(_redis, broker.client)
    except StartRefused as refused:
        return Redis(findings=(unfit("Redis", refused),))
    except redis.AuthenticationError:
        remedy = "Put the password, and the user where there is one, into TIELINE_REDIS_URL."
        return Redis(findings=(mend("Redis", "does not let Tieline in", remedy),))
    except redis.ResponseError as refused:
        said = f"answers, but takes nothing: {str(refused).rstrip('.')}"
        remedy = "Give it memory or disk, or make it the writable one; until then jobs are slow to start."
        return Redis(findings=(mend("Redis", said, remedy),))
    except (TimeoutError, redis.RedisError):
        remedy = "Check TIELINE_REDIS_URL and that the server runs; until it answers, jobs wait."
        return Redis(findings=(mend("Redis", "does not answer", remedy),))


def _redis(client: redis.Redis) -> Redis:
    client.set(_KEY, "1", ex=1)
    before = time.time()
    seconds, micros = client.time()
    apart = abs(seconds + micros / 1_000_000 - (before + time.time()) / 2)
    told = _info(client)
    version = told.get("valkey_version") or told.get("redis_version", "unknown")
    findings = (fine("Redis", f"answers, version {version}"), *_evicting(told), *clock_of("Redis", apart))
    return Redis(findings=findings, running=_clients(client))


def _info(client: redis.Redis) -> Mapping[str, Any]:
    """What it tells of itself; nothing where that is not for everybody, such as where Redis is rented."""
    try:
        told: Mapping[str, Any] = client.info()
    except redis.ResponseError:
        return {}
    return told


def _evicting(told: Mapping[str, Any]) -> list[Finding]:
    policy = told.get("maxmemory_policy", "noeviction")
    if policy == "noeviction" or not told.get("maxmemory"):
        return []
    said = f"maxmemory-policy is {policy}: counts of calls may go, and then providers refuse calls"
    return [look("Redis, memory", said, "Set maxmemory-policy to noeviction, for Tieline's server at least.")]


def _clients(client: redis.Redis) -> tuple[Running, ...] | None:
    """The processes that are connected to our database of it; None where that is not for everybody."""
    ours = str(client.connection_pool.connection_kwargs.get("db", 0))
    try:
        listed = client.client_list()
    except redis.ResponseError:
        return None
    seen = (read_name(each["name"]) for each in listed if each["db"] == ours)
    return tuple({each for each in seen if each is not None})


def clock_of(server: str, apart: float) -> list[Finding]:
    """Nothing where it is near enough to this machine's, in seconds."""
    if apart <= _APART_SECONDS:
        return []
    said = f"{apart:.0f} seconds apart from this machine's"
    return [mend(f"{server}, clock", said, "Have all machines set their clocks by NTP.")]


async def look_at_postgres(settings: Settings) -> Postgres:
    try:
        async with connected(settings) as connection:
            check_version(connection.get_server_version().major)
            before = time.time()
            server = await repository.server(connection)
            apart = abs(server.now - (before + time.time()) / 2)
    except StartRefused as refused:
        return Postgres(findings=(unfit("PostgreSQL", refused),), serves=False)
    findings = (
        fine("PostgreSQL", f"answers, version {server.version}"),
        seats(server.taken, server.most),
        *clock_of("PostgreSQL", apart),
    )
    seen = map(read_name, server.names)
    return Postgres(findings=findings, running=tuple({each for each in seen if each is not None}))


def seats(taken: int, most: int) -> Finding:
    """Whether there is room for more connections."""
    said = f"{taken} of {most} are taken"
    if taken <= most * _CROWDED:
        return fine("connections", said)
    remedy = "Raise max_connections, or lower TIELINE_DATABASE_POOL_SIZE: it counts for each process."
    return mend("connections", said, remedy)


async def look_at_roles(settings: Settings, refused: StartRefused) -> Finding:
    """What an administrator has to run so that the login is fit."""
    try:
        async with connected(settings) as connection:
            statements = await remedy(connection)
    except StartRefused as away:
        return unfit("PostgreSQL", away)
    name = credentials(settings)["database"]
    run = f"As an administrator of the server, in the database {name}, run:"
    return unfit("login and roles", refused, run, *(f"  {statement};" for statement in statements))


async def look_at_schema() -> Finding:
    try:
        state = await schema_state()
    except StartRefused as refused:
        return unfit("schema", refused)
    refusal = state.refusal()
    if refusal is not None:
        return unfit("schema", refusal)
    return fine("schema", f"current, {state.applied[-1]}")
