"""`tieline practice`, `team`, `member` and `client-member`: setting a practice up from the command line."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from tieline.cli.opened import with_database
from tieline.cli.options import PermissionsOption, PracticeOption
from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, ClientRole, Role


def register(app: typer.Typer) -> None:
    practice = typer.Typer(no_args_is_help=True, help="Practices of this deployment.")
    practice.command("create")(create_practice)
    practice.command("list")(list_practices)
    practice.command("consent-life")(set_consent_life)
    practice.command("plan")(set_plan)
    team = typer.Typer(no_args_is_help=True, help="Teams of a practice.")
    team.command("create")(create_team)
    member = typer.Typer(no_args_is_help=True, help="People of a practice.")
    member.command("add")(add_member)
    member.command("list")(list_members)
    member.command("remove")(remove_member)
    client_member = typer.Typer(no_args_is_help=True, help="People of a single client.")
    client_member.command("add")(add_client_member)
    groups = {"practice": practice, "team": team, "member": member, "client-member": client_member}
    for name, group in groups.items():
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

    admin = service.NewMember(name=admin_name, email=admin_email, role=Role.ADMIN)

    async def run() -> service.NewPractice:
        return await service.create_practice(name, admin=admin, plan=plan)

    made = with_database(run)
    typer.echo(f"practice {made.id}\nadmin    {made.admin_id}")
    typer.echo(f"Next: tieline key create --practice {made.id} --person {admin_email} --name first")


def list_practices() -> None:
    """List the practices of this deployment: id, plan, name."""
    from tieline.practices import service

    for practice in with_database(service.list_practices):
        typer.echo(f"{practice.id}  {practice.plan:<8}  {practice.name}")


def set_consent_life(
    days: Annotated[int, typer.Argument(min=0, help="Days; 0: consents do not run out by themselves.")],
    *,
    practice: PracticeOption,
) -> None:
    """Say how long a consent lasts before it has to be given anew: 365 days unless told otherwise."""
    from tieline.practices import service

    async def run() -> None:
        await service.set_consent_life(await service.locate_practice(practice), days or None)

    with_database(run)
    lasts = "1 day" if days == 1 else f"{days} days"
    typer.echo(f"A consent lasts {lasts}." if days else "Consents do not run out by themselves.")


def set_plan(
    plan: Annotated[Plan, typer.Argument(help="Teams can be assigned on ADVANCED.")],
    *,
    practice: PracticeOption,
) -> None:
    """Say what a practice has bought. Teams that clients have stay with them."""
    from tieline.practices import changing, service

    async def run() -> None:
        await changing.set_plan(await service.locate_practice(practice), plan)

    with_database(run)
    typer.echo(f"The plan is {plan}.")


def create_team(name: str, *, practice: PracticeOption) -> None:
    """Add a team to a practice; a name that is there already is that team."""
    from tieline.practices import service

    async def run() -> UUID:
        return await service.create_team(await service.locate_practice(practice), name)

    typer.echo(f"team {with_database(run)}")


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
        ClientAccess, typer.Option(help="ALL clients, or those LISTED: its teams' and those it creates.")
    ] = ClientAccess.ALL,
    team: Annotated[list[str] | None, typer.Option(help="A team to join; repeat for several.")] = None,
) -> None:
    """Add a person to a practice."""
    from tieline.practices import service

    member = service.NewMember(
        name=name,
        email=email,
        role=role,
        permissions=frozenset(permission or ()),
        client_access=clients,
        teams=tuple(team or ()),
    )

    async def run() -> UUID:
        return await service.add_member(await service.locate_practice(practice), member)

    typer.echo(f"person {with_database(run)}")


def list_members(*, practice: PracticeOption) -> None:
    """List a practice's members: id, role, which clients they see, name, e-mail address, permissions."""
    from tieline.practices import service
    from tieline.practices.repository import Member

    async def run() -> list[Member]:
        return await service.list_members(await service.locate_practice(practice))

    for member in with_database(run):
        who = f"{member.person.name} <{member.person.email}>"
        if member.person.deactivated_at is not None:
            who += " (deactivated)"
        may = ", ".join(member.permissions)
        typer.echo(f"{member.person.id}  {member.role:<6}  {member.client_access:<6}  {who}  {may}".rstrip())


def remove_member(email: str, *, practice: PracticeOption) -> None:
    """Take a person out of a practice; its keys end at once, and those that it made to act as others."""
    from tieline.practices import service
    from tieline.practices.api_keys.ending import HandedOver

    async def run() -> HandedOver:
        practice_id = await service.locate_practice(practice)
        return await service.remove_member(practice_id, await service.locate_person(practice_id, email))

    keys = with_database(run)
    typer.echo("removed")
    for key in keys.revoked:
        typer.echo(f"revoked the key {key.prefix}… {key.name}, which it had made for person {key.person_id}")
    for key in keys.remaining:
        typer.echo(
            f"the service's key {key.prefix}… {key.name} still works, which the person made and may know: "
            f"replace it, then 'tieline key revoke {key.id}'"
        )


def add_client_member(
    name: str,
    email: str,
    *,
    practice: PracticeOption,
    client: Annotated[UUID, typer.Option(help="The client's id.")],
    role: Annotated[
        ClientRole, typer.Option(help="ADMINISTRATOR may change the client, READER may look.")
    ] = ClientRole.READER,
) -> None:
    """Let a person see one client only; somebody known by the e-mail address is that person."""
    from tieline.ids import ClientId
    from tieline.practices import service

    async def run() -> UUID:
        return await service.add_client_member(
            await service.locate_practice(practice),
            name=name,
            email=email,
            client_id=ClientId(client),
            role=role,
        )

    typer.echo(f"person {with_database(run)}")
