"""`tieline migrate`, `worker`, `scheduler` and `up`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tieline.cli.opened import configured


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)
    app.command("worker")(worker)
    app.command("scheduler")(scheduler)
    app.command("up")(up)
    app.command("clean")(clean)


def migrate() -> None:
    """Bring the database to this version's schema; safe to run from several places at once."""
    from tieline import database

    settings = configured()
    state = asyncio.run(database.migrate(settings, report=lambda name: typer.echo(f"applying {name}")))
    typer.echo(f"The schema is current: {state.applied[-1]}.")


def worker(
    queues: Annotated[
        str, typer.Option(help="Which queues to serve, comma-separated: interactive, background.")
    ] = "interactive,background",
) -> None:
    """Run jobs. Give people's work a process of its own: one with --queues interactive, others with background."""
    from tieline.work.actor import QUEUES
    from tieline.worker.process import worker_process

    wanted = [queue.strip() for queue in queues.split(",") if queue.strip()]
    if not wanted or not set(wanted) <= set(QUEUES):
        raise typer.BadParameter(f"Name queues of: {', '.join(QUEUES)}.", param_hint="--queues")
    settings = configured()
    worker_process(settings, queues=wanted)


def scheduler() -> None:
    """Ring for jobs that are due. Any number may run."""
    from tieline.worker.process import scheduler_process

    settings = configured()
    asyncio.run(scheduler_process(settings))


def up(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Tell the story, stop everything, exit 0 or 1.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="The folder that holds the data; default: .tieline here.")
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            envvar="TIELINE_PORT", min=1, max=65_535, help="The API's port; with --once any free one."
        ),
    ] = 8000,
) -> None:
    """Start everything on this machine, with a demo practice; Ctrl-C stops all of it."""
    from tieline.cli.up import run_up

    raise typer.Exit(run_up(data=data, port=port, once=once))


def clean(
    data: Annotated[
        Path | None, typer.Option(help="The folder; default: the one that 'tieline up' uses.")
    ] = None,
) -> None:
    """Delete the data that 'tieline up' keeps on this machine, unless it is in use."""
    from tieline.cli.up import data_folder
    from tieline.embedded import remove_data_folder

    folder = data_folder(data)
    typer.echo(f"deleted {folder}" if remove_data_folder(folder) else f"nothing to delete in {folder}")
