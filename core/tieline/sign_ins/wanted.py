"""Which organisation a reconnect is about: the provider is asked to preselect it, and no other will do."""

from __future__ import annotations

from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import ConnectionRepository
from tieline.credentials.apps.repository import App
from tieline.ids import ConnectionId
from tieline.plugins import Provider, Subject


async def wanted_organisation(app: App, connection_id: ConnectionId | None) -> str | None:
    """The provider's id of the connection's organisation; None where nobody reconnects anything at this app."""
    if connection_id is None:
        return None
    connection = await ConnectionRepository.of(app.practice_id).get(connection_id)
    if connection is None:
        return None
    known = await OrganisationRepository.of(app.practice_id).get_many([connection.organisation_id])
    return next((each.external_id for each in known if each.environment == app.environment), None)


async def is_another(
    app: App, provider: Provider, connection_id: ConnectionId | None, subject: Subject
) -> bool:
    """Whether a consent that can be about one organisation only is about another than the one to reconnect.

    Where a consent may reach several, who consented does not tell, and completing the sign-in looks.
    """
    if provider.info.bulk_consent or connection_id is None:
        return False
    return subject.id != await wanted_organisation(app, connection_id)
