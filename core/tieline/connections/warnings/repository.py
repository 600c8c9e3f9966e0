"""The SQL of ends to come: which connections are near theirs, and what people were warned of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from tieline.connections.states import Reason
from tieline.connections.warnings.ends import AHEAD, SAME, WARN_DAYS, Ends, Warned
from tieline.credentials.consents.repository import consent_ends, consent_life, is_over
from tieline.database import current
from tieline.ids import ConnectionId, PracticeId
from tieline.principal import Principal
from tieline.visibility import visible_client

# What `{k}` stands before are columns of a connection.
_GRANT_ENDS = """(
SELECT cr.hard_expires_at FROM credential AS cr WHERE cr.practice_id = {k}practice_id AND cr.id = {k}credential_id)"""
_NEAR = f"""
SELECT k.id
  FROM (SELECT k.id FROM consent AS n
          JOIN connection AS k ON k.practice_id = n.practice_id AND k.credential_id = n.credential_id
                              AND k.organisation_id = n.organisation_id
         WHERE n.practice_id = {{practice}}
           AND n.consented_at <= $2::timestamptz + $3::interval - {consent_life("{practice}")}
         UNION
        SELECT k.id FROM credential AS cr
          JOIN connection AS k ON k.practice_id = cr.practice_id AND k.credential_id = cr.id
         WHERE cr.practice_id = {{practice}} AND cr.state = 'LIVE'
           AND cr.hard_expires_at <= $2::timestamptz + $3::interval) AS near
  JOIN connection AS k ON k.practice_id = {{practice}} AND k.id = near.id AND k.ended_at IS NULL
 CROSS JOIN LATERAL (
       SELECT known.*, least(known.consent_ends, known.grant_ends) AS nearest
         FROM (SELECT {consent_ends("k.", practice="{practice}")} AS consent_ends,
                      {_GRANT_ENDS.format(k="k.")} AS grant_ends OFFSET 0) AS known OFFSET 0) AS ends
 WHERE {{condition}}
 ORDER BY k.id LIMIT $4
"""
_OF_PRACTICE = _NEAR.format(practice="$1::uuid", condition="{condition}")
_PRACTICES = f"""
SELECT every.id FROM practice AS every
 WHERE $1::uuid IS NULL AND EXISTS ({_NEAR.format(practice="every.id", condition="{condition}")})
 ORDER BY every.id
