"""All that the doctor looks at, in the order in which it is to be mended."""

from __future__ import annotations

from tieline.database import close_database, open_database
from tieline.database.scope import use_movable_clock
from tieline.diagnosis.access import look_at_access
from tieline.diagnosis.environment import Environment, look_at_environment, look_at_keys
from tieline.diagnosis.finding import Finding, fine
from tieline.diagnosis.running import look_at_processes
from tieline.diagnosis.servers import look_at_postgres, look_at_redis, look_at_roles, look_at_schema
from tieline.diagnosis.settings import look_at_issuer, look_at_plugins, look_at_public_url
from tieline.diagnosis.work import look_at_work
from tieline.errors import StartRefused
from tieline.plugins.registry import Registry
from tieline.settings import Settings
from tieline.vault import Vault


async def diagnose(environment: Environment) -> list[Finding]:
    """All findings; what cannot be looked at because something before it is broken is left out."""
    settings = environment.settings
    keys, vault = look_at_keys(settings)
    plugins, registry = look_at_plugins(settings)
    redis, postgres = await look_at_redis(settings), await look_at_postgres(settings)
    findings = [look_at_environment(environment), keys, plugins]
    if "public_url" not in environment.unread:
        findings.append(await look_at_public_url(settings))
    findings += [*await look_at_issuer(settings), *redis.findings, *postgres.findings]
    if not postgres.serves:
        return findings
    inside = await _look_inside(settings, registry, vault)
    seen = {*postgres.running, *(redis.running or ())}
    return [*findings, *inside, look_at_processes(seen, sees_all=redis.running is not None)]


async def _look_inside(settings: Settings, registry: Registry | None, vault: Vault | None) -> list[Finding]:
    """What the tables say, where the login may read them and they are those that this version knows."""
    try:
        await open_database(settings)
    except StartRefused as refused:
        return [await look_at_roles(settings, refused)]
    try:
        use_movable_clock(movable=settings.clock == "movable")
        roles, schema = fine("login and roles", "row-level security binds the login"), await look_at_schema()
        if not schema.fine:
            return [roles, schema]
        return [roles, schema, *await look_at_work(), *await look_at_access(vault, registry)]
    finally:
        await close_database()
