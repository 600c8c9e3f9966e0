"""What leads to the books: apps at providers, the seals of secrets, the renewal of tokens, the connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tieline import clock
from tieline.database import system_scope
from tieline.diagnosis import repository
from tieline.diagnosis.finding import Finding, counted, fine, look, mend
from tieline.diagnosis.repository import BadApp
from tieline.plugins.registry import Registry
from tieline.vault import Vault

_SHOWN = 5
_RENEWED_WITHIN = timedelta(hours=1)


async def look_at_access(vault: Vault | None, registry: Registry | None) -> list[Finding]:
    """Everything between a person's consent and the books; no seals without a ring. Raises Unavailable."""
    loaded = [] if registry is None else [provider.info.slug for provider in registry]
    async with system_scope():
        seals = await repository.seals()
        apps = await repository.apps()
        bad = await repository.bad_apps(loaded=loaded, limit=_SHOWN)
        late = await repository.not_renewed(since=clock.now() - _RENEWED_WITHIN)
        standings = await repository.standings()
    sealed = [] if vault is None else [_seals(vault, seals)]
    return [*sealed, _apps(apps, bad), _renewals(late), _connections(standings)]


def _seals(vault: Vault, seals: dict[str, int]) -> Finding:
    gone = {key_id: number for key_id, number in sorted(seals.items()) if key_id not in vault.keys}
    if gone:
        said = f"{counted(sum(gone.values()), 'secret')} of keys that are not in the ring: {', '.join(gone)}"
        return mend(
            "seals", said, "Put these keys back into TIELINE_ENCRYPTION_KEYS, behind the one that seals."
        )
    first, *others = vault.keys
    said = f"{counted(sum(seals.values()), 'secret')}, all of them open"
    old = [key_id for key_id in others if key_id in seals]
    idle = [key_id for key_id in others if key_id not in seals]
    if old:
        return look("seals", f"{said}; some are of {', '.join(old)}", "Run 'tieline keys rotate'.")
    free = f"; {', '.join(idle)} can be taken out of the ring" if idle else f", by {first}"
    return fine("seals", said + free)


def _apps(number: int, bad: Sequence[BadApp]) -> Finding:
    said = counted(number, "app") + " at providers"
    if not bad:
        return fine("apps", said)
    lines = [_what_to_do(each) for each in bad]
    return mend("apps", f"{said}; of no use, the first {_SHOWN}:", *lines)


def _what_to_do(app: BadApp) -> str:
    if app.fault is None:
        return (
            f"{app.practice}, {app.provider}: install this provider's plugin, or name it in TIELINE_PLUGINS."
        )
    return f"{app.practice}, {app.provider}: it answers {app.fault}; see 'tieline app list', then 'tieline app rotate'."


def _renewals(late: int) -> Finding:
    if not late:
        return fine("tokens", "renewed when it is time")
    said = f"those of {counted(late, 'login')} could not be renewed for an hour"
    return look("tokens", said, "credential.not_refreshed in the log of workers says why.")


def _connections(standings: Sequence[tuple[str, int]]) -> Finding:
    """Nothing that an operator mends: people reconnect."""
    return fine("connections of clients", ", ".join(f"{number} {why}" for why, number in standings) or "none")
