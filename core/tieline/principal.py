"""Who is asking, as a value: it comes first in every service call, and services decide by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tieline.errors import AdminNeeded, Forbidden
from tieline.ids import ApiKeyId, PersonId, PracticeId


class Role(StrEnum):
    """What a member is in the practice; nobody at all for people who only belong to a client."""

    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


class ClientRole(StrEnum):
    """What a person is in one client business."""

    ADMINISTRATOR = "ADMINISTRATOR"
    READER = "READER"


class Permission(StrEnum):
    """What a member may do; practice admins hold all of them."""

    MANAGE_CONNECTIONS = "MANAGE_CONNECTIONS"
    SYNC = "SYNC"
    PUBLISH = "PUBLISH"
    MANAGE_RULES = "MANAGE_RULES"


class ClientAccess(StrEnum):
    """Which clients a member sees: all of them, or those listed for the member or one of its teams."""

    ALL = "ALL"
    LISTED = "LISTED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """A caller within one practice.

    `permissions` are what the member holds; `key_scopes` is what the API key narrows them to, None for no
    narrowing. Scopes bind rights over a single client too.
    """

    practice_id: PracticeId
    person_id: PersonId | None
    api_key_id: ApiKeyId | None
    role: Role | None
    client_access: ClientAccess
    permissions: frozenset[Permission]
    key_scopes: frozenset[Permission] | None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def is_machine(self) -> bool:
        """Nobody: the system itself at work."""
        return self.person_id is None and self.api_key_id is None

    @property
    def is_service(self) -> bool:
        """A service acts for nobody: it may what its scopes say, and is never an admin."""
        return self.person_id is None

    @property
    def is_insider(self) -> bool:
        """Of the practice itself, not only of single clients."""
        return self.role is not None or self.is_service

    @property
    def sees_all_clients(self) -> bool:
        all_of_them = self.role is Role.MEMBER and self.client_access is ClientAccess.ALL
        return self.is_admin or self.is_service or all_of_them

    def may(self, permission: Permission, *, administers: bool = False) -> bool:
        """Whether the caller may act; `administers`: it is an administrator of the client in question."""
        if self.key_scopes is not None and permission not in self.key_scopes:
            return False
        return permission in self.permissions or administers

    def require(self, permission: Permission, *, administers: bool = False, field: str | None = None) -> None:
        """Raise Forbidden unless `may`. `field` is what alone asks for it, where other things may be left."""
        if not self.may(permission, administers=administers):
            narrowed = self.key_scopes is not None and permission not in self.key_scopes
            raise Forbidden(permission, by_key=narrowed, field=field)

    def require_admin(self, *, reading: bool = False) -> None:
        """Raise Forbidden unless the caller is a practice admin, and to change anything, by a key without scopes.

        Else a key that is narrowed could give itself what it lacks.
        """
        if not self.is_admin:
            raise AdminNeeded
        if not reading and self.key_scopes is not None:
            raise AdminNeeded(by_key=True)

    @classmethod
    def machine(cls, practice_id: PracticeId) -> Principal:
        """The system itself at work for one practice: jobs and sweeps."""
        return cls(
            practice_id=practice_id,
            person_id=None,
            api_key_id=None,
            role=Role.ADMIN,
            client_access=ClientAccess.ALL,
            permissions=frozenset(Permission),
            key_scopes=None,
        )
