"""Which clients a caller sees, as SQL: all of the practice, or those listed for the person."""

from __future__ import annotations

from tieline.principal import Principal, Role

_LISTED = """(
    EXISTS (SELECT FROM client_member AS cm
             WHERE cm.practice_id = $1 AND cm.person_id = {person} AND cm.client_id = {column})
 OR EXISTS (SELECT FROM member_client AS mc
             WHERE mc.practice_id = $1 AND mc.person_id = {person} AND mc.client_id = {column})
 OR EXISTS (SELECT FROM client AS tc JOIN member_team AS mt
                ON mt.practice_id = tc.practice_id AND mt.team_id = tc.team_id
             WHERE tc.practice_id = $1 AND tc.id = {column} AND mt.person_id = {person}))"""
_OWN = """
EXISTS (SELECT FROM client_member AS cm
         WHERE cm.practice_id = $1 AND cm.person_id = {person} AND cm.client_id = {column})"""


def visible_client(principal: Principal, column: str, person: str) -> str:
    """A condition on a client's id; `$1` is the practice, `person` the parameter that holds the person's id."""
    if principal.sees_all_clients:
        return "true"
    template = _LISTED if principal.role is Role.MEMBER else _OWN
    return template.format(column=column, person=person)
