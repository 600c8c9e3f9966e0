"""Everybody who may ask, and those of the practice as the principals that they are let in as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tieline.ids import ApiKeyId, PersonId, PracticeId, new_id
from tieline.permissions.cells import Cell
from tieline.principal import ClientAccess, Permission, Principal, Role


class Who(StrEnum):
    """Everybody who may ask, by what the page calls them; `WHO` says more."""

    NOBODY = "nobody"
    DEACTIVATED = "deactivated"
    GUEST = "guest"
    OUTSIDER = "outsider"
    READER = "reader"
    ADMINISTRATOR = "administrator"
    LISTED = "listed"
    TEAM = "team"
    MEMBER = "member"
    PUBLISHER = "publisher"
    RULE_MAKER = "rule maker"
    SYNCER = "syncer"
    CONNECTOR = "connector"
    ADMIN = "admin"
    NARROWED = "narrowed"
    SERVICE = "service"
    BARE_SERVICE = "bare service"


WHO: Mapping[Who, str] = {
    Who.NOBODY: "Without a key or token, or with one that is unknown, over or revoked.",
    Who.DEACTIVATED: "Somebody who is deactivated, whatever it was before.",
    Who.GUEST: "With a token of the issuer, but no person of any practice.",
    Who.OUTSIDER: "An admin of another practice, who asks for things of this one.",
    Who.READER: "Belongs to one client, as its `READER`.",
    Who.ADMINISTRATOR: "Belongs to one client, as its `ADMINISTRATOR`.",
    Who.LISTED: "A member whose access is `LISTED`, with a client listed by name and no permission.",
    Who.TEAM: "A member whose access is `LISTED`, with the clients of a team and every permission.",
    Who.MEMBER: "A member who sees all clients, and holds no permission.",
    Who.PUBLISHER: "A member who sees all clients, and holds `PUBLISH`.",
    Who.RULE_MAKER: "A member who sees all clients, and holds `MANAGE_RULES`.",
    Who.SYNCER: "A member who sees all clients, and holds `SYNC`.",
    Who.CONNECTOR: "A member who sees all clients, and holds `MANAGE_CONNECTIONS`.",
    Who.ADMIN: "A practice admin, by a token of the issuer or a key without scopes.",
    Who.NARROWED: "A practice admin, by a key with the scope `SYNC` alone.",
    Who.SERVICE: "A service's key, with every scope.",
    Who.BARE_SERVICE: "A service's key, with no scope.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Somebody of the practice. `administers`: it is an administrator of the client that is meant."""

    principal: Principal
    administers: bool = False

    @property
    def sight(self) -> Cell:
        """What somebody gets who may: of all clients, or of those that it sees."""
        return Cell.YES if self.principal.sees_all_clients else Cell.OWN

    def may(self, permission: Permission) -> bool:
        return self.principal.may(permission, administers=self.administers)


def _asker(
    role: Role | None = None,
    *permissions: Permission,
    clients: ClientAccess = ClientAccess.ALL,
    administers: bool = False,
    scopes: frozenset[Permission] | None = None,
    is_service: bool = False,
) -> Asker:
    """As `authenticate` would make it of the rows."""
    principal = Principal(
        practice_id=PracticeId(new_id()),
        person_id=None if is_service else PersonId(new_id()),
        api_key_id=ApiKeyId(new_id()),
        role=role,
        client_access=clients,
        permissions=frozenset(Permission) if role is Role.ADMIN else frozenset(permissions),
        key_scopes=scopes,
    )
    return Asker(principal=principal, administers=administers)


ASKERS: Mapping[Who, Asker] = {
    Who.READER: _asker(),
    Who.ADMINISTRATOR: _asker(administers=True),
    Who.LISTED: _asker(Role.MEMBER, clients=ClientAccess.LISTED),
    Who.TEAM: _asker(Role.MEMBER, *Permission, clients=ClientAccess.LISTED),
    Who.MEMBER: _asker(Role.MEMBER),
    Who.PUBLISHER: _asker(Role.MEMBER, Permission.PUBLISH),
    Who.RULE_MAKER: _asker(Role.MEMBER, Permission.MANAGE_RULES),
    Who.SYNCER: _asker(Role.MEMBER, Permission.SYNC),
    Who.CONNECTOR: _asker(Role.MEMBER, Permission.MANAGE_CONNECTIONS),
    Who.ADMIN: _asker(Role.ADMIN),
    Who.NARROWED: _asker(Role.ADMIN, scopes=frozenset({Permission.SYNC})),
    Who.SERVICE: _asker(None, *Permission, scopes=frozenset(Permission), is_service=True),
    Who.BARE_SERVICE: _asker(None, scopes=frozenset(), is_service=True),
}
