"""The hooks that Tieline calls in plugins, and the mark by which a plugin offers one."""

from __future__ import annotations

import pluggy

from tieline.plugins.contract import Provider

PROJECT = "tieline"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def tieline_provider() -> Provider:  # type: ignore[empty-body]
    """Called once in each process, at its start, for the plugin's provider: no I/O, no settings, no threads here."""
