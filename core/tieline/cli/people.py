"""`tieline practice`, `team`, `member` and `key`: setting a practice up from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, Permission, Role

T = TypeVar("T")

PracticeOption = Annotated[str, typer.Option("--practice", help="The practice's name or id.")]
PermissionsOption = Annotated[
    list[Permission] | None, typer.Option("--permission", help="Repeat for several; admins hold all.")
]


def register(app: typer.Typer) -> None:
    practice = typer.Typer(no_args_is_help=True, help="Practices of this deployment.")
    practice.command("create")(create_practice)
    team = typer.Typer(no_args_is_help=True, help="Teams of a practice.")
    team.command("create")(create_team)
    member = typer.Typer(no_args_is_help=True, help="People of a practice.")
    member.command("add")(add_member)
    key = typer.Typer(no_args_is_help=True, help="API keys, for persons and services.")
    key.command("create")(create_key)
    key.command("revoke")(revoke_key)
    for name, group in (("practice", practice), ("team", team), ("member", member), ("key", key)):
        app.add_typer(group, name=name)


def create_practice(
    name: str,
    *,
    admin_name: Annotated[str, typer.Option(help="The first practice admin's name.")],
    admin_email: Annotated[str, typer.Option(help="The first practice admin's e-mail address.")],
    plan: Annotated[Plan, typer.Option(help="Teams can be assigned on ADVANCED.")] = Plan.STANDARD,
) -> None:
    """Add a practice and its first admin."""
    from tieline.practices import service

    async def run() -> tuple[UUID, UUID]:
        practice_id = await service.create_practice(name, plan=plan)
        person_id = await service.add_member(practice_id, name=admin_name, email=admin_email, role=Role.ADMIN)
        return practice_id, person_id

    practice_id, person_id = _with_database(run)
    typer.echo(f"practice {practice_id}\nadmin    {person_id}")
    typer.echo(f"Next: tieline key create --practice {practice_id} --person {admin_email} --name first")


def create_team(name: str, *, practice: PracticeOption) -> None:
    """Add a team to a practice; a name that is there already is that team."""
    from tieline.practices import service

    async def run() -> UUID:
        return await service.create_team(await service.locate_practice(practice), name)

    typer.echo(f"team {_with_database(run)}")


def add_member(
    name: str,
    email: str,
    *,
    practice: PracticeOption,
    role: Annotated[
        Role, typer.Option(help="ADMIN sees and may do everything in the practice.")
    ] = Role.MEMBER,
    permission: PermissionsOption = None,
    clients: Annotated[
        ClientAccess, typer.Option(help="ALL clients, or those LISTED for the member or a team of its.")
    ] = ClientAccess.ALL,
) -> None:
    """Add a person to a practice."""
    from tieline.practices import service

    async def run() -> UUID:
        return await service.add_member(
            await service.locate_practice(practice),
            name=name,
            email=email,
            role=role,
            permissions=frozenset(permission or ()),
            client_access=clients,
        )

    typer.echo(f"person {_with_database(run)}")


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
    from tieline.practices import service

    scopes = frozenset[Permission]() if read_only else frozenset(permission) if permission else None

    async def run() -> service.IssuedKey:
        practice_id = await service.locate_practice(practice)
        person_id = await service.locate_person(practice_id, person) if person else None
        life = timedelta(days=days) if days else None
        return await service.issue_key(practice_id, name=name, person_id=person_id, scopes=scopes, life=life)

    issued = _with_database(run)
    typer.echo(issued.secret.reveal())
    typer.echo(f"id {issued.id}; shown this once, only its hash is kept.", err=True)


def revoke_key(key_id: UUID) -> None:
    """End a key at once."""
    from tieline.ids import ApiKeyId
    from tieline.practices import service

    async def run() -> None:
        await service.revoke_key(ApiKeyId(key_id))

    _with_database(run)
    typer.echo("revoked")


def _with_database(run: Callable[[], Awaitable[T]]) -> T:
    """Run it with everything open that a process of Tieline has open."""
    from tieline import log
    from tieline.lifespan import ready
    from tieline.settings import load_settings

    settings = load_settings()
    log.configure(format=settings.log_format, level="WARNING")

    async def opened() -> T:
        async with ready(settings):
            return await run()

    return asyncio.run(opened())
