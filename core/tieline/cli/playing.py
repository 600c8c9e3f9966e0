"""The sandbox beside `tieline up`, where it is installed: its process, its place, and the demo's app at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tieline.cli import build
from tieline.cli.children import Child
from tieline.cli.story.api import BrokeOff
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.stage import CLIENT_ID, TIER, register_app, register_callback, set_stage
from tieline.credentials.apps import service as apps
from tieline.embedded import write_private
from tieline.embedded.process import free_port, is_taken
from tieline.errors import StartRefused
from tieline.host import host
from tieline.ids import PracticeId
from tieline.lifespan import ready
from tieline.settings import Settings
from tieline.vault import Secret

PROVIDER = "xero"
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
    """See to it that the practice has its app at the sandbox, and the sandbox its people; whether that is new.

    Raises NoStory and StartRefused.
    """
    try:
        with Sandbox(url=house.url) as sandbox:
            secret = Secret(register_app(sandbox))
            entered = asyncio.run(_enter(settings, practice_id, secret, sandbox.xero))
            register_callback(sandbox, entered.callback_url)
            if not told:
                set_stage(sandbox, is_first=entered.is_new)
    except BrokeOff as broken:
        raise StartRefused(str(broken)) from broken
    return entered.is_new


@dataclass(frozen=True, kw_only=True)
class _Entered:
    """The practice's app, as it is known here."""

    callback_url: str
    is_new: bool


async def _enter(settings: Settings, practice_id: PracticeId, secret: Secret, address: str) -> _Entered:
    async with ready(settings):
        if host().registry.get(PROVIDER) is None:
            raise NoStory("No story: the plugin for Xero is not loaded.")
        found = next((app for app in await apps.list_apps(practice_id) if app.provider == PROVIDER), None)
        if found is None:
            app = await apps.add_app(practice_id, _new_app(secret, address))
        elif (found.base_url, found.client_id) == (address, CLIENT_ID):
            app = await apps.rotate_secret(practice_id, PROVIDER, secret)
        else:
            place = found.base_url or "Xero itself"
            raise NoStory(f"No story: the demo practice has an app at {place}, and it is left alone.")
        return _Entered(callback_url=host().callback_url(PROVIDER, app.id), is_new=found is None)


def _new_app(secret: Secret, address: str) -> apps.NewApp:
    return apps.NewApp(
        provider=PROVIDER,
        client_id=CLIENT_ID,
        secret=secret,
        bulk_consent=True,
        tier=TIER,
        sandbox_url=address,
    )
