"""`tieline up`: everything on this machine. Servers, schema, demo, processes; then the board, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from tieline import log
from tieline.cli.children import Child, Family
from tieline.cli.demo import Demo, ensure_demo
from tieline.cli.story import show_help, tell, wait_until_ready
from tieline.database import migrate
from tieline.embedded import Servers, default_data_folder, embedded_servers, write_private
from tieline.embedded.process import free_port, is_taken
from tieline.errors import StartRefused
from tieline.lifespan import ready
from tieline.settings import Settings, load_settings
from tieline.vault import generate_key
from tieline.work.actor import QUEUES

LOOK_SECONDS = 0.5
DEV_ORIGINS = "http://localhost:3000,http://localhost:5173"  # where front ends' development servers listen


class _Stopped(Exception):
    """SIGTERM, as an exception, so that everything is stopped on the way out."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this start keeps its things."""

    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


def run_up(*, data: Path | None, port: int, once: bool) -> int:
    """Start everything, tell the story; stay until Ctrl-C unless `once`. The exit code."""
    console = Console()
    if os.environ.get("TIELINE_ENVIRONMENT") == "production":
        raise StartRefused(
            "'tieline up' makes a demo practice, so it is not for production: "
            "run 'tieline migrate', 'serve', 'worker' and 'scheduler' there."
        )
    place = Place(data=data_folder(data), port=free_port() if once else port)
    try:
        if is_taken(place.port):
            raise StartRefused(f"Port {place.port} is taken: name another with --port.")
        with _stoppable(), ExitStack() as stack:
            servers = _servers(stack, place, console)
            settings = _settings(place, servers)
            stack.enter_context(_environment_file(place.data))
            demo = asyncio.run(_prepare(settings, place, console))
            family = stack.enter_context(Family(_children(place)))
            wait_until_ready(place.url, family)
            code = tell(console, place.url, demo)
            if not once:
                show_help(console, place.url, demo, data=place.data)
                _stay(console, servers, family)
    except (KeyboardInterrupt, _Stopped):
        console.print("Stopped; the data is kept in", str(place.data))
        return 0
    return code


def _servers(stack: ExitStack, place: Place, console: Console) -> Servers:
    console.print(f"[bold]Tieline[/] on this machine; data in {place.data}")
    return stack.enter_context(
        embedded_servers(
            place.data,
            postgres="TIELINE_DATABASE_URL" not in os.environ,
            redis="TIELINE_REDIS_URL" not in os.environ,
            progress=lambda step: console.print(f"  {step}", style="dim"),
        )
    )


def _settings(place: Place, servers: Servers) -> Settings:
    """The environment that this process and its children share."""
    ours = {
        "TIELINE_DATABASE_URL": servers.database_url,
        "TIELINE_REDIS_URL": servers.redis_url,
        "TIELINE_ENCRYPTION_KEYS": None if "TIELINE_ENCRYPTION_KEYS" in os.environ else _kept_key(place.data),
        "TIELINE_PORT": str(place.port),
        "TIELINE_PUBLIC_URL": os.environ.get("TIELINE_PUBLIC_URL", place.url),
        "TIELINE_ENVIRONMENT": os.environ.get("TIELINE_ENVIRONMENT", "development"),
        "TIELINE_ALLOWED_ORIGINS": os.environ.get("TIELINE_ALLOWED_ORIGINS", DEV_ORIGINS),
    }
    os.environ.update({name: value for name, value in ours.items() if value is not None})
    settings = load_settings()
    log.configure(format="console", level="WARNING")
    return settings


async def _prepare(settings: Settings, place: Place, console: Console) -> Demo:
    await migrate(settings, report=lambda name: console.print(f"  migration {name}", style="dim"))
    async with ready(settings):
        demo = await ensure_demo(place.data / "demo-key")
    if demo.added:
        console.print(f"  demo practice with {demo.added} clients", style="dim")
    return demo


def _children(place: Place) -> list[Child]:
    commands = [["serve"], ["scheduler"], *(["worker", "--queues", queue] for queue in QUEUES)]
    logs = place.data / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    return [
        Child(arguments=command, environment=os.environ, log=logs / f"{'-'.join(command[::2])}.log")
        for command in commands
    ]


def _stay(console: Console, servers: Servers, family: Family) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        for sentence in servers.ended():
            raise StartRefused(sentence)
        for child in family.tend():
            console.print(
                f"[yellow]'tieline {child.name}' had ended and was started again; see {child.log}[/]"
            )


@contextmanager
def _stoppable() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stopped

    wanted = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kept_key(data: Path) -> str:
    """The demo's own encryption key, made at the first start."""
    file = data / "encryption-key"
    if not file.exists():
        write_private(file, generate_key("local") + "\n")
    return file.read_text().strip()


@contextmanager
def _environment_file(data: Path) -> Iterator[None]:
    """The addresses of this start, for other commands in another shell, for as long as they are good."""
    ours = sorted(name for name in os.environ if name.startswith("TIELINE_"))
    file = data / "environment"
    write_private(file, "".join(f"{name}={shlex.quote(os.environ[name])}\n" for name in ours))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def data_folder(named: Path | None) -> Path:
    """Where `tieline up` keeps its things: as named, as TIELINE_DATA says, or in the current folder."""
    told = os.environ.get("TIELINE_DATA")
    return named or (Path(told) if told else default_data_folder(Path.cwd()))
