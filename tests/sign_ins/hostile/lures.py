"""Two people and one provider: a link, a code or a consent of one of them put before the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tests.sign_ins.desk import Desk
from tests.sign_ins.hostile.table import (
    NOTHING,
    OWN_END,
    Act,
    Brought,
    Family,
    Fault,
    Hostile,
    Scene,
    refusal_of,
)
from tieline.ids import SignInId
from tieline.plugins import Challenge
from tieline.principal import Principal
from tieline.sign_ins.service import Started, continue_sign_in, get_sign_in, list_organisations


async def _lured(scene: Scene, *, is_hostile: bool) -> Act:
    """The victim follows somebody's link, consents, and goes on where the browser ends up."""
    attacker = await scene.colleague()
    started = await scene.desk.start(attacker if is_hostile else scene.victim)
    return await _landed(scene, started, await scene.desk.consent(started, scene.kim))


async def _handed(scene: Scene, *, is_hostile: bool) -> Act:
    """The victim's browser is made to open the address that somebody else's consent led to."""
    attacker, login = await scene.colleague(), await scene.stranger()
    started = await scene.desk.start(attacker if is_hostile else scene.victim)
    return await _landed(scene, started, await scene.desk.consent(started, login))


async def _landed(scene: Scene, started: Started, brought: dict[str, str]) -> Act:
    answer = await scene.desk.back(brought)
    assert answer.proof is not None
    sign_in_id, proof = started.sign_in.id, answer.proof
    return lambda: scene.completes(sign_in_id, proof)


async def _lured_abroad(scene: Scene, *, is_hostile: bool) -> Act:
    """The link was of another practice, whose app the victim knows nothing of."""
    other = await scene.elsewhere()
    desk = other if is_hostile else scene.desk
    sign_in_id, proof = await desk.consented(scene.kim)
    return lambda: scene.completes(sign_in_id, proof)


async def _with_own_proof(scene: Scene, *, is_hostile: bool) -> Act:
    """Who lured a stranger through one sign-in shows what came back from another of his own."""
    attacker = await scene.colleague()
    sign_in_id, proof = await scene.desk.consented(scene.kim, principal=attacker)
    _, own = await scene.desk.consented(await scene.stranger(), principal=attacker)
    return lambda: scene.completes(sign_in_id, own if is_hostile else proof, attacker)


async def _with_own_round(scene: Scene, *, is_hostile: bool) -> Act:
    """He shows the proof of a round of his own, and so gets the sign-in, but not what the stranger granted."""
    await scene.desk.ready(scene.kim)
    organisations = await scene.organisations()
    attacker = await scene.colleague()
    sign_in_id, proof = await scene.desk.consented(scene.kim, principal=attacker)
    if not is_hostile:
        assert await scene.completes(sign_in_id, proof, attacker) is None
    again = await continue_sign_in(attacker, sign_in_id)
    answer = await scene.desk.back(await scene.desk.consent(again, await scene.stranger()))
    assert answer.proof is not None
    assert await scene.completes(sign_in_id, answer.proof, attacker) is None
    client_id, wanted = await scene.client(), organisations["Birch & Sons"]
    return lambda: scene.connects(sign_in_id, wanted, attacker, client_id=client_id)


def borrowed(
    name: str,
    lend: Callable[[Scene, Principal], Awaitable[tuple[Brought, Brought]]],
    *,
    refused: str = "CONSENT_FAILED",
    leaves: frozenset[str] = OWN_END,
    told: tuple[int, ...] = (400,),
) -> Hostile:
    """`lend` gives what the attacker came back with, and what somebody else did whose code is put in its place."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        attacker = await scene.colleague()
        own, other = await lend(scene, attacker)
        landing = {**own, "code": other["code"]} if is_hostile else own
        return lambda: scene.lands(landing, attacker)

    return Hostile(name=name, refused=refused, stage=stage, leaves=leaves, told=told)


async def _stolen(scene: Scene, attacker: Principal) -> tuple[Brought, Brought]:
    return await scene.brought(attacker, await scene.stranger()), await scene.brought()


async def _stolen_and_spent(scene: Scene, attacker: Principal) -> tuple[Brought, Brought]:
    own, other = await _stolen(scene, attacker)
    await scene.desk.back(dict(other))
    return own, other


async def _stolen_abroad(scene: Scene, attacker: Principal) -> tuple[Brought, Brought]:
    other: Desk = await scene.elsewhere()
    return await scene.brought(attacker), await scene.brought(desk=other)


async def _planted(scene: Scene, *, is_hostile: bool) -> Act:
    """The attacker's code comes back with the victim's state: the victim would publish into the attacker's books."""
    attacker = await scene.colleague()
    own, other = await scene.brought(), await scene.brought(attacker, await scene.stranger())
    return lambda: scene.lands({**own, "code": other["code"]} if is_hostile else own)


