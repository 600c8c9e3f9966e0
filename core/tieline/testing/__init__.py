"""The conformance kit: every rule of the contract for plugins, tried on a provider and a server that pretends to be it.

pretender   what the server must offer
rule        a rule, and how it is broken
rules       all of them
bench       sign-ins and sessions at the server
wire        the line to it, which bends answers
odd         answers as nobody expects them
reading     how a feed is read, and what any page is looked at for
elsewhere   a page in another process
suite       the rules as tests: this alone needs pytest
"""

from tieline.testing.bench import opened
from tieline.testing.pretender import (
    App,
    ArchivingPretender,
    ForgettingPretender,
    Pretender,
    Pretending,
    TellingPretender,
)
from tieline.testing.rule import Rule, RuleBroken
from tieline.testing.rules import RULES

__all__ = [
    "RULES",
    "App",
    "ArchivingPretender",
    "ForgettingPretender",
    "Pretender",
    "Pretending",
    "Rule",
    "RuleBroken",
    "TellingPretender",
    "opened",
]
