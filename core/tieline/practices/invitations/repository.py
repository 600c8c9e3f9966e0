"""The SQL of invitations, and of what accepting one makes of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.database import current
from tieline.ids import ClientId, InvitationId, PersonId, PracticeId, TeamId
from tieline.names import name_key
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role


@dataclass(frozen=True, kw_only=True, slots=True)
class ToMember:
    """What a member would be. `teams` and `clients` say what one with LISTED access sees."""

    role: Role
    permissions: frozenset[Permission]
    client_access: ClientAccess
    teams: tuple[TeamId, ...]
    clients: tuple[ClientId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToClient:
    """What somebody would be in one client."""

    client_id: ClientId
    role: ClientRole


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    id: InvitationId
    email: str
    name: str
    to: ToMember | ToClient
    invited_by: PersonId
    created_at: datetime
    expires_at: datetime
    accepted_by: PersonId | None
    revoked_at: datetime | None

    def is_open(self, at: datetime) -> bool:
        return self.accepted_by is None and self.revoked_at is None and at < self.expires_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A person of the practice, as far as an invitation has to know it."""

    id: PersonId
    email: str
    subject: str | None
    is_deactivated: bool
    is_member: bool


_COLUMNS = (
    "i.id, i.email, i.name, i.kind, i.role, i.permissions, i.client_access, i.team_ids, i.client_ids, i.client_id, "
    "i.client_role, i.invited_by, i.created_at, i.expires_at, i.person_id, i.revoked_at"
)
_OPEN = "i.practice_id = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2"
_ADMINISTERED = (
    "i.client_id = ANY (ARRAY (SELECT m.client_id FROM client_member AS m "
    "WHERE m.practice_id = $1 AND m.person_id = $3 AND m.role = 'ADMINISTRATOR'))"
)
# Whoever asked may still: comes in, and is an admin, or administers the client that was asked to.
_INVITER_MAY = """
EXISTS (SELECT FROM person AS p
          LEFT JOIN practice_member AS m ON m.practice_id = p.practice_id AND m.person_id = p.id
          LEFT JOIN client_member AS cm
            ON cm.practice_id = p.practice_id AND cm.person_id = p.id AND cm.client_id = i.client_id
         WHERE p.practice_id = i.practice_id AND p.id = i.invited_by AND p.deactivated_at IS NULL
           AND (m.role = 'ADMIN' OR cm.role = 'ADMINISTRATOR'))
"""
_END_UNFOUNDED = f"""
UPDATE invitation AS i SET revoked_at = $3
 WHERE i.practice_id = $1 AND i.invited_by = $2 AND i.accepted_at IS NULL AND i.revoked_at IS NULL
   AND NOT {_INVITER_MAY}
"""
# Those to clients crowd out none into the practice.
_OPEN_TO = f"""
SELECT {_COLUMNS}
  FROM (SELECT i.*, row_number() OVER (PARTITION BY i.kind ORDER BY i.id DESC) AS nth
          FROM invitation AS i WHERE {_OPEN} AND {{mine}}) AS i
 WHERE i.nth <= 500 ORDER BY i.id DESC
"""
_ADD = """
INSERT INTO invitation (id, practice_id, email, name, kind, role, permissions, client_access, team_ids, client_ids,
                        client_id, client_role, token_hash, invited_by, created_at, expires_at)
VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
_KNOWN = """
SELECT p.id, p.email, p.subject, p.deactivated_at IS NOT NULL AS is_deactivated,
       EXISTS (SELECT FROM practice_member AS m WHERE m.practice_id = p.practice_id AND m.person_id = p.id) AS is_member
  FROM person AS p WHERE p.practice_id = $1 AND {condition}
