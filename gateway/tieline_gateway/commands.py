"""The gateway's commands: `tieline serve` and `tieline schema`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Called by the command line through the entry-point group `tieline.commands`."""
    app.command("serve")(serve)
    app.command("schema")(schema)


def serve() -> None:
    """Serve the GraphQL API."""
    from tieline.cli.opened import configured
    from tieline.settings import load
    from tieline_gateway.serve import serve as run
    from tieline_gateway.settings import GatewaySettings

    asyncio.run(run(configured(), load(GatewaySettings)))


def schema(
    *,
    write: Annotated[bool, typer.Option("--write", help="Write it to the file.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail unless the file is current.")] = False,
    file: Annotated[Path, typer.Option(help="Where the schema is kept.")] = Path("schema.graphql"),
) -> None:
    """Print the GraphQL schema, keep it in a file, or compare."""
    from tieline_gateway.graphql.schema import print_schema

    printed = print_schema()
    if write:
        file.write_text(printed)
    elif not check:
        typer.echo(printed, nl=False)
    elif not file.exists() or file.read_text() != printed:
        typer.echo(f"{file} is not what the code says: run 'make schema' and commit it.", err=True)
        raise typer.Exit(1)
