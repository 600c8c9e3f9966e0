"""Somebody for each of `tieline.permissions.Who`, with a scene to ask about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import asyncpg
import httpx

from tests.support.askers import Asking
from tests.support.deployment import Gateway
from tests.support.firm import Caller, open_firm
from tests.support.issuer import IssuerServer
from tests.support.scenes import Ground, Stage, set_stage
from tieline.ids import PersonId, PracticeId, new_id
from tieline.permissions import Who
from tieline.practices.members.service import deactivate_person
from tieline.principal import ClientAccess, ClientRole, Permission, Role

Cast: TypeAlias = Callable[[Stage, Ground], Awaitable[Caller]]


def member(*permissions: Permission) -> Cast:
    return lambda stage, _: stage.firm.member(*permissions)


def admin(scopes: frozenset[Permission] | None = None) -> Cast:
    return lambda stage, _: stage.firm.member(role=Role.ADMIN, scopes=scopes)


def of_client(role: ClientRole) -> Cast:
    return lambda stage, near: stage.of_clients(near, role)


def service_with(*scopes: Permission) -> Cast:
    return lambda stage, _: stage.firm.caller(None, scopes=frozenset(scopes))


async def listed(stage: Stage, near: Ground) -> Caller:
    caller = await stage.firm.member(clients=ClientAccess.LISTED)
    await stage.lists(near, person_of(caller))
    return caller


async def of_team(stage: Stage, near: Ground) -> Caller:
    caller = await stage.firm.member(*Permission, clients=ClientAccess.LISTED)
    await stage.hands_to_team(near, person_of(caller))
    return caller


async def outsider(stage: Stage, _: Ground) -> Caller:
    return (await open_firm(stage.firm.http)).admin


CAST: Mapping[Who, Cast] = {
    Who.NOBODY: member(),
    Who.DEACTIVATED: admin(),
    Who.GUEST: member(),
    Who.OUTSIDER: outsider,
    Who.READER: of_client(ClientRole.READER),
    Who.ADMINISTRATOR: of_client(ClientRole.ADMINISTRATOR),
    Who.LISTED: listed,
    Who.TEAM: of_team,
    Who.MEMBER: member(),
    Who.PUBLISHER: member(Permission.PUBLISH),
    Who.RULE_MAKER: member(Permission.MANAGE_RULES),
    Who.SYNCER: member(Permission.SYNC),
    Who.CONNECTOR: member(Permission.MANAGE_CONNECTIONS),
    Who.ADMIN: admin(),
    Who.NARROWED: admin(frozenset({Permission.SYNC})),
    Who.SERVICE: service_with(*Permission),
    Who.BARE_SERVICE: service_with(),
}
"""Whose things are near; nobody and guests do not come by that person's key."""


_OF_ONE_CLIENT = frozenset({Who.READER, Who.ADMINISTRATOR, Who.LISTED, Who.TEAM})


@dataclass(frozen=True, kw_only=True)
class Theatre:
    """Where scenes are set: a gateway that trusts an issuer."""

    gateway: Gateway
    issuer: IssuerServer
    http: httpx.AsyncClient = field(repr=False)
    sql: asyncpg.Connection = field(repr=False)
    practices: list[PracticeId] = field(default_factory=list)

    async def stage(self) -> Stage:
        """A practice of its own."""
        firm = await open_firm(self.http)
        self.practices.append(firm.practice_id)
        return await set_stage(self.sql, firm)

    async def cast(self, who: Who, stage: Stage) -> Asking:
        """Somebody of this kind, who has what is near."""
        near, far = await stage.near_and_far()
        caller = await CAST[who](stage, near)
        scene = await stage.scene(near, far, caller)
        key: str | None = caller.key
        token = await self._token(caller) if caller.person_id is not None else None
        if who is Who.OUTSIDER:
            await caller.create_client("After the cursor")
        elif who is Who.DEACTIVATED:
            await deactivate_person(stage.books.admin, person_of(caller))
            key, token = token, caller.key  # by its token it would be a guest whose invitations are over
        elif who is Who.GUEST:
            key = token = self.issuer.token(f"auth0|{new_id()}")
        elif who is Who.NOBODY:
            key = token = None
        return Asking(
            gateway=self.gateway,
            http=self.http,
            scene=scene,
            key=key,
            token=token,
            sees_all_clients=who not in _OF_ONE_CLIENT,
            is_foreign=who is Who.OUTSIDER,
        )

    async def _token(self, caller: Caller) -> str:
        """Of the issuer, for this person."""
        subject = f"auth0|{new_id()}"
        await self.sql.execute(
            "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1",
            caller.person_id,
            self.issuer.url,
            subject,
        )
        return self.issuer.token(subject)


def person_of(caller: Caller) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id
