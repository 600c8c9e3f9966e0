"""What is asked of a provider through its plugin, beside records: what goes wrong in the plugin is told of the plugin.

It answers in time, and with what was asked for, or the provider counts as away or broken. Nothing else that a plugin
raises gets further than here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from tieline.connections.models import EXTERNAL_ID_LENGTH
from tieline.errors import ProviderBroken, ProviderUnavailable, TielineError
from tieline.log import get_logger, trace_of
from tieline.plugins import Consent, OrganisationDetails, Provider, Reached, Session
from tieline.plugins.edge import RAISED, Late, within

_ASK_SECONDS = 120.0

T = TypeVar("T")

_log = get_logger(__name__)


async def ask_reached(provider: Provider, session: Session, consent: Consent | None = None) -> list[Reached]:
    """What the login reaches, each organisation once. Raises what the session raises, and ProviderBroken."""

    async def asking() -> list[Reached]:
        return each_once(provider.info.slug, await provider.organisations(session, consent))

    return await _asked(provider, session, "tell what a login reaches", asking)


async def ask_details(provider: Provider, session: Session) -> OrganisationDetails:
    """The details of the session's organisation. Raises what the session raises, and ProviderBroken."""

    async def asking() -> OrganisationDetails:
        details = await provider.organisation(session)
        if not isinstance(details, OrganisationDetails):
            raise TypeError(type(details).__name__)
        return details

    return await _asked(provider, session, "tell an organisation's details", asking)


async def ask_release(provider: Provider, session: Session, external_id: str, *, seconds: float) -> None:
    """Let go of the organisation, in this time. Raises what the session raises, and ProviderBroken."""

    async def asking() -> None:
        await provider.release(session, external_id)

    await _asked(provider, session, "let go of an organisation", asking, seconds=seconds)


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


async def _asked(
    provider: Provider,
    session: Session,
    what: str,
    asking: Callable[[], Awaitable[T]],
    *,
    seconds: float | None = None,
) -> T:
    slug = provider.info.slug
    try:
        return await within(_ASK_SECONDS if seconds is None else seconds, provider, session, asking)
    except TielineError:
        raise
    except Late as late:
        if late.is_left:
            raise ProviderBroken(slug, f"its plugin does not stop to {what}") from late
        raise ProviderUnavailable(slug) from late
    except RAISED as fault:
        _log.error("plugin.failed", provider=slug, exception=trace_of(fault))
        raise ProviderBroken(slug, f"its plugin could not {what}") from fault
