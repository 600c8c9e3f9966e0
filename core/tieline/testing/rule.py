"""A rule of the contract for plugins: its name, its sentence, what to do, and how to see whether it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tieline.testing.bench import Bench

Check: TypeAlias = "Callable[[Bench], Awaitable[None]]"


class RuleBroken(AssertionError):
    """A provider does not keep a rule; the message names the rule, what was seen, and what to do."""

    def __init__(self, rule: Rule, saw: str) -> None:
        super().__init__(f"{rule.id}: {rule.says} But {saw}. {rule.mend}")
        self.rule = rule


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rule:
    """`id` stays the same for ever. `says` is what is true of a provider that keeps it, `mend` what to do else."""

    id: str
    says: str
    mend: str
    check: Check

    def broken(self, saw: str) -> RuleBroken:
        """`saw` goes on after 'But', and does not end."""
        return RuleBroken(self, saw)


def rule(*, says: str, mend: str) -> Callable[[Check], Rule]:
    """Makes a rule of its check, and names it by that."""

    def made(check: Check) -> Rule:
        name: str = check.__name__
        return Rule(id=name.replace("_", "-"), says=says, mend=mend, check=check)

    return made
