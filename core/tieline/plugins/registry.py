"""The providers that are installed: found by entry points, loaded through their hook, refused with a sentence.

entry point ── allowed? ── import ── hook ── contract version ── slug, feeds ── settings ── Registry
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from tieline.errors import StartRefused
from tieline.plugins import hookspecs
from tieline.plugins.contract import Provider
from tieline.plugins.settings import values_of
from tieline.plugins.validation import flaw_of

GROUP = "tieline.plugins"
_ANOTHER = "install a version that fits, or remove it"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPlugin:
    """What is known of a plugin that was loaded; `distribution` is the package it came with."""

    slug: str
    name: str
    distribution: str
    version: str
    contract_version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """The providers of this process by slug."""

    plugins: tuple[InstalledPlugin, ...]
    _providers: Mapping[str, Provider]

    @classmethod
    def of(cls, *providers: Provider) -> Registry:
        """These providers and no other, whatever is installed. Raises StartRefused."""
        return _registry([(provider, type(provider).__module__, "0") for provider in providers])

    def get(self, slug: str) -> Provider | None:
        return self._providers.get(slug)

    def __iter__(self) -> Iterator[Provider]:
        """Sorted by slug."""
        return iter(self._providers.values())

    def __len__(self) -> int:
        return len(self._providers)


def load(allowed: frozenset[str] | None) -> Registry:
    """Load the plugins that are installed, of them only the allowed ones where a list is given.

    The list names slugs, which are the names of entry points; what it does not name is not even imported.
    Raises StartRefused.
    """
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, _distribution(entry)))
    if allowed is not None:
        missing = allowed - {entry.name for entry in found}
        if missing:
            raise StartRefused(
                f"TIELINE_PLUGINS names the plugin {min(missing)!r}, which is not installed",
                "install it, or take it off the list",
            )
        found = [entry for entry in found if entry.name in allowed]
    _refuse_twins([(entry.name, _distribution(entry)) for entry in found])
    return _registry([(_provider(entry), _distribution(entry), _version(entry)) for entry in found])


def _registry(loaded: list[tuple[Provider, str, str]]) -> Registry:
    for provider, distribution, _ in loaded:
        flaw = flaw_of(provider)
        if flaw is not None:
            raise StartRefused(f"The plugin of {distribution} does not fit ({flaw})", _ANOTHER)
    loaded = sorted(loaded, key=lambda one: one[0].info.slug)
    _refuse_twins([(provider.info.slug, distribution) for provider, distribution, _ in loaded])
    return Registry(
        plugins=tuple(
            InstalledPlugin(
                slug=provider.info.slug,
                name=provider.info.name,
                distribution=distribution,
                version=version,
                contract_version=provider.info.contract_version,
            )
            for provider, distribution, version in loaded
        ),
        _providers={provider.info.slug: provider for provider, _, _ in loaded},
    )


def _provider(entry: EntryPoint) -> Provider:
    """What the plugin's hook returns, checked. Each plugin has a manager of its own, so that blame is certain."""
    called = f"The plugin {entry.name!r} of {_distribution(entry)}"
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        plugin = entry.load()
    except (Exception, SystemExit) as broken:
        raise StartRefused(f"{called} cannot be imported ({_said(broken)})", "mend or remove it") from broken
    try:
        manager.register(plugin, entry.name)
        manager.check_pending()
    except pluggy.PluginValidationError as unknown:
        raise StartRefused(
            f"{called} has a hook that Tieline does not know ({_said(unknown)})",
            "correct its name and arguments",
        ) from unknown
    try:
        provider = manager.hook.tieline_provider()
    except (Exception, SystemExit) as broken:
        raise StartRefused(f"{called} failed in its hook ({_said(broken)})", "mend or remove it") from broken
    flaw = (
        "it has no hook tieline_provider that returns a provider" if provider is None else flaw_of(provider)
    )
    if flaw is None and provider.info.slug != entry.name:
        flaw = f"its entry point has to bear its slug, which is {provider.info.slug!r}"
    if flaw is not None:
        raise StartRefused(f"{called} does not fit ({flaw})", _ANOTHER)
    return _settled(provider, called)


def _settled(provider: Any, called: str) -> Provider:
    """The provider as the operator's settings make it."""
    loaded: Provider = provider
    if not loaded.info.settings:
        return loaded
    values = values_of(loaded.info.settings, loaded.info.slug, os.environ)
    try:
        settled: Provider = provider.settled(values)
    except (Exception, SystemExit) as broken:
        raise StartRefused(
            f"{called} does not take its settings ({_said(broken)})", "mend or remove it"
        ) from broken
    flaw = flaw_of(settled)
    if flaw is not None:
        raise StartRefused(f"{called} does not fit with these settings ({flaw})", _ANOTHER)
    return settled


def _refuse_twins(named: list[tuple[str, str]]) -> None:
    counts = Counter(name for name, _ in named)
    for slug, count in sorted(counts.items()):
        if count > 1:
            owners = " and ".join(owner for name, owner in named if name == slug)
            raise StartRefused(
                f"The plugin {slug!r} is there more than once, in {owners}", "keep one of them"
            )


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown distribution"


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist is not None else "0"


def _said(error: BaseException) -> str:
    """Class and first line: a refusal is one sentence."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
