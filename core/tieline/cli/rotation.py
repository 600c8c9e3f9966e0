"""`tieline keys rotate`: seal all secrets of the deployment anew under the first key of the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tieline.cli.opened import with_database

if TYPE_CHECKING:
    from tieline.credentials.rotation.service import Rotated


def rotate() -> None:
    """Seal every secret under the first key of TIELINE_ENCRYPTION_KEYS; interrupted, call it again.

    Every process has to run with the new key first already; after it the other keys can be taken out.
    """
    from tieline.credentials.rotation.service import rotate_keys
    from tieline.host import host

    async def run() -> list[Rotated]:
        return await rotate_keys(host().vault)

    done = with_database(run)
    for each in done:
        typer.echo(
            f"{each.column.table}.{each.column.name}: {each.rotated} sealed anew, {each.current} were already"
        )
    broken, missed = sum(each.broken for each in done), sum(each.missed for each in done)
    if broken:
        typer.echo(
            f"{broken} cannot be opened with any key of the ring: put the key back that sealed them, "
            "or have those people sign in again.",
            err=True,
        )
    if missed:
        typer.echo(f"{missed} changed at the same moment, each time: call this again.", err=True)
    if broken or missed:
        raise typer.Exit(1)