"""
_LIST_FOR = (
    "INSERT INTO {table} (practice_id, person_id, {column}) SELECT $1, $2, t.id FROM {target} AS t "
    "WHERE t.practice_id = $1 AND t.id = ANY ($3::uuid[])"
)


class InvitationRepository:
    """The invitations of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> InvitationRepository:
        return cls(practice_id)

    async def add(self, invitation: Invitation, token_hash: bytes) -> None:
        to = invitation.to
        member = to if isinstance(to, ToMember) else None
        client = to if isinstance(to, ToClient) else None
        await current().run(
            _ADD,
            self.practice_id,
            invitation.id,
            invitation.email,
            invitation.name,
            "MEMBER" if member else "CLIENT_MEMBER",
            member.role.value if member else None,
            sorted(member.permissions) if member else [],
            member.client_access.value if member else None,
            list(member.teams) if member else [],
            list(member.clients) if member else [],
            client.client_id if client else None,
            client.role.value if client else None,
            token_hash,
            invitation.invited_by,
            invitation.created_at,
            invitation.expires_at,
        )

    async def end_earlier(self, email: str, client_id: ClientId | None, *, at: datetime) -> None:
        """Revoke what is open for this address to the same place, run out or not; forget what is long over."""
        await current().run(
            "UPDATE invitation SET revoked_at = $4 WHERE practice_id = $1 AND email = $2 "
            "AND client_id IS NOT DISTINCT FROM $3::uuid AND accepted_at IS NULL AND revoked_at IS NULL",
            self.practice_id,
            email,
            client_id,
            at,
        )

    async def forget(self, *, before: datetime) -> None:
        """Those that ran out before this, whatever became of them."""
        await current().run(
            "DELETE FROM invitation WHERE practice_id = $1 AND expires_at < $2", self.practice_id, before
        )

    async def count_open(self, client_id: ClientId | None, *, at: datetime) -> int:
        """Those to this client; None: those into the practice."""
        counted: int = await current().value(
            f"SELECT count(*) FROM invitation AS i WHERE {_OPEN} AND i.client_id IS NOT DISTINCT FROM $3::uuid",
            self.practice_id,
            at,
            client_id,
        )
        return counted

    async def open_to(self, principal: Principal, *, at: datetime) -> list[Invitation]:
        """What admins may see, or the administrators of single clients: the newest of each kind, the newest first."""
        mine, arguments = "true", [self.practice_id, at]
        if not principal.is_admin:
            mine, arguments = _ADMINISTERED, [*arguments, principal.person_id]
        rows = await current().rows(_OPEN_TO.format(mine=mine), *arguments)
        return [_invitation(row) for row in rows]

    async def get(self, invitation_id: InvitationId) -> Invitation | None:
        """Whoever holds the practice has it as it stays."""
        row = await current().row(
            f"SELECT {_COLUMNS} FROM invitation AS i WHERE i.practice_id = $1 AND i.id = $2",
            self.practice_id,
            invitation_id,
        )
        return _invitation(row) if row else None

    async def revoke(self, invitation_id: InvitationId, *, at: datetime) -> None:
        await current().run(
            "UPDATE invitation SET revoked_at = $3 WHERE practice_id = $1 AND id = $2",
            self.practice_id,
            invitation_id,
            at,
        )

    async def inviter_may(self, invitation_id: InvitationId) -> bool:
        """Whether whoever made it might still make it."""
        found = await current().value(
            f"SELECT true FROM invitation AS i WHERE i.practice_id = $1 AND i.id = $2 AND {_INVITER_MAY}",
            self.practice_id,
            invitation_id,
        )
        return found is True

    async def end_unfounded(self, person_id: PersonId, *, at: datetime) -> None:
        """Revoke what this person made that nobody has accepted, and that it might not make any more."""
        await current().run(_END_UNFOUNDED, self.practice_id, person_id, at)

    async def accept(self, invitation_id: InvitationId, person_id: PersonId, *, at: datetime) -> None:
        await current().run(
            "UPDATE invitation SET accepted_at = $4, person_id = $3 WHERE practice_id = $1 AND id = $2",
            self.practice_id,
            invitation_id,
            person_id,
            at,
        )

    async def unknown_teams(self, ids: Sequence[TeamId]) -> list[TeamId]:
        return await self._unknown("SELECT t.id FROM team AS t WHERE t.practice_id = $1", ids)

    async def unknown_clients(self, ids: Sequence[ClientId]) -> list[ClientId]:
        sql = "SELECT t.id FROM client AS t WHERE t.practice_id = $1 AND t.deleted_at IS NULL"
        return await self._unknown(sql, ids)

    async def _unknown(self, sql: str, ids: Sequence[Any]) -> list[Any]:
        rows = await current().rows(f"{sql} AND t.id = ANY ($2::uuid[])", self.practice_id, list(ids))
        there = {row["id"] for row in rows}
        return [each for each in ids if each not in there]

    async def known_by_email(self, email: str) -> Known | None:
        return await self._known("p.email = $2", email)

    async def known_by_subject(self, issuer: str, subject: str) -> Known | None:
        return await self._known("p.issuer = $2 AND p.subject = $3", issuer, subject)

    async def _known(self, condition: str, *values: str) -> Known | None:
        row = await current().row(_KNOWN.format(condition=condition), self.practice_id, *values)
        return Known(**row) if row else None

    async def is_client_member(self, person_id: PersonId, client_id: ClientId) -> bool:
        found = await current().value(
            "SELECT true FROM client_member WHERE practice_id = $1 AND person_id = $2 AND client_id = $3",
            self.practice_id,
            person_id,
            client_id,
        )
        return found is True

    async def add_person(self, person_id: PersonId, name: str, email: str, *, at: datetime) -> None:
        await current().run(
            "INSERT INTO person (id, practice_id, name, name_key, email, created_at) VALUES ($2, $1, $3, $4, $5, $6)",
            self.practice_id,
            person_id,
            name,
            name_key(name),
            email,
            at,
        )

    async def know_as(self, person_id: PersonId, issuer: str, subject: str) -> None:
        """From here on this subject is the person."""
        await current().run(
            "UPDATE person SET issuer = $3, subject = $4 WHERE practice_id = $1 AND id = $2",
            self.practice_id,
            person_id,
            issuer,
            subject,
        )

    async def join(self, person_id: PersonId, to: ToMember, *, at: datetime) -> None:
        """Make the person a member, with the teams and clients that are still there."""
        await current().run(
            "INSERT INTO practice_member (person_id, practice_id, role, permissions, client_access, created_at) "
            "VALUES ($2, $1, $3, $4, $5, $6)",
            self.practice_id,
            person_id,
            to.role.value,
            sorted(to.permissions),
            to.client_access.value,
            at,
        )
        for table, column, target, ids in (
            ("member_team", "team_id", "team", to.teams),
            ("member_client", "client_id", "client", to.clients),
        ):
            sql = _LIST_FOR.format(table=table, column=column, target=target)
            await current().run(sql, self.practice_id, person_id, list(ids))


async def invitation_of(token_hash: bytes) -> tuple[PracticeId, InvitationId] | None:
    """Which invitation a token is of. System scope."""
    row = await current().row("SELECT practice_id, id FROM invitation WHERE token_hash = $1", token_hash)
    return (row["practice_id"], row["id"]) if row else None


def _invitation(row: Mapping[str, Any]) -> Invitation:
    return Invitation(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        to=_to_member(row) if row["kind"] == "MEMBER" else _to_client(row),
        invited_by=row["invited_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        accepted_by=row["person_id"],
        revoked_at=row["revoked_at"],
    )


def _to_member(row: Mapping[str, Any]) -> ToMember:
    return ToMember(
        role=Role(row["role"]),
        permissions=frozenset(Permission(permission) for permission in row["permissions"]),
        client_access=ClientAccess(row["client_access"]),
        teams=tuple(row["team_ids"]),
        clients=tuple(row["client_ids"]),
    )


def _to_client(row: Mapping[str, Any]) -> ToClient:
    return ToClient(client_id=row["client_id"], role=ClientRole(row["client_role"]))