def edited(name: str, refused: str, given: Callable[[Scene], Awaitable[Brought]]) -> Hostile:
    """The address of the consent page is another one in these parameters; nothing leads to the proof then."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        started = await scene.desk.start()
        url = urlsplit(str(started.authorization_url))
        changes = await given(scene) if is_hostile else {}
        query = urlencode({**dict(parse_qsl(url.query)), **changes})
        location = await scene.desk.sandbox.consent(urlunsplit(url._replace(query=query)), scene.kim)
        landing = dict(parse_qsl(urlsplit(location).query))
        return lambda: scene.lands(landing)

    is_ours = refused != "UNKNOWN_STATE"
    return Hostile(
        name=name,
        refused=refused,
        stage=stage,
        leaves=OWN_END if is_ours else NOTHING,
        told=(400,) if is_ours else (),
    )


async def _a_challenge(_: Scene) -> Brought:
    return {"code_challenge": Challenge.make().challenge}


async def _a_state(scene: Scene) -> Brought:
    started = await scene.desk.start(await scene.colleague())
    return {"state": dict(parse_qsl(urlsplit(str(started.authorization_url)).query))["state"]}


async def _made_up(_: Scene) -> Brought:
    return {"state": "A" * 43}


def meddling(name: str, ask: Callable[[Principal, SignInId], Awaitable[object]]) -> Fault[Others]:
    """A colleague asks for what only the person who began may ask for."""
    return Fault(
        name=name,
        refused="NOT_FOUND",
        act=lambda _, others: refusal_of(ask(others.colleague, others.sign_in_id)),
    )


@dataclass(frozen=True, kw_only=True)
class Others:
    """A sign-in of the victim's, and a colleague."""

    sign_in_id: SignInId
    colleague: Principal


async def begun(scene: Scene) -> Others:
    sign_in_id, _ = await scene.desk.consented(scene.kim)
    return Others(sign_in_id=sign_in_id, colleague=await scene.colleague())


MEDDLING = Family(
    name="meddling",
    stage=begun,
    faults=(
        meddling("a colleague who looks at it", get_sign_in),
        meddling("a colleague who looks at what it found", list_organisations),
        meddling("a colleague who goes on with it", continue_sign_in),
    ),
    twins=(
        lambda scene, others: refusal_of(get_sign_in(scene.victim, others.sign_in_id)),
        lambda scene, others: refusal_of(list_organisations(scene.victim, others.sign_in_id)),
        lambda scene, others: refusal_of(continue_sign_in(scene.victim, others.sign_in_id)),
    ),
)
LURES = (
    Hostile(name="a victim who consents by a colleague's link", refused="NOT_FOUND", stage=_lured),
    Hostile(
        name="a victim who consents by another practice's link", refused="NOT_FOUND", stage=_lured_abroad
    ),
    Hostile(name="a colleague's consent in the victim's browser", refused="NOT_FOUND", stage=_handed),
    Hostile(
        name="who lured a victim, with a proof of his own", refused="PROOF_INVALID", stage=_with_own_proof
    ),
    Hostile(
        name="who lured a victim, with a round of his own",
        refused="NOT_IN_THIS_LOGIN",
        stage=_with_own_round,
        alone=True,
    ),
    Hostile(
        name="an attacker's code in the victim's round",
        refused="CONSENT_FAILED",
        stage=_planted,
        leaves=OWN_END,
        told=(400,),
    ),
    borrowed("a victim's code in an attacker's round", _stolen),
    borrowed(
        "a victim's code that is spent in an attacker's round",
        _stolen_and_spent,
        refused="ROUND_OVER",
        leaves=NOTHING,
        told=(),
    ),
    borrowed("a code of another practice's app", _stolen_abroad),
    edited("a consent page with another challenge", "CONSENT_FAILED", _a_challenge),
    edited("a consent page with a colleague's state", "CONSENT_FAILED", _a_state),
    edited("a consent page with a state made up", "UNKNOWN_STATE", _made_up),
)
