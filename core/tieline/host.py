"""What this process speaks to providers with: the plugins, keys, an HTTP client, the quota, our public address."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tieline.ids import AppId
from tieline.plugins import Registry
from tieline.quota import Quota
from tieline.vault import Vault
from tieline.webhooks.pace import Pace


@dataclass(frozen=True, kw_only=True)
class Host:
    """`origins` are the front ends that a sign-in may return to; `public_url` has no slash at its end.

    `pace` is how soon and how often what webhooks have touched is read.
    """

    registry: Registry
    vault: Vault
    client: httpx.AsyncClient
    quota: Quota
    public_url: str
    origins: frozenset[str]
    pace: Pace

    def callback_url(self, provider: str, app_id: AppId) -> str:
        """Where this app's provider sends browsers back to; it is registered there letter by letter."""
        return f"{self.public_url}/oauth/{provider}/{app_id}/callback"

    def webhook_url(self, provider: str, app_id: AppId) -> str:
        """Where this app's provider tells of changes."""
        return f"{self.public_url}/webhooks/{provider}/{app_id}"


_host: Host | None = None


def install(opened: Host | None) -> None:
    """Set what this process has; `tieline.lifespan` calls this, nobody else."""
    global _host  # noqa: PLW0603 - one process, one set of plugins
    _host = opened


def host() -> Host:
    """What this process has. A call before `lifespan.ready` is a bug."""
    if _host is None:
        raise RuntimeError("no plugins are open in this process: enter tieline.lifespan.ready first")
    return _host
