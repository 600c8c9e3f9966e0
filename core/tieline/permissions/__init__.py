"""Who may ask for what: a rule for each query, mutation and subscription, and what it comes to for everybody.

    Who ── stands for ──► Asker: a principal, and whether it administers the client that is meant
    RULES["Mutation.sync"] ── decides ──► Cell: yes, own, none, no, hidden, nothing, out

Services guard themselves; here is said what their guards come to, by the same words of `Principal`.
docs/permissions.md is printed from this, and a test asks a running gateway for every cell.
"""

from __future__ import annotations

from tieline.permissions.askers import ASKERS, WHO, Asker, Who
from tieline.permissions.cells import CELLS, Cell
from tieline.permissions.operations import RULES
from tieline.permissions.rules import Rule

__all__ = ["CELLS", "RULES", "WHO", "Asker", "Cell", "Rule", "Who", "cell"]


def cell(rule: Rule, who: Who) -> Cell:
    """What the rule comes to for somebody, who asks for things of the practice."""
    if who in (Who.NOBODY, Who.DEACTIVATED):
        return Cell.UNAUTHENTICATED
    if who in (Who.GUEST, Who.OUTSIDER):
        stranger = Cell.UNAUTHENTICATED if who is Who.GUEST else Cell.NOTHING
        return Cell.YES if rule.in_person else stranger
    return rule.decide(ASKERS[who])
