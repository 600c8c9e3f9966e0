"""The SQL of teams, of who is in them, and of the clients they look after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tieline.clients.repository import ClientStatement
from tieline.database import current
from tieline.ids import PersonId, PracticeId, TeamId
from tieline.practices.repository import Team
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamSize:
    """How many active members a team has, and how many clients, as far as the caller sees them."""

    team_id: TeamId
    members: int
    clients: int


_SIZES = """
SELECT t.id AS team_id,
       (SELECT count(*) FROM member_team AS mt
         CROSS JOIN LATERAL (SELECT FROM person AS p WHERE p.practice_id = mt.practice_id AND p.id = mt.person_id
                                AND p.deactivated_at IS NULL LIMIT 1) AS p
         WHERE mt.practice_id = $1 AND mt.team_id = t.id) AS members,
       (SELECT count(*) FROM client AS c
         WHERE c.practice_id = $1 AND c.team_id = t.id AND c.deleted_at IS NULL AND {visible}) AS clients
  FROM team AS t WHERE t.practice_id = $1 AND t.id = ANY ({teams}::uuid[])
"""
# In the order in which everybody locks clients; those that are deleted only wait for their rows to go.
_MOVE = """
WITH locked AS (SELECT id FROM client WHERE practice_id = $1 AND team_id = $2 {only} ORDER BY id FOR NO KEY UPDATE)
UPDATE client SET team_id = $3::uuid WHERE practice_id = $1 AND id IN (SELECT id FROM locked)
"""
_CHANGED = """
WITH wanted AS (SELECT unnest($3::uuid[]) AS person_id),
     gone AS (DELETE FROM member_team WHERE practice_id = $1 AND team_id = $2
                 AND person_id <> ALL ($3::uuid[]) RETURNING person_id),
     come AS (INSERT INTO member_team (practice_id, person_id, team_id) SELECT $1, person_id, $2 FROM wanted
                  ON CONFLICT DO NOTHING RETURNING person_id)
SELECT person_id FROM gone UNION ALL SELECT person_id FROM come
"""


class TeamRepository:
    """The teams of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> TeamRepository:
        return cls(practice_id)

    async def lock(self, team_id: TeamId) -> Team | None:
        """The team, held against new clients and members until the transaction ends."""
        row = await current().row(
            "SELECT id, name FROM team WHERE practice_id = $1 AND id = $2 FOR UPDATE",
            self._practice_id,
            team_id,
        )
        return Team(id=row["id"], name=row["name"]) if row else None

    async def add(self, team: Team, *, at: datetime) -> None:
        await current().run(
            "INSERT INTO team (id, practice_id, name, created_at) VALUES ($2, $1, $3, $4)",
            self._practice_id,
            team.id,
            team.name,
            at,
        )

    async def rename(self, team_id: TeamId, name: str) -> None:
        sql = "UPDATE team SET name = $3 WHERE practice_id = $1 AND id = $2"
        await current().run(sql, self._practice_id, team_id, name)

    async def count_clients(self, team_id: TeamId) -> int:
        count: int = await current().value(
            "SELECT count(*) FROM client WHERE practice_id = $1 AND team_id = $2 AND deleted_at IS NULL",
            self._practice_id,
            team_id,
        )
        return count

    async def move_clients(self, team_id: TeamId, target: TeamId | None, *, deleted_only: bool) -> None:
        """Give the team's clients to another team, or to none."""
        sql = _MOVE.format(only="AND deleted_at IS NOT NULL" if deleted_only else "")
        await current().run(sql, self._practice_id, team_id, target)

    async def members(self, team_id: TeamId) -> list[PersonId]:
        rows = await current().rows(
            "SELECT person_id FROM member_team WHERE practice_id = $1 AND team_id = $2 ORDER BY person_id",
            self._practice_id,
            team_id,
        )
        return [row["person_id"] for row in rows]

    async def set_members(self, team_id: TeamId, people: Collection[PersonId]) -> list[PersonId]:
        """Make these its members and nobody else; those who came or went."""
        rows = await current().rows(_CHANGED, self._practice_id, team_id, list(people))
        return [row["person_id"] for row in rows]

    async def delete(self, team_id: TeamId) -> None:
        """A team without clients; nobody is its member any more."""
        await current().run("DELETE FROM team WHERE practice_id = $1 AND id = $2", self._practice_id, team_id)


async def sizes(principal: Principal, ids: Collection[TeamId]) -> list[TeamSize]:
    """Of those of these teams that there are."""
    sql = ClientStatement(principal)
    teams = sql.bind(list(ids))
    rows = await current().rows(_SIZES.format(teams=teams, visible=sql.visible("c.id")), *sql.arguments)
    return [TeamSize(team_id=row["team_id"], members=row["members"], clients=row["clients"]) for row in rows]
