"""Front ends in Node that follow everything by the recipes of docs/frontends.md, run as they are printed there.

recipes(url)  ── modules, one for each recipe, in which nothing but the address is another
install(…)    ── the packages that package-lock.json names, from npm
Office.open() ── one page, with a key of its own, as a process
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.editing import Event
from tests.support.polling import until
from tests.support.source import ROOT

PRINTED = ROOT / "docs" / "frontends.md"
NPM = Path(__file__).with_name("npm")
FOLLOWING = ("sockets", "urql", "apollo")
"""Recipes that go on from their last cursor."""

_BLOCK = re.compile(r"^```(?:js|graphql)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_GIVEN = 'import { EVENTS, key, token } from "./given.mjs";\n'
_SOCKETS = _GIVEN + 'import { closeCode, sockets } from "./sockets.mjs";\n'
_MODULES = {  # what the page takes as given, how the block is known, and what it does not export itself
    "events.graphql": ("", "connectionEvents(after: $after)", ""),
    "follow.mjs": ("", "export async function follow(", ""),
    "sockets.mjs": (_GIVEN, "export const sockets = createClient(", ""),
    "urql.mjs": (_SOCKETS, "export const urql = new Client(", ""),
    "apollo.mjs": (_SOCKETS, "export const apollo = new ApolloClient(", ""),
    "alone.mjs": (
        'import { createClient } from "graphql-ws";\n' + _GIVEN,
        "shouldRetry:",
        "export { client };\n",
    ),
}
_ADDRESS = re.compile(r'"(http|ws)s?://[\w.:]+/graphql"')
_PROGRAMS = Path(sysconfig.get_path("scripts"))
_INSTALL_SECONDS = 300
_WAIT_SECONDS = 180.0


def recipes(url: str) -> dict[str, str]:
    """The modules by the names of their files; `url` is the gateway's, and begins with http."""
    blocks = _BLOCK.findall(PRINTED.read_text(encoding="utf-8"))
    made = {}
    for name, (before, mark, after) in _MODULES.items():
        [block] = [each for each in blocks if mark in each]
        made[name] = before + _ADDRESS.sub(lambda found: f'"{_at(url, found[1])}"', block) + after
    return made


def _at(url: str, scheme: str) -> str:
    return f"{scheme}{url.removeprefix('http')}/graphql"


def install(folder: Path, url: str) -> None:
    """Everything that pages need to run: their code, and packages from npm."""
    shutil.copytree(NPM, folder, dirs_exist_ok=True)
    for name, code in recipes(url).items():
        (folder / name).write_text(code, encoding="utf-8")
    asked = [str(_PROGRAMS / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ended = subprocess.run(
        asked, cwd=folder, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS
    )
    assert ended.returncode == 0, ended.stderr


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page that runs; `key_file` has the key that it uses."""

    recipe: str
    key_file: Path
    output: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def key(self) -> str:
        return self.key_file.read_text(encoding="utf-8")

    def said(self, what: str) -> list[Any]:
        """What it has said of this, in its order."""
        return [line[what] for line in self.lines() if what in line]

    def lines(self) -> Iterator[Mapping[str, Any]]:
        for line in self.output.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)

    def is_over(self) -> bool:
        """Whether it has ended. One that broke off fails the test."""
        code = self.process.poll()
        assert code in {None, 0}, self.output.with_suffix(".errors").read_text(encoding="utf-8")
        return code == 0


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where pages are opened."""

    folder: Path
    url: str
    pages: list[Page] = field(default_factory=list)

    def open(self, recipe: str, key: str) -> Page:
        name = f"{recipe}-{len(self.pages)}"
        key_file, output = self.folder / f"{name}.key", self.folder / f"{name}.said"
        key_file.write_text(key, encoding="utf-8")
        environment = {"KEY_FILE": str(key_file)}
        with output.open("wb") as said, output.with_suffix(".errors").open("wb") as errors:
            process = subprocess.Popen(
                [_PROGRAMS / "node", "page.mjs", recipe],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.PIPE,  # which ends with us, however that ends, and the page with it
                stdout=said,
                stderr=errors,
            )
        self.pages.append(Page(recipe=recipe, key_file=key_file, output=output, process=process))
        return self.pages[-1]


@contextmanager
def office(folder: Path, url: str) -> Iterator[Office]:
    """With the packages installed. Pages that are open at its end are closed."""
    folder.mkdir()
    install(folder, url)
    made = Office(folder=folder, url=url)
    try:
        yield made
    finally:
        for page in made.pages:
            with page.process as process:
                process.kill()


async def until_all(pages: Sequence[Page], holds: Callable[[Page], bool], what: str) -> None:
    async def all_of_them() -> bool:
        return all(holds(page) for page in pages)

    await until(all_of_them, f"every page {what}", seconds=_WAIT_SECONDS)


def heard(page: Page) -> list[Event]:
    """What it was told, each event once."""
    events = {cursor: (kind, client_id) for cursor, kind, client_id in page.said("event")}
    return list(events.values())


def versions() -> Sequence[tuple[str, str]]:
    """Packages and the versions that the printed page says it was run with."""
    said = re.findall(r"`([@\w/-]+)`\s+(\d+\.\d+)", PRINTED.read_text(encoding="utf-8"))
    return sorted(set(said))
