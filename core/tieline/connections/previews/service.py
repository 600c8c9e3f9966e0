"""What callers ask before they disconnect: who else uses the sign-in, and what is let go of at the provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tieline import clock
from tieline.connections.permitted import permitted
from tieline.connections.previews.repository import Sharing, clients_on
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.states import Reason
from tieline.credentials.repository import CredentialRepository
from tieline.credentials.uses.repository import Uses, uses_of_credential, uses_of_organisation
from tieline.database import scope
from tieline.ids import ConnectionId
from tieline.principal import Permission, Principal
from tieline.sign_ins.rounds.repository import RoundRepository

MAX_NAMES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class DisconnectPreview:
    """What disconnecting would leave as it is, and what it would let go of at the provider.

    `other_products` are the client's own on the same credential. `keeps_until` is of what is let go of: a sign-in may
    use the organisation up to then, or somebody may come back from a consent page, so that nothing goes earlier.
    """

    connection: Connection
    sharing: Sharing
    other_products: tuple[Connection, ...]
    releases_organisation: bool
    ends_consent: bool
    keeps_until: datetime | None


async def preview_disconnect(principal: Principal, connection_id: ConnectionId) -> DisconnectPreview:
    """What `disconnect` would do at this moment; it holds nobody up, and others may change it meanwhile.

    Raises NotFound and Forbidden, as `disconnect` does.
    """
    async with scope(principal.practice_id):
        found = await permitted(principal, connection_id, Permission.MANAGE_CONNECTIONS)
        sharing = await clients_on(principal, found, most=MAX_NAMES)
        standing = await ConnectionRepository.of(principal.practice_id).current_of_clients([found.client_id])
        at, whose = clock.now(), (principal.practice_id, found.credential_id)
        organisation = await uses_of_organisation(
            *whose, found.organisation_id, at=at, apart_from=connection_id
        )
        credential = await uses_of_credential(*whose, at=at, apart_from=connection_id)
        out_until = await _out_until(found, at=at)
    releases = _is_let_go(found, organisation)
    pending = [until for until in (organisation.until, out_until) if until is not None]
    return DisconnectPreview(
        connection=found,
        sharing=sharing,
        other_products=tuple(each for each in standing if _shares(each, found)),
        releases_organisation=releases,
        ends_consent=_is_let_go(found, credential),
        keeps_until=max(pending, default=None) if releases else None,
    )


def _is_let_go(connection: Connection, uses: Uses) -> bool:
    """What is disconnected already, nothing more is done about."""
    return connection.reason is not Reason.DISCONNECTED and uses.live and not uses.connected


async def _out_until(connection: Connection, *, at: datetime) -> datetime | None:
    """Until when somebody may come back from the provider with a consent: as whom is not known before."""
    credential = await CredentialRepository.of(connection.practice_id).get(connection.credential_id)
    if credential is None:
        return None
    return await RoundRepository.of(connection.practice_id).open_until(credential.app_id, at=at)


def _shares(other: Connection, connection: Connection) -> bool:
    is_other = other.id != connection.id and other.reason is not Reason.DISCONNECTED
    return is_other and other.credential_id == connection.credential_id
