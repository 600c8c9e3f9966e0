"""Which clients a caller sees, as SQL: all of the practice, or those listed for the person."""

from __future__ import annotations

from typing import TypeAlias

from tieline.ids import PersonId, PracticeId
from tieline.principal import Principal, Role

View: TypeAlias = tuple[PracticeId, PersonId | None, Role | None]
"""What a caller's sight hangs on: all of a practice, or one person's lists by one role."""

_OWN = "SELECT client_id FROM client_member WHERE practice_id = $1 AND person_id = {person}"
_LISTED = """
SELECT client_id FROM client_member WHERE practice_id = $1 AND person_id = {person}
 UNION ALL
SELECT client_id FROM member_client WHERE practice_id = $1 AND person_id = {person}
 UNION ALL
SELECT tc.id FROM member_team AS mt
  JOIN client AS tc ON tc.practice_id = mt.practice_id AND tc.team_id = mt.team_id
 WHERE mt.practice_id = $1 AND mt.person_id = {person}
"""


def visible_client(principal: Principal, column: str, person: str) -> str:
    """A condition on a client's id; `$1` is the practice, `person` the parameter that holds the person's id.

    A deleted client still fulfils it, so that who saw the client sees the event of its end. Everything but
    events joins the client and takes out those that have a `deleted_at`.
    """
    if principal.sees_all_clients:
        return "true"
    listed = _LISTED if principal.role is Role.MEMBER else _OWN
    # An array, so that the plan is good for a practice that the planner's statistics have not seen yet.
    return f"{column} = ANY (ARRAY ({listed.format(person=person)}))"


def view_of(principal: Principal) -> View:
    """Equal for callers for whom `visible_client` makes the same condition with the same person."""
    if principal.sees_all_clients:
        return principal.practice_id, None, None
    return principal.practice_id, principal.person_id, principal.role
