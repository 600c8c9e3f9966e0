"""Acting with a sign-in: that is not ready, is over, is somebody else's, or does not reach what is wanted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.sign_ins.hostile.proofs import demoted, gone, namesake, narrowed, service
from tests.sign_ins.hostile.table import Act, Family, Fault, Hostile, Scene, refusal_of
from tieline.connections.changing import change_connection
from tieline.connections.service import reconnect
from tieline.connections.states import Reason
from tieline.credentials.rejection import credential_rejected
from tieline.ids import ClientId, CredentialId, OrganisationId, SignInId, new_id
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sign_ins.service import continue_sign_in
from tieline.sign_ins.states import LIFE, Purpose

BAKERY, BIRCH, COBALT = "Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio"
LONGER_THAN_CONSENTS = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Usable:
    """A completed sign-in, what may be connected by it, and what others have."""

    sign_in_id: SignInId
    client_id: ClientId
    wanted: OrganisationId
    in_use: OrganisationId
    of_another_login: OrganisationId
    of_another_practice: OrganisationId
    client_of_another_practice: ClientId
    colleague: Principal
    foreigner: Principal


async def usable(scene: Scene) -> Usable:
    other, colleague = await scene.elsewhere(), await scene.colleague()
    await other.ready(scene.kim)
    await scene.ready(colleague, await scene.stranger())
    sign_in_id, organisations = await scene.ready()
    await scene.connected(sign_in_id, BIRCH)
    return Usable(
        sign_in_id=sign_in_id,
        client_id=await scene.client(),
        wanted=organisations[BAKERY],
        in_use=organisations[BIRCH],
        of_another_login=organisations["Delta Farm"],
        of_another_practice=(await scene.organisations(other))[BAKERY],
        client_of_another_practice=await scene.client(other),
        colleague=colleague,
        foreigner=other.admin,
    )


def connecting(name: str, refused: str, **how: Callable[[Scene, Usable], Any]) -> Fault[Usable]:
    """Somebody connects, with one thing in another's place: `who`, `sign_in_id`, `organisation_id` or `client_id`."""
    return Fault(
        name=name,
        refused=refused,
        act=lambda scene, it: connects(scene, it, **{each: of(scene, it) for each, of in how.items()}),
    )


def connects(scene: Scene, it: Usable, **instead: Any) -> Awaitable[str | None]:
    given: dict[str, Any] = {
        "who": scene.victim,
        "sign_in_id": it.sign_in_id,
        "organisation_id": it.wanted,
        "client_id": it.client_id,
    }
    return scene.connects(**(given | instead))


def unfinished(name: str, refused: str, *, allow: bool, comes_back: bool) -> Hostile:
    """An earlier sign-in knows the organisations; this one is not as far, or its consent was denied."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        _, organisations = await scene.ready()
        client_id, started = await scene.client(), await scene.desk.start()
        brought = await scene.desk.consent(started, scene.kim, allow=allow or not is_hostile)
        if comes_back or not is_hostile:
            answer = await scene.desk.back(brought)
            if not is_hostile and answer.proof is not None:
                assert await scene.completes(started.sign_in.id, answer.proof) is None
        return lambda: scene.connects(started.sign_in.id, organisations[BAKERY], client_id=client_id)

    return Hostile(name=name, refused=refused, stage=stage, alone=True)


async def _over(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, organisations = await scene.ready()
    client_id = await scene.client()
    await scene.desk.move(LIFE if is_hostile else LIFE - timedelta(minutes=1))
    return lambda: scene.connects(sign_in_id, organisations[BAKERY], client_id=client_id)


async def _gone_on_with_a_day_later(scene: Scene, *, is_hostile: bool) -> Act:
    started = await scene.desk.start()
    await scene.desk.move(LIFE if is_hostile else LIFE - timedelta(minutes=1))
    return lambda: refusal_of(continue_sign_in(scene.victim, started.sign_in.id))


async def _narrower(scene: Scene, *, is_hostile: bool) -> Act:
    """The person was asked for reading alone."""
    asked = (Product.DATA_HEALTH,) if is_hostile else tuple(Product)
    login = await scene.stranger()
    sign_in_id, proof = await scene.desk.consented(login, products=asked)
    assert await scene.completes(sign_in_id, proof) is None
    wanted, client_id = (await scene.organisations())["Delta Farm"], await scene.client()
    return lambda: scene.connects(sign_in_id, wanted, client_id=client_id)


async def _dead(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, organisations = await scene.ready()
    if is_hostile:
        [row] = await scene.desk.credentials()
        credential_id, reason = CredentialId(row["id"]), Reason.REVOKED_AT_PROVIDER
        await credential_rejected(scene.desk.practice_id, credential_id, reason, version=row["version"])
    client_id = await scene.client()
    return lambda: scene.connects(sign_in_id, organisations[BAKERY], client_id=client_id)


async def _run_out(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, organisations = await scene.ready()
    if is_hostile:
        await scene.desk.above.execute(
            "UPDATE consent SET consented_at = consented_at - $2::interval WHERE practice_id = $1",
            scene.desk.practice_id,
            LONGER_THAN_CONSENTS,
        )
    client_id = await scene.client()
    return lambda: scene.connects(sign_in_id, organisations[BAKERY], client_id=client_id)


def wrong_choice(name: str, refused: str, *, moves: bool) -> Hostile:
    """To reconnect the bakery, somebody consents for Birch & Sons alone, by a login that reaches nothing else."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        await scene.ready()
        sign_in_id, _ = await scene.ready()
        connection = await scene.connected(sign_in_id, BAKERY, reason=Reason.CONSENT_EXPIRED)
        login = await scene.stranger("Eden Law")
        await scene.desk.sandbox.share(
            login, *(login.organisations if is_hostile else scene.kim.organisations[:1])
        )
        chosen = login.organisations[0] if is_hostile else scene.kim.named(BAKERY)
        started = await scene.desk.start(purpose=Purpose.RECONNECT, products=(), connection_id=connection.id)
        answer = await scene.desk.back(await scene.desk.consent(started, login, chosen))
        assert answer.proof is not None
        assert await scene.completes(started.sign_in.id, answer.proof) is None
        if moves:
            wanted = connection.organisation_id
            return lambda: refusal_of(
                change_connection(scene.victim, connection.id, started.sign_in.id, wanted)
            )
        return lambda: refusal_of(reconnect(scene.victim, connection.id, started.sign_in.id))

    return Hostile(name=name, refused=refused, stage=stage, alone=True)


