"""What has to be known before many connections move: loaded under locks, in the order that everybody takes them."""

from __future__ import annotations

from collections.abc import Collection

from tieline.clients.repository import ClientRepository
from tieline.connections.facts import covers, forbids
from tieline.connections.moving.decisions import Facts
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.credentials.repository import Credential, CredentialRepository, State
from tieline.ids import CredentialId, OrganisationId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sign_ins.repository import SignIn, SignInRepository


async def mends_of(sign_in: SignIn) -> list[tuple[CredentialId, Product]]:
    """Which of a sign-in's credentials work, and are good enough for which products; nothing is locked."""
    ids = await SignInRepository.of(sign_in.practice_id).credentials(sign_in.id)
    found = await CredentialRepository.of(sign_in.practice_id).get_many(ids)
    return [
        (credential.id, product)
        for credential in found
        if credential.state is State.LIVE
        for product in Product
        if covers(sign_in.provider, credential, product)
    ]


async def load_facts(principal: Principal, sign_in: SignIn, connections: Collection[Connection]) -> Facts:
    """Everything that these are decided by, locked; a constant number of statements, however many they are."""
    practice_id = principal.practice_id
    clients = await ClientRepository.visible_to(principal).get_many(
        {each.client_id for each in connections}, lock=True
    )
    wanted = {each.organisation_id for each in connections}
    await OrganisationRepository.of(practice_id).lock(wanted)
    reached = await _reached(sign_in, wanted)
    standing = await ConnectionRepository.of(practice_id).lock([each.id for each in connections])
    return Facts(
        person_id=principal.person_id,
        clients={client.id: client for client in clients},
        forbids=forbids(principal),
        standing={each.id: each for each in standing},
        reached=reached,
        covers=lambda credential, product: covers(sign_in.provider, credential, product),
    )


async def _reached(sign_in: SignIn, wanted: Collection[OrganisationId]) -> dict[OrganisationId, Credential]:
    """Read once the organisations are held: what is about to be released is no longer found."""
    found = await SignInRepository.of(sign_in.practice_id).organisations(sign_in.id)
    through = {each.organisation_id: each.credential_id for each in found if each.organisation_id in wanted}
    locked = await CredentialRepository.of(sign_in.practice_id).lock(through.values())
    live = {credential.id: credential for credential in locked if credential.state is State.LIVE}
    return {each: live[credential_id] for each, credential_id in through.items() if credential_id in live}
