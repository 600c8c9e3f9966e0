"""Which plugins are loaded, and the one sentence with which each that does not fit is refused.

The distributions are real: folders on the path, with modules and the metadata that an installer writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.providers import FEED, abacus
from tieline.errors import StartRefused
from tieline.plugins import InstalledPlugin, Product, Registry, load
from tieline.plugins.contract import Feed

GOOD = """
from tests.plugins.providers import abacus
from tieline.plugins import hookimpl

@hookimpl
def tieline_provider():
    return abacus(slug={slug!r}, contract_version={version})
"""
ONLY = frozenset({"abacus"})


@dataclass(frozen=True)
class Folder:
    """Where packages are installed for one test."""

    path: Path

    def install(
        self, code: str, *, slug: str = "abacus", distribution: str = "tieline-abacus", module: str = ""
    ) -> str:
        module = module or f"plugin_{distribution.replace('-', '_')}"
        (self.path / f"{module}.py").write_text(code)
        metadata = self.path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[tieline.plugins]\n{slug} = {module}\n")
        return module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield Folder(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]


def good(slug: str = "abacus", *, version: int = 1) -> str:
    return GOOD.format(slug=slug, version=version)


def returning(value: str) -> str:
    return good().replace("abacus(slug='abacus', contract_version=1)", value)


def test_a_plugin_that_is_installed_is_found_with_what_is_known_of_it(folder: Folder) -> None:
    folder.install(good("zebra"), slug="zebra", distribution="tieline-zebra")
    folder.install(good())

    registry = load(frozenset({"zebra", "abacus"}))

    assert [provider.info.slug for provider in registry] == ["abacus", "zebra"]
    assert registry.get("zebra") == abacus(slug="zebra")
    assert registry.get("unknown") is None
    assert registry.plugins == tuple(
        InstalledPlugin(
            slug=slug, name="Abacus", distribution=f"tieline-{slug}", version="1.2", contract_version=1
        )
        for slug in ("abacus", "zebra")
    )


def test_without_a_list_every_plugin_is_loaded(folder: Folder) -> None:
    folder.install(good())

    assert {"abacus", "xero"} <= {provider.info.slug for provider in load(None)}


def test_an_empty_list_allows_none(folder: Folder) -> None:
    folder.install("raise AssertionError('imported')")

    assert len(load(frozenset())) == 0


def test_what_the_list_does_not_name_is_not_even_imported(folder: Folder) -> None:
    module = folder.install("raise AssertionError('imported')", slug="zebra", distribution="tieline-zebra")
    folder.install(good())

    load(ONLY)

    assert module not in sys.modules


BEGINNING = "The plugin 'abacus' of tieline-abacus "
ANOTHER = "): install a version that fits, or remove it."


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "import not_installed_anywhere",
            "cannot be imported (ModuleNotFoundError: No module named 'not_installed_anywhere'): mend or remove it.",
        ),
        ("raise SystemError", "cannot be imported (SystemError): mend or remove it."),
        ("def broken(:", "cannot be imported (SyntaxError: "),
        (
            "",
            "does not fit (it has no hook tieline_provider that returns a provider" + ANOTHER,
        ),
        (
            good().replace("@hookimpl", ""),
            "does not fit (it has no hook tieline_provider that returns a provider" + ANOTHER,
        ),
        (
            good().replace("tieline_provider", "tieline_providr"),
            "has a hook that Tieline does not know (PluginValidationError: unknown hook 'tieline_providr' in plugin ",
        ),
        (
            good().replace("provider()", "provider(settings)"),
            "has a hook that Tieline does not know (PluginValidationError: Plugin 'abacus' for hook 'tieline_provider'",
        ),
        (
            returning("None"),
            "does not fit (it has no hook tieline_provider that returns a provider" + ANOTHER,
        ),
        (returning("1 / 0"), "failed in its hook (ZeroDivisionError: division by zero): mend or remove it."),
        (
            returning("object()"),
            "does not fit (it is no provider, because its 'info' is no ProviderInfo or its 'oauth' no OAuth"
            + ANOTHER,
        ),
        (
            returning("type('Half', (), {'info': abacus().info, 'oauth': abacus().oauth, 'subject': 1})()"),
            "does not fit (it is no provider, because it lacks limits, remaining, classify, subject",
        ),
        (
            good(version=2),
            "does not fit (it speaks contract 2, this Tieline speaks 1" + ANOTHER,
        ),
        (
            good("zebra"),
            "does not fit (its entry point has to bear its slug, which is 'zebra'" + ANOTHER,
        ),
        (
            good("Abacus"),
            "does not fit (its slug 'Abacus' is not 2 to 32 of lower-case letters, digits and '_' with a letter first"
            + ANOTHER,
        ),
    ],
)
def test_a_plugin_that_does_not_fit_stops_the_start_with_a_sentence(
    folder: Folder, code: str, sentence: str
) -> None:
    folder.install(code)

    with pytest.raises(StartRefused) as refused:
        load(ONLY)

    assert str(refused.value).startswith(BEGINNING + sentence)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_two_distributions_with_one_slug_are_both_named_and_neither_is_imported(folder: Folder) -> None:
    modules = [
        folder.install("raise AssertionError", distribution=name) for name in ("one-abacus", "two-abacus")
    ]

    with pytest.raises(StartRefused) as refused:
        load(None)

    assert str(refused.value) == (
        "The plugin 'abacus' is there more than once, in one-abacus and two-abacus: keep one of them."
    )
    assert not set(modules) & set(sys.modules)


def test_a_name_on_the_list_that_is_not_installed_stops_the_start(folder: Folder) -> None:
    folder.install(good())

    with pytest.raises(StartRefused) as refused:
        load(frozenset({"abacus", "sage"}))

    assert str(refused.value) == (
        "TIELINE_PLUGINS names the plugin 'sage', which is not installed: install it, or take it off the list."
    )


def other(**changes: Any) -> Feed:
    return Feed(
        **{
            "name": FEED.name,
            "datasets": FEED.datasets,
            "kind": FEED.kind,
            "every": FEED.every,
            **changes,
        }
    )


BOTH = (Product.BOOKKEEPING, Product.DATA_HEALTH)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"slug": "a"}, "its slug 'a' is not"),
        ({"slug": "1a"}, "its slug '1a' is not"),
        ({"slug": "a-b"}, "its slug 'a-b' is not"),
        ({"slug": "a" * 33}, "its slug 'a"),
        ({"slug": "ab\n"}, "its slug 'ab"),
        ({"name": " "}, "it has no name"),
        ({"products": ()}, "it needs at least one product"),
        ({"products": (Product.BOOKKEEPING, Product.BOOKKEEPING)}, "each once"),
        ({"feeds": {Product.DATA_HEALTH: (FEED,)}}, "it has feeds for a product that it does not have"),
        ({"feeds": {Product.BOOKKEEPING: (FEED, FEED)}}, "two feeds of one product have the same name"),
        ({"feeds": {Product.BOOKKEEPING: (other(datasets=()),)}}, "needs a name, a dataset and an interval"),
        (
            {"feeds": {Product.BOOKKEEPING: (other(every=timedelta(0)),)}},
            "needs a name, a dataset and an interval",
        ),
        (
            {"feeds": {Product.BOOKKEEPING: (other(whole_every=timedelta(0)),)}},
            "cannot be read whole at every moment",
        ),
        ({"products": BOTH}, "each of its products needs an entry in product_scopes"),
        (
            {
                "products": BOTH,
                "feeds": {Product.BOOKKEEPING: (FEED,), Product.DATA_HEALTH: (other(datasets=("a", "b")),)},
            },
            "two products use one name for two different feeds",
        ),
    ],
)
def test_data_that_makes_no_sense_is_refused(changes: dict[str, Any], flaw: str) -> None:
    with pytest.raises(StartRefused, match=flaw):
        Registry.of(abacus(**changes))


@pytest.mark.parametrize("slug", ["ab", "a_1", "x" * 32])
def test_a_slug_of_the_right_form_is_taken(slug: str) -> None:
    assert Registry.of(abacus(slug=slug)).get(slug) == abacus(slug=slug)


def test_providers_given_by_hand_are_in_order_and_unlike() -> None:
    registry = Registry.of(abacus(slug="zebra"), abacus())

    assert [provider.info.slug for provider in registry] == ["abacus", "zebra"]
    with pytest.raises(StartRefused, match="'abacus' is there more than once"):
        Registry.of(abacus(), abacus())
