"""`tieline up`: everything on this machine. Servers, schema, demo, processes; then the board, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.markup import escape

from tieline import log
from tieline.cli.children import Child, Family
from tieline.cli.demo import Demo, ensure_demo
from tieline.cli.playing import NoStory, Playhouse, playhouse, prepare_stage
from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.going_on import Whereabouts, show_how_to_go_on
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.scene import Scene
from tieline.cli.story.telling import show_as_it_is, tell
from tieline.cli.story.told import mark_told, was_told
from tieline.cli.sweeping import sweep_now
from tieline.database import migrate
from tieline.embedded import Servers, default_data_folder, embedded_servers, write_private
from tieline.embedded.process import free_port, is_taken
from tieline.errors import StartRefused
from tieline.lifespan import ready
from tieline.settings import Settings, load_settings
from tieline.vault import generate_key
from tieline.work.actor import QUEUES

LOOK_SECONDS = 0.5
_PLAIN_WIDTH = 120
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


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is ready to be shown; without a `house` there is no story, and `why_not` says why."""

    demo: Demo
    house: Playhouse | None = None
    was_told: bool = False
    is_new: bool = False
    why_not: str | None = None


def run_up(*, data: Path | None, port: int, once: bool) -> int:
    """Start everything, tell the story; stay until Ctrl-C unless `once`. The exit code."""
    console = _console()
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
            family = stack.enter_context(Family())
            stage = _start(settings, place, family, console)
            missing = _show(settings, stage, place, console, watch=lambda: _watch(servers, family))
            if not once:
                show_how_to_go_on(console, _whereabouts(settings, stage, place))
                _stay(console, servers, family)
    except (KeyboardInterrupt, _Stopped):
        console.print(f"\nStopped; the data is kept in {place.data}", soft_wrap=True)
        return 1 if once else 0
    return 1 if missing else 0


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
        "TIELINE_ALLOWED_ORIGINS": os.environ.get("TIELINE_ALLOWED_ORIGINS") or DEV_ORIGINS,
    }
    os.environ.update({name: value for name, value in ours.items() if value is not None})
    settings = load_settings()
    log.configure(format="console", level="WARNING")
    return settings


def _start(settings: Settings, place: Place, family: Family, console: Console) -> Stage:
    """The sandbox, the schema, the demo, then everybody else."""
    logs = place.data / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    house = playhouse(place.data)
    if house is not None:
        family.start(house.child(os.environ, logs / "sandbox.log"))
    demo = asyncio.run(_prepare(settings, place, console))
    stage = _set(settings, place, demo, house, family)
    for command in (["serve"], ["scheduler"], *(["worker", "--queues", queue] for queue in QUEUES)):
        log = logs / f"{'-'.join(command[::2])}.log"
        family.start(Child(arguments=command, environment=os.environ, log=log))
    family.wait_for(f"{place.url}/readyz")
    return stage


async def _prepare(settings: Settings, place: Place, console: Console) -> Demo:
    await migrate(settings, report=lambda name: console.print(f"  migration {name}", style="dim"))
    async with ready(settings):
        demo = await ensure_demo(place.data)
    if demo.added:
        console.print(f"  demo practice with {demo.added} clients", style="dim")
    return demo


def _set(settings: Settings, place: Place, demo: Demo, house: Playhouse | None, family: Family) -> Stage:
    """The scene of the story, before there is a worker who could begin without it."""
    if house is None:
        return Stage(demo=demo, why_not="No story: the distribution tieline-sandbox is not installed.")
    family.wait_for(house.health)
    told = was_told(place.data, demo.practice_id)
    try:
        is_new = prepare_stage(settings, demo.practice_id, house, told=told)
    except NoStory as reason:
        return Stage(demo=demo, why_not=str(reason))
    return Stage(demo=demo, house=house, was_told=told, is_new=is_new)


def _show(
    settings: Settings, stage: Stage, place: Place, console: Console, *, watch: Callable[[], None]
) -> list[str]:
    """Tell the story, or show how things stand; what of it is missing."""
    if stage.house is None or stage.was_told:
        if stage.why_not is not None:
            console.print(f"\n{stage.why_not}")
        with Api(url=place.url, key=stage.demo.key, watch=watch) as api:
            missing = show_as_it_is(api, console)
    else:
        began = time.monotonic()
        with _scene(settings, stage.demo, stage.house, place, console, watch) as scene:
            missing = tell(scene, is_new=stage.is_new)
        console.print(f"\nThe story took {time.monotonic() - began:.0f} seconds.", style="dim")
        if not missing:
            mark_told(place.data, stage.demo.practice_id)
    for sentence in missing:
        console.print(f"[red]Not seen:[/] {escape(sentence)}", soft_wrap=True)
    return missing


@contextmanager
def _scene(
    settings: Settings,
    demo: Demo,
    house: Playhouse,
    place: Place,
    console: Console,
    watch: Callable[[], None],
) -> Iterator[Scene]:
    with (
        Api(url=place.url, key=demo.key, watch=watch) as api,
        Api(url=place.url, key=demo.colleague_key, watch=watch) as colleague,
        Sandbox(url=house.url) as sandbox,
    ):
        yield Scene(
            api=api,
            colleague=colleague,
            sandbox=sandbox,
            console=console,
            return_url=_return_url(settings),
            sweep=lambda: asyncio.run(sweep_now(settings, demo.practice_id, demo.person_id)),
        )


def _watch(servers: Servers, family: Family) -> None:
    """Raises BrokeOff as soon as one of our processes has ended."""
    for sentence in (*servers.ended(), *family.ended()):
        raise BrokeOff(sentence)


def _whereabouts(settings: Settings, stage: Stage, place: Place) -> Whereabouts:
    return Whereabouts(
        data=place.data,
        api=place.url,
        key=stage.demo.key,
        sandbox=None if stage.house is None else stage.house.url,
        return_url=_return_url(settings),
    )


def _return_url(settings: Settings) -> str:
    """Where a front end would be."""
    return f"{min(settings.origins)}/signed-in"


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


def _console() -> Console:
    """Where there is no terminal, lines are as long as the table needs."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


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
