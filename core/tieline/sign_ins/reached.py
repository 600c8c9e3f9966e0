"""What a login reaches, asked through the plugin: if the plugin fails at it, that is told of the plugin, not of us."""

from __future__ import annotations

from collections.abc import Iterable

from tieline.connections.models import EXTERNAL_ID_LENGTH
from tieline.errors import ProviderBroken, TielineError
from tieline.log import get_logger
from tieline.plugins import Consent, Provider, Reached, Session

_log = get_logger(__name__)


async def ask_reached(provider: Provider, session: Session, consent: Consent | None = None) -> list[Reached]:
    """Each organisation once. Raises what the session raises, and ProviderBroken for whatever else a plugin raises."""
    slug = provider.info.slug
    try:
        return each_once(slug, await provider.organisations(session, consent))
    except TielineError:
        raise
    except Exception as fault:
        _log.exception("sign_in.plugin_failed", provider=slug)
        raise ProviderBroken(slug, "its plugin could not tell what a login reaches") from fault


def each_once(provider: str, reached: Iterable[Reached]) -> list[Reached]:
    """What a provider names twice is one, and consented to if it is so once. Raises ProviderBroken."""
    once: dict[str, Reached] = {}
    for each in reached:
        if not 0 < len(each.external_id) <= EXTERNAL_ID_LENGTH:
            raise ProviderBroken(provider, "an organisation's id is empty or too long")
        before = once.get(each.external_id)
        once[each.external_id] = before if before is not None and before.consented else each
    return list(once.values())
