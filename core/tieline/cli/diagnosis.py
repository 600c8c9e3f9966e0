"""What the doctor looks at, one finding a thing, each with the remedy where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from tieline import plugins, readiness
from tieline.database import close_database, open_database, schema_state
from tieline.database.address import connected, credentials
from tieline.database.roles import remedy
from tieline.database.scope import use_movable_clock
from tieline.errors import StartRefused
from tieline.settings import Settings
from tieline.work.doorbell import Doorbell, make_broker

_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    what: str
    fine: bool
    said: str
    remedy: tuple[str, ...] = ()


async def diagnose(settings: Settings) -> list[Finding]:
    """All findings; what cannot be looked at because something before it is broken is left out."""
    findings = [Finding(what="encryption keys", fine=True, said=f"{len(settings.vault.keys)} in the ring")]
    findings.append(_plugins(settings))
    findings.append(await _redis(settings))
    server = await _server(settings)
    findings.append(server)
    if not server.fine:
        return findings
    try:
        await open_database(settings)
    except StartRefused as refused:
        return [*findings, await _roles(settings, refused)]
    try:
        use_movable_clock(movable=settings.clock == "movable")
        findings.append(Finding(what="login and roles", fine=True, said="row-level security binds the login"))
        findings.append(await _schema())
        if findings[-1].fine:
            findings.append(await _jobs())
    finally:
        await close_database()
    return findings


def _plugins(settings: Settings) -> Finding:
    try:
        loaded = plugins.load(settings.allowed_plugins).plugins
    except StartRefused as refused:
        return Finding(what="plugins", fine=False, said=str(refused))
    if not loaded:
        mend = (
            "Install the providers' plugins, such as tieline-xero: without one, nothing can be connected.",
        )
        return Finding(what="plugins", fine=False, said="none is installed", remedy=mend)
    listed = ", ".join(f"{each.slug} ({each.distribution} {each.version})" for each in loaded)
    return Finding(what="plugins", fine=True, said=listed)


async def _redis(settings: Settings) -> Finding:
    if await Doorbell(make_broker(settings)).answers():
        return Finding(what="Redis", fine=True, said="answers")
    mend = ("Check TIELINE_REDIS_URL and that the server runs; until it answers, jobs wait.",)
    return Finding(what="Redis", fine=False, said="does not answer", remedy=mend)


async def _server(settings: Settings) -> Finding:
    try:
        async with connected(settings) as connection:
            version = await connection.fetchval("SHOW server_version")
    except StartRefused as refused:
        return Finding(what="PostgreSQL", fine=False, said=str(refused))
    return Finding(what="PostgreSQL", fine=True, said=f"answers, version {version}")


async def _roles(settings: Settings, refused: StartRefused) -> Finding:
    async with connected(settings) as connection:
        statements = await remedy(connection)
    name = credentials(settings)["database"]
    lines = (
        f"As an administrator of the server, in the database {name}, run:",
        *(f"  {statement};" for statement in statements),
    )
    return Finding(what="login and roles", fine=False, said=str(refused), remedy=lines if statements else ())


async def _schema() -> Finding:
    state = await schema_state()
    refusal = state.refusal()
    if refusal is not None:
        return Finding(what="schema", fine=False, said=str(refusal))
    return Finding(what="schema", fine=True, said=f"current, {state.applied[-1]}")


async def _jobs() -> Finding:
    backlog = await readiness.job_backlog()
    said = ", ".join(f"{lane.lane} {lane.due} due, {lane.running} running" for lane in backlog)
    failed = sum(lane.failed for lane in backlog)
    if not failed:
        return Finding(what="jobs", fine=True, said=said)
    latest = [f"{job.actor} ({job.job_id}): {job.error}" for job in await readiness.given_up(limit=_SHOWN)]
    mend = (*latest, "They are kept, and start anew when they are asked for again.")
    return Finding(what="jobs", fine=False, said=f"{said}; {failed} given up, the latest:", remedy=mend)
