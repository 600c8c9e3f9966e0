"""What has to be known before many connections move: loaded under locks, in the order that everybody takes them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.clients.repository import ClientRepository
from tieline.connections.facts import covers, forbids, reached_through
from tieline.connections.moving.decisions import Facts
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.credentials.repository import CredentialRepository, State
from tieline.ids import CredentialId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sign_ins.repository import SignIn, SignInRepository
from tieline.sign_ins.rounds.repository import RoundRepository


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


async def load_facts(
    principal: Principal,
    sign_in: SignIn,
    connections: Collection[Connection],
    *,
    at: datetime,
    lock: bool = True,
) -> Facts:
    """Everything that these are decided by, locked if they are to change; a constant number of statements."""
    practice_id = principal.practice_id
    clients = await ClientRepository.visible_to(principal).get_many(
        {each.client_id for each in connections}, lock=lock
    )
    wanted = {each.organisation_id for each in connections}
    if lock:
        await OrganisationRepository.of(practice_id).lock(wanted)
    # Read once the organisations are held: what is about to be released is no longer found.
    found = await SignInRepository.of(practice_id).organisations(sign_in.id)
    through = await reached_through(
        practice_id, [each for each in found if each.organisation_id in wanted], at=at, lock=lock
    )
    meant = await RoundRepository.of(practice_id).meant(sign_in.id)
    known, ids = ConnectionRepository.of(practice_id), [each.id for each in connections]
    standing = await known.lock(ids) if lock else await known.get_many(ids)
    return Facts(
        person_id=principal.person_id,
        clients={client.id: client for client in clients},
        forbids=forbids(principal),
        standing={each.id: each for each in standing},
        reached=through.live,
        over=through.over,
        misled=meant - {each.organisation_id for each in found},
        covers=lambda credential, product: covers(sign_in.provider, credential, product),
    )
