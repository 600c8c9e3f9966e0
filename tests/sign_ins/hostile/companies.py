"""Where one consent is for one company, which the browser alone names: a company put in another's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tests.sign_ins.desk import BOOKKEEPING, RETURN_URL, Desk
from tests.sign_ins.hostile.table import LATER, OWN_END, Act, Brought, Hostile, Scene
from tests.support.intuit import Company, Person, QuickBooks
from tests.support.sandbox import App
from tieline.ids import ConnectionId, SignInId
from tieline.principal import Principal
from tieline.sign_ins.service import NewSignIn, Started, answer_consent, complete_sign_in, start_sign_in
from tieline.sign_ins.states import Purpose

MINE, THEIRS = "Ashford Bakery Ltd", "Birch & Sons"


@dataclass(frozen=True, kw_only=True)
class Intuit:
    """The practice's app at Intuit, and somebody with two companies there."""

    scene: Scene
    desk: Desk
    app: App
    quickbooks: QuickBooks
    person: Person

    @classmethod
    async def of(cls, scene: Scene) -> Intuit:
        quickbooks = QuickBooks(sandbox=scene.desk.sandbox)
        app = await scene.once("intuit", lambda: quickbooks.app(scene.desk.practice_id))
        person = await quickbooks.populate(MINE, THEIRS)
        return cls(scene=scene, desk=scene.desk, app=app, quickbooks=quickbooks, person=person)

    async def start(self, who: Principal | None = None, connection_id: ConnectionId | None = None) -> Started:
        purpose = Purpose.CONNECT if connection_id is None else Purpose.RECONNECT
        asked = NewSignIn(
            provider="quickbooks",
            purpose=purpose,
            products=BOOKKEEPING,
            connection_id=connection_id,
            return_url=RETURN_URL,
        )
        return await start_sign_in(who or self.desk.admin, asked)

    async def brought(
        self, name: str = MINE, who: Principal | None = None, *, url: str | None = None
    ) -> Brought:
        """The person consents for this company, and the browser is on its way back."""
        url = url or str((await self.start(who)).authorization_url)
        location = await self.quickbooks.consent(url, self.person, self.person.named(name))
        return dict(parse_qsl(urlsplit(location).query))

    async def ready(self, name: str, who: Principal | None = None) -> SignInId:
        answer = await answer_consent("quickbooks", self.app.id, await self.brought(name, who))
        assert answer.sign_in_id is not None
        assert answer.proof is not None
        return (await complete_sign_in(who or self.desk.admin, answer.sign_in_id, answer.proof)).id

    async def lands(self, brought: Brought, who: Principal | None = None) -> str | None:
        return await self.scene.lands(brought, who, slug="quickbooks", app_id=self.app.id)


def renamed(
    name: str, edit: Callable[[Brought, Company], Brought], *, leaves: frozenset[str] = LATER
) -> Hostile:
    """Somebody edits the address on the way back; the practice has the other company already.

    What names no company at all is kept for nobody; of any other the tokens are given back, if nobody needs them.
    """

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        intuit = await Intuit.of(scene)
        await intuit.ready(THEIRS, await scene.colleague())
        brought = await intuit.brought()
        landing = edit(brought, intuit.person.named(THEIRS)) if is_hostile else brought
        return lambda: intuit.lands(landing)

    return Hostile(name=name, refused="CONSENT_FAILED", stage=stage, leaves=leaves, told=(200,))


def company(name: str, edit: Callable[[str], str], *, leaves: frozenset[str] = LATER) -> Hostile:
    return renamed(name, lambda brought, _: {**brought, "realmId": edit(brought["realmId"])}, leaves=leaves)


def no_company(name: str, edit: Callable[[str], str]) -> Hostile:
    return company(name, edit, leaves=OWN_END)


async def _another_reconnected(scene: Scene, *, is_hostile: bool) -> Act:
    intuit = await Intuit.of(scene)
    sign_in_id = await intuit.ready(MINE)
    organisation_id, credential_id, _ = (await scene.desk.found(sign_in_id))[MINE]
    connection = await scene.desk.connect(organisation_id, credential_id, reason="CONSENT_EXPIRED")
    plain = urlsplit(str((await intuit.start()).authorization_url))
    led = urlsplit(str((await intuit.start(connection_id=connection.id)).authorization_url))
    anywhere = led._replace(path=plain.path, query=_without_company(led.query)).geturl()
    brought = await intuit.brought(THEIRS if is_hostile else MINE, url=anywhere)
    return lambda: intuit.lands(brought)


def _without_company(query: str) -> str:
    return "&".join(each for each in query.split("&") if not each.startswith(("realmId=", "appId=", "mode=")))


def exchanged_before(name: str, whose: Callable[[Scene], Awaitable[Principal]]) -> Hostile:
    """Intuit ends what a code gave when the code comes again, so nobody may have us bring it again."""

    async def stage(scene: Scene, *, is_hostile: bool) -> Act:
        intuit = await Intuit.of(scene)
        before = await intuit.brought()
        assert await intuit.lands(before) is None
        who = await whose(scene)
        own = await intuit.brought(THEIRS, who)
        landing = {**own, "code": before["code"], "realmId": before["realmId"]} if is_hostile else own
        return lambda: intuit.lands(landing, who)

    return Hostile(name=name, refused="ROUND_OVER", stage=stage)


async def _victim(scene: Scene) -> Principal:
    return scene.victim


async def _colleague(scene: Scene) -> Principal:
    return await scene.colleague()


COMPANIES = (
    renamed("a company of a colleague's", lambda brought, other: {**brought, "realmId": other.realm_id}),
    renamed(
        "no company", lambda brought, _: {key: brought[key] for key in ("code", "state")}, leaves=OWN_END
    ),
    company("a company that there is not", lambda _: "9341450000000000"),
    no_company("an empty company", lambda _: ""),
    company("a company with one more digit", lambda known: f"{known}0"),
    no_company("a company that leads elsewhere", lambda known: f"{known}/../../v3"),
    no_company("a company of three hundred digits", lambda known: known.ljust(300, "0")),
    Hostile(
        name="another company than the one to reconnect",
        refused="DIFFERENT_ORGANISATION",
        stage=_another_reconnected,
        leaves=LATER,
        told=(200,),
    ),
    exchanged_before("a code of one's own that is spent", _victim),
    exchanged_before("a colleague's code that is spent", _colleague),
)
