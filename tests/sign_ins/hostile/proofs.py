"""Completing what is somebody else's, with what is no proof of it, or not any more."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.sign_ins.desk import principal_of
from tests.sign_ins.hostile.table import LATER, Act, Brought, Family, Fault, Hostile, Scene
from tieline.ids import SignInId, new_id
from tieline.principal import Permission, Principal, Role
from tieline.sign_ins.service import continue_sign_in
from tieline.sign_ins.states import LIFE, PROOF_LIFE
from tieline.vault import Secret


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the victim's front end is told, how the browser came by it, and who else is about."""

    sign_in_id: SignInId
    round_id: SignInId
    proof: Secret
    other_proof: Secret
    brought: Brought
    colleague: Principal
    foreigner: Principal


async def told(scene: Scene) -> Told:
    """The browser is back from two trips, and nobody has completed anything yet."""
    _, other = await scene.desk.consented(scene.kim)
    brought = await scene.brought()
    answer = await scene.desk.back(dict(brought))
    assert answer.sign_in_id is not None
    assert answer.proof is not None
    [round_] = await scene.desk.rounds(answer.sign_in_id)
    return Told(
        sign_in_id=answer.sign_in_id,
        round_id=SignInId(round_["id"]),
        proof=answer.proof,
        other_proof=other,
        brought=brought,
        colleague=await scene.colleague(),
        foreigner=(await scene.elsewhere()).admin,
    )


def shown(name: str, proof: Callable[[Told], str]) -> Fault[Told]:
    """Who began it shows something like the proof."""
    return Fault(
        name=name,
        refused="PROOF_INVALID",
        act=lambda scene, back: scene.completes(back.sign_in_id, Secret(proof(back))),
    )


def edited(name: str, edit: Callable[[str], str]) -> Fault[Told]:
    return shown(name, lambda back: edit(back.proof.reveal()))


def by(name: str, refused: str, who: Callable[[Scene, Told], Principal]) -> Fault[Told]:
    """Somebody shows the proof itself."""
    return Fault(
        name=name,
        refused=refused,
        act=lambda scene, back: scene.completes(back.sign_in_id, back.proof, who(scene, back)),
    )


def named(name: str, sign_in_id: Callable[[Told], SignInId]) -> Fault[Told]:
    return Fault(
        name=name,
        refused="NOT_FOUND",
        act=lambda scene, back: scene.completes(sign_in_id(back), back.proof),
    )


def by_another_key(scene: Scene, back: Told) -> Awaitable[str | None]:
    """Whichever key of the person's shows the proof."""
    own = principal_of(scene.desk.practice_id, scene.victim.person_id)
    return scene.completes(back.sign_in_id, back.proof, own)


def namesake(scene: Scene, foreigner: Principal) -> Principal:
    """The victim's own id, in another practice."""
    return principal_of(foreigner.practice_id, scene.victim.person_id)


def service(scene: Scene) -> Principal:
    return principal_of(scene.desk.practice_id, None, role=None, scopes=frozenset(Permission))


def narrowed(scene: Scene) -> Principal:
    """A key of the victim's own that may do everything but this."""
    rest = frozenset(Permission) - {Permission.MANAGE_CONNECTIONS}
    return principal_of(scene.desk.practice_id, scene.victim.person_id, scopes=rest)


def demoted(scene: Scene) -> Principal:
    """The victim, without the permission since."""
    rest = [each for each in Permission if each is not Permission.MANAGE_CONNECTIONS]
    return principal_of(scene.desk.practice_id, scene.victim.person_id, role=Role.MEMBER, permissions=rest)


def gone(scene: Scene) -> Principal:
    """The victim, who is no member any more."""
    return principal_of(scene.desk.practice_id, scene.victim.person_id, role=None, permissions=())


async def _early(scene: Scene, *, is_hostile: bool) -> Act:
    started = await scene.desk.start()
    proof = Secret("x" * 43)
    if not is_hostile:
        answer = await scene.desk.back(await scene.desk.consent(started, scene.kim))
        assert answer.proof is not None
        proof = answer.proof
    return lambda: scene.completes(started.sign_in.id, proof)


async def _denied(scene: Scene, *, is_hostile: bool) -> Act:
    started = await scene.desk.start()
    brought = await scene.desk.consent(started, scene.kim, allow=not is_hostile)
    proof = (await scene.desk.back(brought)).proof or Secret("x" * 43)
    return lambda: scene.completes(started.sign_in.id, proof)


