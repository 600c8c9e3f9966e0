"""What has to be known before connections change: loaded under locks, in the one order that everybody takes them.

A look at what a change would do reads the same without locks: nobody waits for it, and it waits for nobody.

client → organisation → credential → connection, each by ascending id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tieline.clients.repository import Client, ClientRepository
from tieline.connections.decisions import Asked, Facts, Reach
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import ConnectionRepository
from tieline.credentials.consents.repository import ConsentRepository
from tieline.credentials.repository import Credential, CredentialRepository, State
from tieline.errors import Forbidden, NotFound
from tieline.host import host
from tieline.ids import ClientId, OrganisationId, PracticeId, SignInId
from tieline.plugins import Product
from tieline.principal import Permission, Principal
from tieline.sign_ins.repository import FoundOrganisation, SignIn, SignInRepository
from tieline.sign_ins.states import check_usable


@dataclass(frozen=True, kw_only=True, slots=True)
class Through:
    """What a sign-in reaches by credentials that work, and what only by a consent that has run out since."""

    live: Mapping[OrganisationId, Credential]
    over: frozenset[OrganisationId]


async def usable_sign_in(principal: Principal, sign_in_id: SignInId, *, at: datetime) -> SignIn:
    """The caller's own sign-in, to act with. Raises NotFound, SignInNotReady and SignInOver."""
    person_id = principal.person_id
    found = (
        await SignInRepository.of(principal.practice_id).get(sign_in_id, person_id)
        if person_id is not None
        else None
    )
    if found is None:
        raise NotFound("sign-in", sign_in_id, field="signInId")
    check_usable(found.state, found.failure, ready_at=found.ready_at, usable_until=found.usable_until, at=at)
    return found


def forbids(principal: Principal) -> Callable[[Client], Forbidden | None]:
    """Why this caller may not manage a client's connections, if it may not."""

    def refusal(client: Client) -> Forbidden | None:
        try:
            principal.require(Permission.MANAGE_CONNECTIONS, administers=client.administered)
        except Forbidden as forbidden:
            return forbidden
        return None

    return refusal


async def load_facts(
    principal: Principal,
    sign_in: SignIn,
    product: Product,
    rows: Sequence[Asked],
    *,
    at: datetime,
    also: Collection[OrganisationId] = (),
    lock: bool = True,
) -> Facts:
    """Everything that rows are decided by, locked if they are to change; a constant number of statements.

    `also` are organisations that no row names, such as those that connections move away from.
    """
    practice_id = principal.practice_id
    visible = ClientRepository.visible_to(principal)
    clients = await visible.get_many({row.client_id for row in rows}, lock=lock)
    wanted = {*(row.organisation_id for row in rows), *also}
    repository = OrganisationRepository.of(practice_id)
    organisations = await repository.lock(wanted) if lock else await repository.get_many(wanted)
    # Read once the organisations are held: what is about to be released is no longer found.
    found = await SignInRepository.of(practice_id).organisations(sign_in.id)
    through = await reached_through(
        practice_id, [each for each in found if each.organisation_id in wanted], at=at, lock=lock
    )
    standing = await ConnectionRepository.of(practice_id).current_of_clients(
        [client.id for client in clients], product, lock=lock
    )
    known = {client.id: client for client in clients}
    return Facts(
        product=product,
        clients=known | await _holders(visible, organisations, known),
        forbids=forbids(principal),
        organisations={organisation.id: organisation for organisation in organisations},
        seen=await _seen(principal, organisations),
        reached={
            organisation_id: Reach(
                credential_id=credential.id, covers=covers(sign_in.provider, credential, product)
            )
            for organisation_id, credential in through.live.items()
        },
        consented=frozenset(each.organisation_id for each in found if each.consented),
        over=through.over,
        current={each.client_id: each for each in standing},
    )


async def reached_through(
    practice_id: PracticeId, found: Sequence[FoundOrganisation], *, at: datetime, lock: bool = True
) -> Through:
    """By which credentials these are reached; they are locked, so that none dies before what hangs on it is written."""
    credentials, ids = CredentialRepository.of(practice_id), {each.credential_id for each in found}
    known = await credentials.lock(ids) if lock else await credentials.get_many(ids)
    live = {credential.id: credential for credential in known if credential.state is State.LIVE}
    through = {each.organisation_id: each.credential_id for each in found if each.credential_id in live}
    named = [(credential_id, organisation_id) for organisation_id, credential_id in through.items()]
    over = {each for _, each in await ConsentRepository.of(practice_id).over(named, at=at)}
    return Through(
        live={each: live[credential_id] for each, credential_id in through.items() if each not in over},
        over=frozenset(over),
    )


def covers(slug: str, credential: Credential, product: Product) -> bool:
    """Whether what was granted is enough for a product of the provider's."""
    provider = host().registry.get(slug)
    return provider is not None and provider.oauth.covers(credential.scopes, product)


async def _holders(
    visible: ClientRepository, organisations: Collection[Organisation], known: Collection[ClientId]
) -> dict[ClientId, Client]:
    """Whom the organisations serve already, as far as the caller sees them."""
    serving = {each.client_id for each in organisations if each.client_id is not None}
    return {client.id: client for client in await visible.get_many(serving - set(known))}


async def _seen(principal: Principal, organisations: Collection[Organisation]) -> frozenset[OrganisationId]:
    repository = OrganisationRepository.of(principal.practice_id)
    found = await repository.visible_to(principal, [each.id for each in organisations])
    return frozenset(each.id for each in found)
