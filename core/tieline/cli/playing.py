"""The sandbox beside `tieline up`, where it is installed: its process, its place, and the demo's apps at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tieline.cli import build
from tieline.cli.children import Child
from tieline.cli.story.api import BrokeOff
from tieline.cli.story.played import EVERY, Played
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.stage import CLIENT_ID, register_app, register_callback, set_stage
from tieline.credentials.apps import service as apps
from tieline.credentials.apps.repository import App
from tieline.embedded import write_private
from tieline.embedded.process import free_port, is_taken
from tieline.errors import StartRefused
from tieline.host import host
from tieline.ids import PracticeId
from tieline.lifespan import ready
from tieline.settings import Settings
from tieline.vault import Secret

_LEFTOVER_SECONDS = 20.0


class NoStory(Exception):
    """The story is not told here; the message is a sentence that says why."""


@dataclass(frozen=True, kw_only=True)
class Playhouse:
    """Where the sandbox of a data folder is."""

    port: int
    state: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def health(self) -> str:
        return f"{self.url}/_control/health"

    def child(self, environment: Mapping[str, str], log: Path) -> Child:
        arguments = ["sandbox", "--port", str(self.port), "--state", str(self.state)]
        return Child(arguments=arguments, environment=environment, log=log)


def playhouse(data: Path) -> Playhouse | None:
    """The same place at each start, since consents lead there; None where no sandbox is installed.

    Raises StartRefused when somebody else has the port.
    """
    if all(command.name != "sandbox" for command in build().registered_commands):
        return None
    kept = data / "sandbox-port"
    if not kept.exists():
        write_private(kept, f"{free_port()}\n")
    port = int(kept.read_text())
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    while is_taken(port):  # perhaps by the sandbox of a start that was killed this moment
        if time.monotonic() > deadline:
            raise StartRefused(f"Port {port}, where the sandbox of {data} listens, is taken: free it.")
        time.sleep(0.1)
    return Playhouse(port=port, state=data / "sandbox.json")


def prepare_stage(settings: Settings, practice_id: PracticeId, house: Playhouse, *, told: bool) -> bool:
    """See to it that the practice has its apps at the sandbox, and the sandbox its people; whether they are new.

    Raises NoStory and StartRefused.
    """
    try:
        with Sandbox(url=house.url) as sandbox:
            secrets = {slug: Secret(register_app(sandbox, played)) for slug, played in EVERY.items()}
            entered = asyncio.run(_enter_all(settings, practice_id, sandbox, secrets))
            for slug, app in entered.items():
                register_callback(sandbox, EVERY[slug], app.callback_url)
            is_new = all(app.is_new for app in entered.values())
            if not told:
                set_stage(sandbox, is_first=is_new)
    except BrokeOff as broken:
        raise StartRefused(str(broken)) from broken
    return is_new


@dataclass(frozen=True, kw_only=True)
class _Entered:
    """One of the practice's apps, as it is known here."""

    callback_url: str
    is_new: bool


async def _enter_all(
    settings: Settings, practice_id: PracticeId, sandbox: Sandbox, secrets: Mapping[str, Secret]
) -> dict[str, _Entered]:
    """The apps by their providers' slugs. Raises NoStory, before anything is entered."""
    async with ready(settings):
        for played in EVERY.values():
            if host().registry.get(played.slug) is None:
                raise NoStory(f"No story: the plugin for {played.name} is not loaded.")
        there = {app.provider: app for app in await apps.list_apps(practice_id)}
        for slug, app in there.items():
            if slug in EVERY and (app.base_url, app.client_id) != (sandbox.address(EVERY[slug]), CLIENT_ID):
                place = app.base_url or f"{EVERY[slug].name} itself"
                raise NoStory(f"No story: the demo practice has an app at {place}, and it is left alone.")
        return {
            slug: await _enter(practice_id, EVERY[slug], sandbox, secret, there.get(slug))
            for slug, secret in secrets.items()
        }


async def _enter(
    practice_id: PracticeId, played: Played, sandbox: Sandbox, secret: Secret, there: App | None
) -> _Entered:
    if there is None:
        app = await apps.add_app(practice_id, _new_app(played, secret, sandbox.address(played)))
    else:
        app = await apps.rotate_secret(practice_id, played.slug, secret)
    return _Entered(callback_url=host().callback_url(played.slug, app.id), is_new=there is None)


def _new_app(played: Played, secret: Secret, address: str) -> apps.NewApp:
    return apps.NewApp(
        provider=played.slug, client_id=CLIENT_ID, secret=secret, sandbox_url=address, **played.app
    )
