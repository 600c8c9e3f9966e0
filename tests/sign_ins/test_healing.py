"""What a completed sign-in mends, what it does not, and what it finds gone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.support.sandbox import Books, Person
from tieline import clock
from tieline.connections.repository import Connection
from tieline.connections.warnings.service import expire
from tieline.ids import CredentialId, OrganisationId
from tieline.plugins import Product
from tieline.sign_ins import completion
from tieline.sign_ins.service import SignIn, complete_sign_in, get_sign_in
from tieline.sign_ins.states import SignInState

ALL_THREE = ("Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio")


async def connected(desk: Desk, kim: Person, **reasons: str | None) -> dict[str, Connection]:
    """Kim's organisations, connected: each client's first word and its reason."""
    found = await desk.found((await desk.ready(kim)).id)
    by_word = {name.split()[0].lower(): of for name, of in found.items()}
    return {
        word: await desk.connect(by_word[word][0], by_word[word][1], reason=reason)
        for word, reason in reasons.items()
    }


@pytest.mark.parametrize("reason", ["TOKEN_EXPIRED", "REVOKED_AT_PROVIDER", "CONSENT_EXPIRED"])
async def test_completion_heals_what_was_expired_for_the_credential_only(
    desk: Desk, kim: Person, bakery: Books, reason: str
) -> None:
    made = await connected(desk, kim, ashford=reason, birch=None)
    sign_in_id, proof = await desk.consented(kim, bakery)
    assert await desk.reason(made["ashford"]) == reason

    await complete_sign_in(desk.admin, sign_in_id, proof)

    assert await desk.reason(made["ashford"]) is None
    assert await desk.events() == [("CONNECTION_RESTORED", made["ashford"].id)]
    [run] = await desk.runs()
    assert (run["organisation_id"], run["credential_id"]) == (
        made["ashford"].organisation_id,
        made["ashford"].credential_id,
    )
    assert (run["state"], run["trigger"]) == ("QUEUED", "RESTORED")
    assert run["feeds"] != []


@pytest.mark.parametrize("reason", ["DISCONNECTED", "SUBSCRIPTION_LAPSED", "ACCESS_LOST", "SCOPE_MISSING"])
async def test_completion_heals_nothing_else(desk: Desk, kim: Person, bakery: Books, reason: str) -> None:
    made = await connected(desk, kim, ashford=reason)

    await desk.ready(kim, bakery)

    assert await desk.reason(made["ashford"]) == reason
    assert await desk.events() == []
    assert await desk.runs() == []


async def test_a_consent_that_ran_out_is_renewed_by_one_about_that_organisation_only(
    desk: Desk, kim: Person
) -> None:
    made = await connected(desk, kim, ashford="CONSENT_EXPIRED", birch="CONSENT_EXPIRED")

    await desk.ready(kim, kim.named("Birch & Sons"))

    assert await desk.reason(made["ashford"]) == "CONSENT_EXPIRED"
    assert await desk.reason(made["birch"]) is None


async def test_what_a_login_reaches_by_a_consent_that_ran_out_stays_broken_and_is_told_of_once(
    desk: Desk, kim: Person
) -> None:
    made = await connected(
        desk, kim, ashford="TOKEN_EXPIRED", birch="TOKEN_EXPIRED", cobalt="REVOKED_AT_PROVIDER"
    )
    await desk.above.execute(
        "UPDATE consent SET consented_at = $2 WHERE practice_id = $1",
        desk.practice_id,
        clock.now() - timedelta(days=366),
    )

    await desk.ready(kim, kim.named("Birch & Sons"))
    expired = await expire(desk.practice_id, most=200)

    assert expired == 0
    assert [await desk.reason(each) for each in made.values()] == [
        "TOKEN_EXPIRED",
        None,
        "REVOKED_AT_PROVIDER",
    ]
    assert await desk.events() == [("CONNECTION_RESTORED", made["birch"].id)]


async def test_a_consent_too_narrow_for_a_product_does_not_heal_it(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    started = await desk.start(products=(Product.DATA_HEALTH,))
    answer = await desk.back(await desk.consent(started, kim, bakery))
    assert answer.proof is not None
    await complete_sign_in(desk.admin, started.sign_in.id, answer.proof)
    organisation_id, credential_id, _ = (await desk.found(started.sign_in.id))["Ashford Bakery Ltd"]
    wide = await desk.connect(organisation_id, credential_id, reason="TOKEN_EXPIRED")
    narrow = await desk.connect(
        organisation_id,
        credential_id,
        product=Product.DATA_HEALTH,
        reason="TOKEN_EXPIRED",
        client_id=wide.client_id,
    )

    sign_in_id, proof = await desk.consented(kim, bakery, products=(Product.DATA_HEALTH,))
    await complete_sign_in(desk.admin, sign_in_id, proof)

    assert await desk.reason(wide) == "TOKEN_EXPIRED"
    assert await desk.reason(narrow) is None


async def test_what_hangs_on_another_credential_is_not_touched(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    made = await connected(desk, kim, ashford="TOKEN_EXPIRED")
    lee = await desk.sandbox.populate(organisations=1)
    await desk.sandbox.share(lee, bakery)

    await desk.ready(lee, bakery)

    assert len(await desk.credentials()) == 2
    assert await desk.reason(made["ashford"]) == "TOKEN_EXPIRED"


async def test_what_the_login_no_longer_reaches_was_revoked_at_the_provider(desk: Desk, kim: Person) -> None:
    made = await connected(desk, kim, ashford=None, birch=None, cobalt="DISCONNECTED")
    for name in ("Ashford Bakery Ltd", "Cobalt Studio"):
        await desk.sandbox.revoke(desk.app, kim, kim.named(name))

    again = await desk.ready(kim, kim.named("Birch & Sons"))

    assert await desk.reason(made["ashford"]) == "REVOKED_AT_PROVIDER"
    assert await desk.reason(made["birch"]) is None
    assert await desk.reason(made["cobalt"]) == "DISCONNECTED"
    assert await desk.events() == [("CONNECTION_EXPIRED", made["ashford"].id)]
    assert await desk.names(again.id) == ["Birch & Sons"]
    assert await reach(desk, made["birch"].credential_id) == {made["birch"].organisation_id}


async def test_what_is_gone_is_gone_from_earlier_sign_ins_too(desk: Desk, kim: Person) -> None:
    earlier = await desk.ready(kim)
    await desk.sandbox.revoke(desk.app, kim, kim.named("Ashford Bakery Ltd"))

    await desk.ready(kim, kim.named("Birch & Sons"))

    assert await desk.names(earlier.id) == ["Birch & Sons", "Cobalt Studio"]


async def test_the_clock_of_a_consent_starts_anew_for_what_the_consent_was_about(
    desk: Desk, kim: Person
) -> None:
    await desk.ready(kim)
    before = await clocks(desk)
    await desk.pass_time(timedelta(hours=1))

    await desk.ready(kim, kim.named("Birch & Sons"))

    after = await clocks(desk)
    assert {name for name in after if after[name] != before[name]} == {"Birch & Sons"}
    assert after["Birch & Sons"] - before["Birch & Sons"] > timedelta(minutes=59)


async def test_a_name_that_changed_at_the_provider_is_compared_anew(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    made = await connected(desk, kim, ashford=None)
    await desk.sandbox.control("PUT", f"/organisations/{bakery.tenant_id}", {"name": "Something Else"})

    await desk.ready(kim, bakery)

    assert await desk.events() == [("CONNECTION_MISMATCH_CHANGED", made["ashford"].id)]


async def test_many_heal_in_one_go_and_two_completions_at_once_heal_each_once(
    desk: Desk, kim: Person
) -> None:
    made = await connected(
        desk, kim, ashford="TOKEN_EXPIRED", birch="REVOKED_AT_PROVIDER", cobalt="TOKEN_EXPIRED"
    )
    taken = [await desk.consented(kim) for _ in range(2)]

    await asyncio.gather(*(complete_sign_in(desk.admin, *each) for each in taken))

    events = await desk.events()
    assert sorted(connection for _, connection in events) == sorted(each.id for each in made.values())
    assert {kind for kind, _ in events} == {"CONNECTION_RESTORED"}
    assert len(await desk.runs()) == 3
    for sign_in_id, _ in taken:
        assert (await get_sign_in(desk.admin, sign_in_id)).state is SignInState.READY


async def test_what_was_consented_to_while_the_provider_was_asked_is_not_lost(
    desk: Desk, kim: Person, bakery: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_id, slow = await desk.consented(kim, bakery)
    really, later = completion._make_ready, []

    async def meanwhile(*args: Any, **more: Any) -> SignIn | None:
        monkeypatch.setattr(completion, "_make_ready", really)
        later.append(await desk.ready(kim, kim.named("Cobalt Studio")))
        return await really(*args, **more)

    monkeypatch.setattr(completion, "_make_ready", meanwhile)
    await complete_sign_in(desk.admin, slow_id, slow)

    assert await desk.names(slow_id) == ["Ashford Bakery Ltd"]
    assert await desk.names(later[0].id) == ["Ashford Bakery Ltd", "Cobalt Studio"]
    assert sorted(await clocks(desk)) == ["Ashford Bakery Ltd", "Cobalt Studio"]


async def reach(desk: Desk, credential_id: CredentialId) -> set[OrganisationId]:
    rows = await desk.above.fetch(
        "SELECT organisation_id FROM consent WHERE credential_id = $1 AND lost_at IS NULL", credential_id
    )
    return {row["organisation_id"] for row in rows}


async def clocks(desk: Desk) -> dict[str, datetime]:
    rows = await desk.above.fetch(
        "SELECT o.name, c.consented_at FROM consent AS c JOIN organisation AS o ON o.id = c.organisation_id "
        "WHERE c.practice_id = $1",
        desk.practice_id,
    )
    return {row["name"]: row["consented_at"] for row in rows}


async def test_who_signs_in_with_a_colleagues_login_is_shown_at_all_that_hangs_on_it(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    made = await connected(desk, kim, ashford=None, birch="DISCONNECTED")
    colleague = await desk.colleague()

    for _ in range(2):
        await desk.ready(kim, bakery, principal=colleague)

    assert sorted(await desk.events()) == sorted(
        ("CONNECTION_HANDED_OVER", each.id) for each in made.values()
    )
    assert {row["person_id"] for row in await desk.credentials()} == {colleague.person_id}
