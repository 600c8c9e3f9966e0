"""What comes back on the callback's path and is not what the provider sent there, or not any more."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.sign_ins.hostile.table import OWN_END, Act, Brought, Family, Fault, Hostile, Scene
from tieline.ids import AppId, new_id
from tieline.sign_ins.service import continue_sign_in
from tieline.sign_ins.states import ROUND_LIFE
from tieline.sign_ins.trips import MAX_OUT

Edit = Callable[[Brought], Brought]


@dataclass(frozen=True, kw_only=True)
class Back:
    """A browser on its way back, and the app of another practice."""

    brought: Brought
    other_app_id: AppId


async def on_the_way_back(scene: Scene) -> Back:
    return Back(brought=await scene.brought(), other_app_id=(await scene.elsewhere()).app.id)


async def been_there(scene: Scene) -> Back:
    """The callback has been visited, and nobody has completed anything yet."""
    back = await on_the_way_back(scene)
    await scene.desk.back(dict(back.brought))
    return back


def state(name: str, edit: Callable[[str], str]) -> Fault[Back]:
    return unknown(name, lambda brought: {**brought, "state": edit(brought["state"])})


def unknown(name: str, edit: Edit) -> Fault[Back]:
    return Fault(name=name, refused="UNKNOWN_STATE", act=lambda scene, back: scene.lands(edit(back.brought)))


def replayed(name: str, edit: Edit) -> Fault[Back]:
    """Somebody comes again where somebody has been."""
    return Fault(name=name, refused="ROUND_OVER", act=lambda scene, back: scene.lands(edit(back.brought)))


def misled(name: str, to: Callable[[Scene, Back], Awaitable[str | None]]) -> Fault[Back]:
    return Fault(name=name, refused="UNKNOWN_STATE", act=to)


def lands(scene: Scene, back: Back) -> Awaitable[str | None]:
    return scene.lands(back.brought)


def tampered(name: str, refused: str, edit: Edit, *, told: tuple[int, ...] = ()) -> Hostile:
    """Somebody edits the address on the way back, and that ends the sign-in."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        brought = await scene.brought()
        landing = edit(brought) if is_hostile else brought
        return lambda: scene.lands(landing)

    return Hostile(name=name, refused=refused, stage=stage, leaves=OWN_END, told=told)


