"""Whether a person has to be sent anywhere at all: a live credential may reach already what is to be reconnected."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tieline import clock
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.repository import Connection
from tieline.connections.states import Reason
from tieline.connections.warnings.repository import EndRepository
from tieline.credentials.apps.repository import App
from tieline.credentials.asking import ask_reached
from tieline.credentials.consents.repository import ConsentRepository
from tieline.credentials.giving_back.repository import GivingBackRepository
from tieline.credentials.repository import Credential, CredentialRepository
from tieline.credentials.service import open_session
from tieline.database import scope
from tieline.errors import ProviderError
from tieline.ids import CredentialId, OrganisationId, PersonId, SignInId
from tieline.log import fields_of, get_logger
from tieline.plugins import Product, Provider, Reached
from tieline.principal import Principal
from tieline.sign_ins.rights import own_sign_in
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.stock import find_organisations, make_ready
from tieline.work import Work, retrying, unit_of_work

_ASK_A_PERSON = frozenset({Reason.CONSENT_EXPIRED, Reason.SCOPE_MISSING})
_CREDENTIALS_ASKED = 3

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What a credential reaches, by the provider's own word, and what it was known to reach before that was asked."""

    credential_id: CredentialId
    before: frozenset[OrganisationId]
    reached: tuple[Reached, ...]


async def find_reach(
    person_id: PersonId,
    app: App,
    provider: Provider,
    products: Sequence[Product],
    connections: Collection[Connection],
) -> Reach | None:
    """What the person's own live credential reaches, if all of these connections' organisations are part of it.

    None means that a person has to be asked: where a consent has run out or is about to, only a new one mends that.
    Trouble at the provider means so too.
    """
    if any(each.reason in _ASK_A_PERSON for each in connections):
        return None
    async with scope(app.practice_id):
        known = await OrganisationRepository.of(app.practice_id).get_many(
            {each.organisation_id for each in connections}
        )
        live = await _lasting(person_id, app, connections, known)
    wanted = {each.external_id for each in known}
    if any(each.environment != app.environment for each in known):
        return None
    if wanted and not provider.info.bulk_consent:
        live = [each for each in live if wanted == {each.subject}]
    for credential in _first_asked(live, provider, products, connections):
        async with scope(app.practice_id):
            before = await CredentialRepository.of(app.practice_id).reach(credential.id)
        reached = await _ask(app, provider, credential)
        if reached and wanted <= {each.external_id for each in reached}:
            return Reach(credential_id=credential.id, before=frozenset(before), reached=tuple(reached))
    return None


async def _lasting(
    person_id: PersonId, app: App, connections: Collection[Connection], known: Sequence[Organisation]
) -> list[Credential]:
    """The person's live credentials, but for those of which a consent to one of these has run out.

    None at all where one of the connections is about to end.
    """
    ends = await EndRepository.of(app.practice_id).working([each.id for each in connections])
    if any(each.warning(clock.now()) for each in ends):
        return []
    live = await CredentialRepository.of(app.practice_id).live_of_person(app.id, person_id)
    over = await ConsentRepository.of(app.practice_id).over(
        [(credential.id, each.id) for credential in live for each in known], at=clock.now()
    )
    worn = {credential_id for credential_id, _ in over}
    return [each for each in live if each.id not in worn]


async def take_reach(work: Work, sign_in_id: SignInId, app: App, reach: Reach) -> bool:
    """Make the sign-in READY with what was found; nobody consented, so nothing is healed or renewed.

    Nothing is given back at this moment. False when the credential has died since the provider was asked, or what it
    reached was let go of: a person has to be asked after all.
    """
    if not reach.before <= set(await CredentialRepository.of(app.practice_id).reach(reach.credential_id)):
        return False
    reached = [_not_asked(each) for each in reach.reached]
    if await find_organisations(work, sign_in_id, app, reach.credential_id, reached) is None:
        return False
    await make_ready(work, app.practice_id, sign_in_id)
    return True


@retrying
async def take_instead(principal: Principal, sign_in_id: SignInId, app: App, reach: Reach) -> bool:
    """Of the caller's sign-in whose trip has not been told of yet: READY with this instead. False as `take_reach`."""
    async with unit_of_work(principal) as work:
        await own_sign_in(principal, sign_in_id, lock=True)
        await GivingBackRepository.of(app.practice_id).hold_off(app.id)
        if not await take_reach(work, sign_in_id, app, reach):
            return False
        await RoundRepository.of(app.practice_id).close_open(sign_in_id, at=work.now)
        return True


def _first_asked(
    live: Sequence[Credential],
    provider: Provider,
    products: Collection[Product],
    connections: Collection[Connection],
) -> list[Credential]:
    """Few of them, as a person waits: the connections' own first."""
    own = {each.credential_id for each in connections}
    wide = [each for each in live if all(provider.oauth.covers(each.scopes, product) for product in products)]
    wide.sort(key=lambda each: each.id not in own)
    return wide[:_CREDENTIALS_ASKED]


async def _ask(app: App, provider: Provider, credential: Credential) -> Sequence[Reached]:
    try:
        session = await open_session(app.practice_id, credential.id)
        return await ask_reached(provider, session)
    except ProviderError as error:
        _log.info("sign_in.not_without_a_trip", credential_id=str(credential.id), **fields_of(error))
        return ()


def _not_asked(reached: Reached) -> Reached:
    return Reached(external_id=reached.external_id, name=reached.name, consented=False)
