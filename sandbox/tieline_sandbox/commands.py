"""The sandbox's command: `tieline sandbox`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Called by the command line through the entry-point group `tieline.commands`."""
    app.command("sandbox")(sandbox)


def sandbox(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 9100,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(help="A file that keeps everything between starts.")] = None,
    public_url: Annotated[
        str | None,
        typer.Option(help="The address browsers and apps see; http://localhost:PORT if not given."),
    ] = None,
) -> None:
    """Serve providers that only pretend, for the demo, for tests and for benchmarks."""
    from tieline_sandbox.serve import CannotListen, serve
    from tieline_sandbox.store import Unreadable

    try:
        serve(host=host, port=port, state_file=state, public_url=public_url or f"http://localhost:{port}")
    except (CannotListen, Unreadable) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
