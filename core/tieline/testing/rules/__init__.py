"""Every rule of the kit, in the order in which a plugin grows.

    data       what a provider says of itself
    consents   sign-ins, organisations, tokens that end
    answers    limits, and answers that fit nothing
    contents   what stands in the records
    settling   what a practice may settle about a connection
    feeds      what a reading shows, and what it costs
    webhooks   what the provider tells by itself, where the plugin takes that
    reading    (beside this package) what any page is looked at for

A part of the contract that a plugin may leave out has a module of its own: its rules look for the part first, and are
kept by a provider that does not have it.
"""

from tieline.testing.reading import READING_RULES
from tieline.testing.rule import Rule
from tieline.testing.rules import answers, consents, contents, data, feeds, settling, webhooks

RULES: tuple[Rule, ...] = (
    *data.RULES,
    *consents.RULES,
    *answers.RULES,
    *contents.RULES,
    *settling.RULES,
    *READING_RULES,
    *feeds.RULES,
    *webhooks.RULES,
)