async def _late(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, proof = await scene.desk.consented(scene.kim)
    await scene.desk.move(PROOF_LIFE if is_hostile else PROOF_LIFE - timedelta(minutes=1))
    return lambda: scene.completes(sign_in_id, proof)


async def _once_it_is_completed(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, proof = await scene.desk.consented(scene.kim)
    assert await scene.completes(sign_in_id, proof) is None
    told = Secret("x" * 43) if is_hostile else proof
    return lambda: scene.completes(sign_in_id, told)


async def _a_day_later(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, proof = await scene.desk.consented(scene.kim)
    assert await scene.completes(sign_in_id, proof) is None
    await scene.desk.move(LIFE if is_hostile else LIFE - timedelta(minutes=1))
    return lambda: scene.completes(sign_in_id, proof)


async def _withdrawn(scene: Scene, *, is_hostile: bool) -> Act:
    sign_in_id, proof = await scene.desk.consented(scene.kim)
    if is_hostile:
        await scene.desk.sandbox.revoke(scene.desk.app, scene.kim)
    return lambda: scene.completes(sign_in_id, proof)


async def _of_earlier_round(scene: Scene, *, is_hostile: bool) -> Act:
    """What another login consented to in a round before is shown again after that one ran out."""
    sign_in_id, first = await scene.desk.consented(await scene.stranger())
    again = await continue_sign_in(scene.victim, sign_in_id)
    await scene.desk.move(PROOF_LIFE)
    answer = await scene.desk.back(await scene.desk.consent(again, scene.kim))
    assert answer.proof is not None
    proof = first if is_hostile else answer.proof
    return lambda: scene.completes(sign_in_id, proof)


COMPLETIONS = Family(
    name="completions",
    stage=told,
    faults=(
        edited("a proof without its last character", lambda proof: proof[:-1]),
        edited("a proof with one more character", lambda proof: f"{proof}A"),
        edited("a proof with its padding", lambda proof: f"{proof}="),
        edited("a proof after a space", lambda proof: f" {proof}"),
        edited("a proof with a line end", lambda proof: f"{proof}\n"),
        edited("a proof in the other case", str.swapcase),
        edited("a proof read backwards", lambda proof: proof[::-1]),
        edited("a proof and a lone surrogate", lambda proof: f"{proof}\ud800"),
        edited("what is kept of a proof", lambda proof: hashlib.sha256(proof.encode()).hexdigest()),
        edited("an empty proof", lambda _: ""),
        shown("a state as the proof", lambda back: back.brought["state"]),
        shown("a code as the proof", lambda back: back.brought["code"]),
        shown("a proof of another sign-in", lambda back: back.other_proof.reveal()),
        named("a proof of no sign-in", lambda _: SignInId(new_id())),
        named("a sign-in named by its round", lambda back: back.round_id),
        by("a colleague who completes", "NOT_FOUND", lambda _, back: back.colleague),
        by("an admin of another practice who completes", "NOT_FOUND", lambda _, back: back.foreigner),
        by(
            "the same id in another practice",
            "NOT_FOUND",
            lambda scene, back: namesake(scene, back.foreigner),
        ),
        by("a service that completes", "NOT_FOUND", lambda scene, _: service(scene)),
        by("a key that may not connect", "FORBIDDEN", lambda scene, _: narrowed(scene)),
        by("who may not connect any more", "FORBIDDEN", lambda scene, _: demoted(scene)),
        by("who is no member any more", "FORBIDDEN", lambda scene, _: gone(scene)),
    ),
    twins=(by_another_key,),
)
PROOFS = (
    Hostile(name="completing before the browser is back", refused="SIGN_IN_NOT_READY", stage=_early),
    Hostile(name="completing what was denied", refused="SIGN_IN_OVER", stage=_denied),
    Hostile(name="another proof than completed it", refused="PROOF_INVALID", stage=_once_it_is_completed),
    Hostile(name="a proof five minutes later", refused="SIGN_IN_OVER", stage=_late, alone=True),
    Hostile(
        name="a proof of an earlier round that ran out",
        refused="SIGN_IN_OVER",
        stage=_of_earlier_round,
        alone=True,
    ),
    Hostile(name="a proof a day after it was shown", refused="SIGN_IN_OVER", stage=_a_day_later, alone=True),
    Hostile(
        name="a consent that was withdrawn meanwhile",
        refused="SIGN_IN_OVER",
        stage=_withdrawn,
        leaves=LATER | {"credential"},
        alone=True,
    ),
)