CONNECTING = Family(
    name="connecting",
    stage=usable,
    faults=(
        connecting("a colleague who connects with it", "NOT_FOUND", who=lambda _, it: it.colleague),
        connecting("another practice that connects with it", "NOT_FOUND", who=lambda _, it: it.foreigner),
        connecting(
            "the same id in another practice, connecting",
            "NOT_FOUND",
            who=lambda scene, it: namesake(scene, it.foreigner),
        ),
        connecting("a service that connects", "NOT_FOUND", who=lambda scene, _: service(scene)),
        connecting(
            "a key that may not connect, connecting", "FORBIDDEN", who=lambda scene, _: narrowed(scene)
        ),
        connecting("who may not any more, connecting", "FORBIDDEN", who=lambda scene, _: demoted(scene)),
        connecting("who is no member any more, connecting", "NOT_FOUND", who=lambda scene, _: gone(scene)),
        connecting("no sign-in", "NOT_FOUND", sign_in_id=lambda *_: SignInId(new_id())),
        connecting("no organisation", "NOT_FOUND", organisation_id=lambda *_: OrganisationId(new_id())),
        connecting(
            "an organisation of another login",
            "NOT_IN_THIS_LOGIN",
            organisation_id=lambda _, it: it.of_another_login,
        ),
        connecting(
            "an organisation of another practice",
            "NOT_FOUND",
            organisation_id=lambda _, it: it.of_another_practice,
        ),
        connecting(
            "an organisation that serves another client",
            "ORGANISATION_IN_USE",
            organisation_id=lambda _, it: it.in_use,
        ),
        connecting(
            "a client of another practice",
            "NOT_FOUND",
            client_id=lambda _, it: it.client_of_another_practice,
        ),
    ),
    twins=(connects,),
)
ACTING = (
    unfinished("connecting before the browser is back", "SIGN_IN_NOT_READY", allow=True, comes_back=False),
    unfinished("connecting before the proof was shown", "SIGN_IN_NOT_READY", allow=True, comes_back=True),
    unfinished("connecting with what was denied", "SIGN_IN_OVER", allow=False, comes_back=True),
    Hostile(name="connecting a day later", refused="SIGN_IN_OVER", stage=_over, alone=True),
    Hostile(name="going on a day later", refused="SIGN_IN_OVER", stage=_gone_on_with_a_day_later, alone=True),
    Hostile(name="a product that nobody was asked for", refused="SCOPE_MISSING", stage=_narrower, alone=True),
    Hostile(name="a login that died since", refused="NOT_IN_THIS_LOGIN", stage=_dead, alone=True),
    Hostile(name="a consent that has run out", refused="CONSENT_EXPIRED", stage=_run_out, alone=True),
    wrong_choice("another organisation than the one to reconnect", "DIFFERENT_ORGANISATION", moves=False),
    wrong_choice("a change by a login that does not reach it", "NOT_IN_THIS_LOGIN", moves=True),
)
