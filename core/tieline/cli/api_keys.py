"""`tieline key`: making, listing and ending API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tieline.cli.opened import with_database
from tieline.cli.options import PermissionsOption, PracticeOption
from tieline.principal import Permission


def register(app: typer.Typer) -> None:
    key = typer.Typer(no_args_is_help=True, help="API keys, for persons and services.")
    key.command("create")(create_key)
    key.command("list")(list_keys)
    key.command("revoke")(revoke_key)
    app.add_typer(key, name="key")


def create_key(
    *,
    practice: PracticeOption,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    person: Annotated[
        str | None, typer.Option(help="E-mail address of the person it acts as; without it, a service.")
    ] = None,
    permission: PermissionsOption = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Narrow the key to reading.")] = False,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires.")] = None,
) -> None:
    """Make an API key and show it, this once. Without --permission a person's key may do all the person may."""
    from tieline.practices import keys, service

    if read_only and permission:
        raise typer.BadParameter("--read-only leaves no room for --permission: use one of them.")
    if person is None and not read_only and not permission:
        raise typer.BadParameter(
            "A service's key needs --permission or --read-only; a person's needs --person."
        )
    scopes = frozenset[Permission]() if read_only else frozenset(permission) if permission else None

    async def run() -> keys.IssuedKey:
        practice_id = await service.locate_practice(practice)
        person_id = await service.locate_person(practice_id, person) if person else None
        life = timedelta(days=days) if days else None
        return await keys.issue_key(practice_id, name=name, person_id=person_id, scopes=scopes, life=life)

    issued = with_database(run)
    typer.echo(issued.secret.reveal())
    typer.echo(f"id {issued.id}; shown this once, only its hash is kept.", err=True)


def list_keys(*, practice: PracticeOption) -> None:
    """List a practice's keys: id, beginning, name, whether they still work, and when they were last used."""
    from tieline import clock
    from tieline.practices import keys, service
    from tieline.practices.repository import KeyRecord

    async def run() -> list[KeyRecord]:
        return await keys.list_keys(await service.locate_practice(practice))

    for key in with_database(run):
        acts_as = f"person {key.person_id}" if key.person_id else "service"
        may = "all the person may" if key.scopes is None else ", ".join(key.scopes) or "read only"
        used = f"last used {key.last_used_at:%Y-%m-%d %H:%MZ}" if key.last_used_at else "never used"
        typer.echo(
            f"{key.id}  {key.prefix}…  {key.state(clock.now()):<8} {key.name} ({acts_as}; {may}; {used})"
        )


def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's id, or how it begins: tl_ and eight characters.")],
    *,
    and_made_with_it: Annotated[
        bool, typer.Option("--and-made-with-it", help="Also end each key that was made with it, and so on.")
    ] = False,
) -> None:
    """End a key at once. Of one that leaked, end also what was made with it."""
    from tieline.practices import keys

    async def run() -> int:
        return await keys.revoke_key(key, and_made_with_it=and_made_with_it)

    ended = with_database(run)
    typer.echo("revoked" if ended == 1 else f"revoked, and {ended - 1} that were made with it")
