"""What is asked of a provider through its plugin, beside records: what goes wrong in the plugin is told of the plugin.

It answers in time, and with what was asked for, or the provider counts as away or broken. Nothing else that a plugin
raises gets further than here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tieline.connections.models import EXTERNAL_ID_LENGTH
from tieline.errors import ProviderBroken, ProviderUnavailable, TielineError
from tieline.log import get_logger
from tieline.plugins import Consent, OrganisationDetails, Provider, Reached, Session

_ASK_SECONDS = 120.0

_log = get_logger(__name__)


async def ask_reached(provider: Provider, session: Session, consent: Consent | None = None) -> list[Reached]:
    """What the login reaches, each organisation once. Raises what the session raises, and ProviderBroken."""
    async with _asking(provider, "tell what a login reaches"):
        return each_once(provider.info.slug, await provider.organisations(session, consent))


async def ask_details(provider: Provider, session: Session) -> OrganisationDetails:
    """The details of the session's organisation. Raises what the session raises, and ProviderBroken."""
    async with _asking(provider, "tell an organisation's details"):
        details = await provider.organisation(session)
        if not isinstance(details, OrganisationDetails):
            raise TypeError(type(details).__name__)
        return details


async def ask_release(provider: Provider, session: Session, external_id: str) -> None:
    """Let go of the organisation. Raises what the session raises, and ProviderBroken."""
    async with _asking(provider, "let go of an organisation"):
        await provider.release(session, external_id)


def each_once(provider: str, reached: Iterable[Any]) -> list[Reached]:
    """What a provider names twice is one, and consented to if it is so once. Raises ProviderBroken."""
    once: dict[str, Reached] = {}
    for each in reached:
        if not isinstance(each, Reached) or not isinstance(each.name, str):
            raise ProviderBroken(provider, "its plugin could not tell what a login reaches")
        if not 0 < len(each.external_id) <= EXTERNAL_ID_LENGTH:
            raise ProviderBroken(provider, "an organisation's id is empty or too long")
        before = once.get(each.external_id)
        once[each.external_id] = before if before is not None and before.consented else each
    return list(once.values())


@asynccontextmanager
async def _asking(provider: Provider, what: str) -> AsyncIterator[None]:
    slug = provider.info.slug
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            yield
    except TielineError:
        raise
    except TimeoutError as late:
        raise ProviderUnavailable(slug) from late
    except Exception as fault:
        _log.exception("plugin.failed", provider=slug)
        raise ProviderBroken(slug, f"its plugin could not {what}") from fault