"""
_OVER = "ends.consent_ends <= $2 AND (k.reason IS NULL OR k.reason = ANY ($5::text[]))"
_MARK = """(
SELECT min(mark) FROM unnest($5::integer[]) AS mark
 WHERE ends.nearest <= $2::timestamptz + make_interval(hours => 24 * mark))"""
_NEWS = f"""k.reason IS NULL AND ends.nearest > $2
 AND (k.warned_of IS NULL OR k.warned_days > {_MARK}
      OR greatest(k.warned_of - ends.nearest, ends.nearest - k.warned_of) >= $6::interval)"""
_ENDS = f"""
SELECT k.id AS connection_id, k.warned_of, k.warned_days,
       {consent_ends("k.", practice="$1")} AS consent_ends, {_GRANT_ENDS.format(k="k.")} AS grant_ends
  FROM connection AS k
 CROSS JOIN LATERAL (
       SELECT c.deleted_at FROM client AS c WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c
 WHERE k.practice_id = $1 AND k.id = ANY ($2::uuid[]) AND k.ended_at IS NULL AND c.deleted_at IS NULL AND {{condition}}
 ORDER BY k.id
"""


class EndRepository:
    """The ends of one practice's connections; made for a principal, those of the clients that it sees."""

    def __init__(self, practice_id: PracticeId, principal: Principal | None) -> None:
        self.practice_id = practice_id
        self._principal = principal

    @classmethod
    def of(cls, practice_id: PracticeId) -> EndRepository:
        """All of the practice, for the system's own work."""
        return cls(practice_id, None)

    @classmethod
    def visible_to(cls, principal: Principal) -> EndRepository:
        return cls(principal.practice_id, principal)

    async def find_over(
        self, *, instead_of: Collection[Reason], at: datetime, most: int
    ) -> list[ConnectionId]:
        """Current connections whose consent has run out, that work or are bad for one of these reasons."""
        return await self._near(_OVER, at, timedelta(0), most, _values(instead_of))

    async def find_news(self, *, at: datetime, most: int) -> list[ConnectionId]:
        """Working connections that people are to be warned of."""
        return await self._near(_NEWS, at, AHEAD, most, list(WARN_DAYS), SAME)

    async def working(self, ids: Collection[ConnectionId]) -> list[Ends]:
        """When those of these end that are current and that nothing is wrong with."""
        condition, bound = "k.reason IS NULL", [self.practice_id, list(ids)]
        if self._principal is not None:
            condition += f" AND {visible_client(self._principal, 'k.client_id', '$3::uuid')}"
            if not self._principal.sees_all_clients:
                bound.append(self._principal.person_id)
        return [_ends(row) for row in await current().rows(_ENDS.format(condition=condition), *bound)]

    async def over(
        self, ids: Collection[ConnectionId], *, instead_of: Collection[Reason], at: datetime
    ) -> list[ConnectionId]:
        """Those of these current ones whose consent has run out, that work or are bad for another of these reasons."""
        condition = "(k.reason IS NULL OR k.reason = ANY ($3::text[]))"
        rows = await current().rows(
            _ENDS.format(condition=condition),
            self.practice_id,
            list(ids),
            _values(instead_of),
        )
        ends = [_ends(row) for row in rows]
        return [
            each.connection_id for each in ends if each.consent_ends is not None and each.consent_ends <= at
        ]

    async def _near(self, condition: str, *arguments: object) -> list[ConnectionId]:
        rows = await current().rows(_OF_PRACTICE.format(condition=condition), self.practice_id, *arguments)
        return [row["id"] for row in rows]

    async def note(self, warned: Collection[Warned]) -> None:
        """Remember what people are told of these, which are locked."""
        await current().run(
            "UPDATE connection AS k SET warned_of = w.expires_at, warned_days = w.days "
            "FROM unnest($2::uuid[], $3::timestamptz[], $4::integer[]) AS w (id, expires_at, days) "
            "WHERE k.practice_id = $1 AND k.id = w.id",
            self.practice_id,
            [each.connection_id for each in warned],
            [each.expires_at for each in warned],
            [each.days for each in warned],
        )


def is_warned_of(prefix: str, *, practice: str, at: str, until: str) -> str:
    """A condition on a connection whose columns have this prefix: it works, and ends after `at` and by `until`."""
    ended, ending = (is_over(prefix, practice=practice, at=f"{each}::timestamptz") for each in (at, until))
    grant = _GRANT_ENDS.format(k=prefix)
    return (
        f"({prefix}reason IS NULL AND NOT {ended} AND coalesce({grant} > {at}, true)"
        f" AND ({ending} OR coalesce({grant} <= {until}, false)))"
    )


async def practices_with_over(*, instead_of: Collection[Reason], at: datetime) -> list[PracticeId]:
    """The practices where a consent has run out. System scope."""
    return await _practices(_OVER, at, timedelta(0), 1, _values(instead_of))


async def practices_with_news(*, at: datetime) -> list[PracticeId]:
    """The practices where people are to be warned. System scope."""
    return await _practices(_NEWS, at, AHEAD, 1, list(WARN_DAYS), SAME)


async def _practices(condition: str, *arguments: object) -> list[PracticeId]:
    rows = await current().rows(_PRACTICES.format(condition=condition), None, *arguments)
    return [row["id"] for row in rows]


def _values(reasons: Collection[Reason]) -> list[str]:
    return [reason.value for reason in reasons]


def _ends(row: Any) -> Ends:
    return Ends(**dict(row))
