"""An organisation that nothing uses any more is released at its provider, and then its consent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.credentials.holding import Holding
from tests.support.jobs import calendar
from tieline.connections.previews.service import preview_disconnect
from tieline.credentials import letting_go
from tieline.credentials.letting_go import let_go_credential, release_at_provider, release_organisation
from tieline.credentials.service import open_session
from tieline.ids import ConnectionId, OrganisationId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.work import Again
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

LATER = timedelta(hours=24)


async def test_disconnecting_releases_the_organisation_and_at_last_the_consent(holding: Holding) -> None:
    bakery, books = holding.person.organisations
    first, second = await holding.connect(bakery), await holding.connect(books)
    of_bakery, of_books = await holding.organisation_of(first), await holding.organisation_of(second)
    await holding.find(of_bakery, usable_until=await calendar() - LATER)

    await holding.disconnect(first)
    await _let_go_of(holding, of_bakery)

    assert [one["tenant_id"] for one in await _connections(holding)] == [books.tenant_id]
    assert await _reach(holding) == [of_books]
    assert await _in_sign_ins(holding, of_bakery) == 0
    assert (await holding.row())["state"] == "LIVE"

    await holding.disconnect(second)
    await _let_go_of(holding, of_books)

    assert (await holding.row())["state"] == "DEAD"
    assert await holding.grants() == []


async def test_what_a_preview_said_is_what_the_provider_is_told_then(holding: Holding) -> None:
    bakery, books = holding.person.organisations
    first, second = await holding.connect(bakery), await holding.connect(books)
    of_bakery, of_books = await holding.organisation_of(first), await holding.organisation_of(second)

    of_first = await _previewed(holding, first)
    await holding.disconnect(first)
    await _let_go_of(holding, of_bakery)
    left = len(await _connections(holding))
    of_second = await _previewed(holding, second)
    await holding.disconnect(second)
    await _let_go_of(holding, of_books)
    of_what_is_over = await _previewed(holding, second)

    assert (of_first, left) == ((True, False), 1)
    assert (of_second, await holding.grants()) == ((True, True), [])
    assert of_what_is_over == (False, False)


async def test_an_organisation_that_another_connection_uses_is_not_released(holding: Holding) -> None:
    bakery = holding.person.organisations[0]
    first = await holding.connect(bakery)
    client_id = await holding.above.fetchval("SELECT client_id FROM connection WHERE id = $1", first)
    await holding.connect(bakery, product=Product.DATA_HEALTH, client_id=client_id)
    organisation_id = await holding.organisation_of(first)
    await holding.disconnect(first)

    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)

    assert await holding.jobs("release_at_provider") == []
    assert await _reach(holding) == [organisation_id]
    assert await release_at_provider(holding.practice_id, holding.credential.id, organisation_id) is None
    assert len(await _connections(holding)) == 2


async def test_an_organisation_that_a_new_consent_reached_again_is_not_released(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(connection_id)
    await holding.disconnect(connection_id)
    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)

    usable_until = await calendar() + LATER
    await holding.find(organisation_id, usable_until=usable_until)
    answer = await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)

    assert answer == Again(usable_until + timedelta(minutes=1))
    assert len(await _connections(holding)) == 2


async def test_a_release_that_was_not_answered_is_tried_again(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(connection_id)
    await holding.disconnect(connection_id)
    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)
    await holding.sandbox.plant("status", "connections", status=503, times=20)

    await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)
    assert await holding.jobs("let_go_credential") == []
    assert await _reach(holding) == [organisation_id], "what is not released yet is still known"

    await holding.sandbox.control("DELETE", "/faults")
    await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)
    await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)
    assert len(await _connections(holding)) == 1
    assert len(await holding.jobs("let_go_credential")) == 1


async def test_while_a_sign_in_may_connect_it_again_it_is_not_decided_that_it_goes(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(connection_id)
    usable_until = await calendar() + LATER
    await holding.find(organisation_id, usable_until=usable_until)
    await holding.disconnect(connection_id)

    answer = await release_organisation(holding.practice_id, holding.credential.id, organisation_id)

    assert answer == Again(usable_until + timedelta(minutes=1))
    assert await _in_sign_ins(holding, organisation_id) == 1
    assert await holding.jobs("release_at_provider") == []


async def test_nothing_is_released_under_somebody_who_is_at_the_consent_page(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(connection_id)
    await holding.disconnect(connection_id)
    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)
    back_by = await calendar() + timedelta(minutes=5)
    await holding.round(expires_at=back_by)

    answer = await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)

    assert answer == Again(back_by + timedelta(minutes=1))
    assert len(await _connections(holding)) == 2


async def test_what_came_to_use_it_while_it_was_released_is_told_that_it_is_gone(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    bakery = holding.person.organisations[0]
    gone = await holding.connect(bakery)
    client_id = await holding.above.fetchval("SELECT client_id FROM connection WHERE id = $1", gone)
    organisation_id = await holding.organisation_of(gone)
    await holding.disconnect(gone)
    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)
    came: list[ConnectionId] = []

    async def meanwhile(*arguments: Any, **more: Any) -> Any:
        await holding.find(organisation_id, usable_until=await calendar() + LATER)
        came.append(await holding.connect(bakery, product=Product.DATA_HEALTH, client_id=client_id))
        return await open_session(*arguments, **more)

    monkeypatch.setattr(letting_go, "open_session", meanwhile)
    await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)

    assert [await holding.reason(each) for each in came] == ["REVOKED_AT_PROVIDER"]
    assert await holding.expiries() == came
    assert await holding.reason(gone) == "DISCONNECTED"
    assert (await _in_sign_ins(holding, organisation_id), await _reach(holding)) == (0, [])


async def test_a_dead_credential_has_nothing_to_release(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(connection_id)
    await holding.disconnect(connection_id)
    await holding.above.execute(
        "UPDATE credential SET state = 'DEAD', tokens_sealed = NULL WHERE id = $1", holding.credential.id
    )

    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)

    assert await release_at_provider(holding.practice_id, holding.credential.id, organisation_id) is None
    assert await let_go_credential(holding.practice_id, holding.credential.id) is None
    assert await holding.sandbox.log(holding.portal, "connections", "revocation") == []


async def _previewed(holding: Holding, connection_id: ConnectionId) -> tuple[bool, bool]:
    """Whether disconnecting it would release its organisation, and whether it would end the consent."""
    told = await preview_disconnect(Principal.machine(holding.practice_id), connection_id)
    return told.releases_organisation, told.ends_consent


async def _let_go_of(holding: Holding, organisation_id: OrganisationId) -> None:
    """The jobs one after the other, as a worker runs them."""
    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)
    for actor in ("release_at_provider", "let_go_credential"):
        for job in await holding.jobs(actor):
            await Runner(ACTORS).run(job["id"])
        assert await holding.jobs(actor) == []


async def _connections(holding: Holding) -> list[dict[str, Any]]:
    """The organisations that the provider still connects to the app."""
    grants = await holding.grants()
    return grants[0]["connections"] if grants else []


async def _reach(holding: Holding) -> list[UUID]:
    rows = await holding.above.fetch(
        "SELECT organisation_id FROM consent WHERE credential_id = $1", holding.credential.id
    )
    return [row["organisation_id"] for row in rows]


async def _in_sign_ins(holding: Holding, organisation_id: UUID) -> int:
    found: int = await holding.above.fetchval(
        "SELECT count(*) FROM sign_in_organisation WHERE organisation_id = $1", organisation_id
    )
    return found
