"""Suggesting clients for the organisations that a sign-in found."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from tieline import clock
from tieline.connections.facts import usable_sign_in
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.suggestions.matching import Sought, Suggestion, namesakes, suggest
from tieline.connections.suggestions.repository import unconnected_clients, visible_clients
from tieline.database import scope
from tieline.errors import Invalid
from tieline.ids import ClientId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sign_ins.repository import SignInRepository

MAX_ORGANISATIONS = 200


async def suggest_clients(
    principal: Principal, sign_in_id: SignInId, product: Product, organisation_ids: Collection[OrganisationId]
) -> dict[OrganisationId, tuple[Suggestion, ...]]:
    """For each of these organisations that the sign-in found: at most three clients that it may be, best first.

    Only clients that the caller sees and that have no current connection of the product, the first 10,000 by name.
    Raises NotFound, SignInNotReady, SignInOver and Invalid (more than 200 organisations).
    """
    _check_size(organisation_ids)
    async with scope(principal.practice_id):
        await usable_sign_in(principal, sign_in_id, at=clock.now())
        found = await SignInRepository.of(principal.practice_id).organisations(sign_in_id)
        wanted = {each.organisation_id for each in found} & set(organisation_ids)
        organisations = await OrganisationRepository.of(principal.practice_id).get_many(wanted)
        candidates = await unconnected_clients(principal, product)
    return await asyncio.to_thread(suggest, [_sought(each) for each in organisations], candidates)


async def find_namesakes(
    principal: Principal, organisation_ids: Collection[OrganisationId]
) -> dict[OrganisationId, tuple[ClientId, ...]]:
    """For each of these organisations that the caller knows of: the clients of the very same name, ten at most.

    Clients that the caller sees, whatever they are connected to, of the first 10,000 by name. Raises Invalid (more
    than 200 organisations).
    """
    _check_size(organisation_ids)
    async with scope(principal.practice_id):
        repository = OrganisationRepository.of(principal.practice_id)
        organisations = await repository.visible_to(principal, organisation_ids)
        candidates = await visible_clients(principal)
    return await asyncio.to_thread(namesakes, [_sought(each) for each in organisations], candidates)


def _check_size(organisation_ids: Collection[OrganisationId]) -> None:
    if len(organisation_ids) > MAX_ORGANISATIONS:
        raise Invalid(
            f"Ask for at most {MAX_ORGANISATIONS} organisations at a time; these are {len(organisation_ids)}.",
            field="organisationIds",
        )


def _sought(organisation: Organisation) -> Sought:
    return Sought(
        organisation_id=organisation.id,
        name=organisation.name,
        legal_name=organisation.legal_name,
        client_id=organisation.client_id,
    )