def issuer(name: str, edit: Callable[[str], str]) -> Hostile:
    """Somebody names an issuer; its twin names the one that the browser was sent to."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        brought, known = await scene.brought(), scene.desk.sandbox.xero
        landing = {**brought, "iss": edit(known) if is_hostile else known}
        return lambda: scene.lands(landing)

    return Hostile(name=name, refused="CONSENT_FAILED", stage=stage, leaves=OWN_END)


def without(brought: Brought, name: str) -> Brought:
    return {each: value for each, value in brought.items() if each != name}


async def _late(scene: Scene, *, is_hostile: bool) -> Act:
    brought = await scene.brought()
    await scene.desk.move(ROUND_LIFE if is_hostile else ROUND_LIFE - timedelta(minutes=1))
    return lambda: scene.lands(brought)


async def _of_the_round_before(scene: Scene, *, is_hostile: bool) -> Act:
    started = await scene.desk.start()
    brought = await scene.desk.consent(started, scene.kim)
    if is_hostile:
        await continue_sign_in(scene.victim, started.sign_in.id)
    return lambda: scene.lands(brought)


async def _of_too_many(scene: Scene, *, is_hostile: bool) -> Act:
    brought = await scene.brought()
    for _ in range(MAX_OUT if is_hostile else MAX_OUT - 1):
        await scene.desk.start()
    return lambda: scene.lands(brought)


async def _of_other_tab(scene: Scene, *, is_hostile: bool) -> Act:
    mine, other = await scene.brought(), await scene.brought()
    return lambda: scene.lands({**mine, "code": other["code"]} if is_hostile else mine)


async def _spent(scene: Scene, *, is_hostile: bool) -> Act:
    before = await scene.brought()
    await scene.desk.back(dict(before))
    mine = await scene.brought()
    return lambda: scene.lands({**mine, "code": before["code"]} if is_hostile else mine)


STATES = Family(
    name="states",
    stage=on_the_way_back,
    faults=(
        state("a state without its last character", lambda known: known[:-1]),
        state("a state without its first character", lambda known: known[1:]),
        state("a state with one more character", lambda known: f"{known}A"),
        state("a state with another last character", lambda known: known[:-1] + chr(ord(known[-1]) ^ 1)),
        state("a state in the other case", str.swapcase),
        state("a state with its padding", lambda known: f"{known}="),
        state("a state after a space", lambda known: f" {known}"),
        state("a state with a line end", lambda known: f"{known}\n"),
        state("a state and a NUL", lambda known: f"{known}\x00"),
        state("a state and a lone surrogate", lambda known: f"{known}\ud800"),
        state("a state twice over", lambda known: f"{known}{known}"),
        state("a state of five thousand characters", lambda known: known.ljust(5_000, "A")),
        state("what is kept of a state", lambda known: hashlib.sha256(known.encode()).hexdigest()),
        state("an empty state", lambda _: ""),
        state("a state that nobody ever had", lambda _: "nobodys"),
        unknown("no state", lambda brought: without(brought, "state")),
        unknown("a code as the state", lambda brought: {**brought, "state": brought["code"]}),
        misled(
            "the path of another practice's app",
            lambda scene, back: scene.lands(back.brought, app_id=back.other_app_id),
        ),
        misled("the path of no app", lambda scene, back: scene.lands(back.brought, app_id=AppId(new_id()))),
        misled(
            "the path of another provider", lambda scene, back: scene.lands(back.brought, slug="quickbooks")
        ),
        misled("the path of no provider", lambda scene, back: scene.lands(back.brought, slug="nobooks")),
    ),
    twins=(lands,),
)
REPLAYS = Family(
    name="replays",
    stage=been_there,
    faults=(
        replayed("a used state with another code", lambda brought: {**brought, "code": "another"}),
        replayed(
            "a used state with a code cut short", lambda brought: {**brought, "code": brought["code"][:-1]}
        ),
        replayed("a used state without a code", lambda brought: without(brought, "code")),
        replayed(
            "a used state with a refusal",
            lambda brought: {**without(brought, "code"), "error": "access_denied"},
        ),
    ),
    twins=(lands,),
)
CALLBACKS = (
    Hostile(name="a state a quarter of an hour later", refused="ROUND_OVER", stage=_late, alone=True),
    Hostile(name="a state of the round before", refused="ROUND_OVER", stage=_of_the_round_before),
    Hostile(
        name="a state of one consent page more than a person may have open",
        refused="ROUND_OVER",
        stage=_of_too_many,
    ),
    issuer("another issuer", lambda _: "https://evil.example"),
    issuer("an issuer with a slash more", lambda known: f"{known}/"),
    issuer("an issuer in capitals", str.upper),
    issuer("the issuer of another provider", lambda known: known.replace("xero", "quickbooks")),
    issuer("an empty issuer", lambda _: ""),
    tampered(
        "a code together with a refusal",
        "CONSENT_DENIED",
        lambda brought: {**brought, "error": "access_denied"},
    ),
    tampered("a code together with an empty refusal", "CONSENT_FAILED", lambda known: {**known, "error": ""}),
    tampered("no code", "CONSENT_FAILED", lambda brought: without(brought, "code")),
    tampered("an empty code", "CONSENT_FAILED", lambda brought: {**brought, "code": ""}),
    tampered(
        "a code that nobody issued",
        "CONSENT_FAILED",
        lambda brought: {**brought, "code": "mine"},
        told=(400,),
    ),
    Hostile(
        name="a code of another tab",
        refused="CONSENT_FAILED",
        stage=_of_other_tab,
        leaves=OWN_END,
        told=(400,),
    ),
    Hostile(name="a code that was exchanged before", refused="ROUND_OVER", stage=_spent),
)
