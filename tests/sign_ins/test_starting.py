"""Starting a sign-in: who may, with what, where the browser goes, and when nobody has to go anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sign_ins.desk import LONG_AGO, Desk, principal_of
from tests.support.sandbox import Books, Person
from tieline.clients.service import NewClient, create_client
from tieline.connections.repository import Connection
from tieline.connections.states import Reason
from tieline.credentials.rejection import credential_rejected
from tieline.errors import (
    BulkConnectUnsupported,
    Forbidden,
    Invalid,
    NotFound,
    PersonNeeded,
    ProofInvalid,
    ProviderNotConfigured,
    TielineError,
)
from tieline.host import host
from tieline.ids import ConnectionId, new_id
from tieline.plugins import Product, Registry
from tieline.practices.service import NewMember, add_client_member, add_member
from tieline.principal import ClientRole, Permission, Principal, Role
from tieline.sign_ins import planning, service
from tieline.sign_ins.prompting import find_reach
from tieline.sign_ins.service import NewSignIn, complete_sign_in, start_sign_in
from tieline.sign_ins.states import Failure, Purpose, SignInState
from tieline.vault import Secret
from tieline_xero.provider import Xero


async def member(desk: Desk, *permissions: Permission) -> Principal:
    made = NewMember(name="Some Member", email=f"{new_id()}@firm.invalid", role=Role.MEMBER)
    person_id = await add_member(desk.practice_id, made)
    return principal_of(desk.practice_id, person_id, role=Role.MEMBER, permissions=permissions)


async def client_administrator(desk: Desk, role: ClientRole = ClientRole.ADMINISTRATOR) -> Principal:
    client = await create_client(desk.admin, NewClient(name="A Client"))
    person_id = await add_client_member(
        desk.practice_id, name="The Owner", email="owner@client.invalid", client_id=client.id, role=role
    )
    return principal_of(desk.practice_id, person_id, role=None, permissions=())


async def connected(desk: Desk, kim: Person, bakery: Books, *, reason: str | None = None) -> Connection:
    ready = await desk.ready(kim, bakery)
    organisation_id, credential_id, _ = (await desk.found(ready.id))["Ashford Bakery Ltd"]
    return await desk.connect(organisation_id, credential_id, reason=reason)


async def reconnect(
    desk: Desk, connection_id: ConnectionId, principal: Principal | None = None, **more: Any
) -> Any:
    return await desk.start(
        principal, purpose=Purpose.RECONNECT, connection_id=connection_id, **({"products": ()} | more)
    )


async def test_the_browser_goes_to_the_provider_with_all_that_protects_the_way_back(desk: Desk) -> None:
    started = await desk.start()

    address = urlsplit(started.authorization_url or "")
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == desk.sandbox.url
    assert query["redirect_uri"] == desk.app.callback_url
    assert (query["response_type"], query["client_id"]) == ("code", desk.app.client_id)
    assert (query["code_challenge_method"], len(query["code_challenge"])) == ("S256", 43)
    assert len(query["state"]) >= 43
    assert "offline_access" in query["scope"].split()
    [round_] = await desk.rounds(started.sign_in.id)
    assert query["state"].encode() not in round_["state_hash"]
    assert round_["expires_at"] - round_["created_at"] == timedelta(minutes=15)


async def test_every_round_has_a_state_of_its_own(desk: Desk) -> None:
    urls = [(await desk.start()).authorization_url or "" for _ in range(3)]

    assert len({parse_qs(urlsplit(url).query)["state"][0] for url in urls}) == 3


async def test_who_manages_connections_or_administers_a_client_may_sign_in(desk: Desk) -> None:
    for allowed in (await member(desk, Permission.MANAGE_CONNECTIONS), await client_administrator(desk)):
        assert (await desk.start(allowed)).sign_in.state is SignInState.STARTED


async def test_others_may_not(desk: Desk) -> None:
    service = principal_of(desk.practice_id, None, role=None, scopes=frozenset(Permission))
    narrow = principal_of(desk.practice_id, desk.admin.person_id, scopes=frozenset({Permission.SYNC}))

    for stranger in (
        await member(desk, Permission.SYNC),
        await client_administrator(desk, ClientRole.READER),
        service,
        narrow,
    ):
        with pytest.raises(Forbidden):
            await desk.start(stranger)


async def test_a_service_is_told_that_signing_in_takes_a_person(desk: Desk) -> None:
    service = principal_of(desk.practice_id, None, role=None, scopes=frozenset(Permission))

    with pytest.raises(PersonNeeded) as refused:
        await desk.start(service)

    assert refused.value.code == "FORBIDDEN"
    assert str(refused.value) == "Only a person can sign in at a provider: use a key that acts as one."


async def test_a_person_has_ten_consent_pages_open_at_most_and_the_oldest_go(desk: Desk, kim: Person) -> None:
    colleague = await desk.colleague()
    theirs = await desk.start(colleague)
    started = [await desk.start() for _ in range(12)]

    answers = [await desk.back(await desk.consent(each, kim)) for each in [*started, theirs]]

    assert [answer.failure for answer in answers] == [Failure.ROUND_OVER] * 2 + [None] * 11


async def test_a_credential_that_dies_while_it_is_asked_sends_a_person_to_the_provider(
    desk: Desk, kim: Person, bakery: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await connected(desk, kim, bakery)

    async def dying(*arguments: Any) -> Any:
        found = await find_reach(*arguments)
        assert found is not None
        [row] = await desk.credentials()
        await credential_rejected(
            desk.practice_id, row["id"], Reason.REVOKED_AT_PROVIDER, version=row["version"]
        )
        return found

    monkeypatch.setattr(service, "find_reach", dying)
    started = await reconnect(desk, connection.id)

    assert started.sign_in.state is SignInState.STARTED
    assert started.authorization_url is not None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"products": ()}, "products"),
        ({"return_url": "https://evil.example/done"}, "returnUrl"),
        ({"return_url": "https://app.example/done#x"}, "returnUrl"),
        ({"connection_id": ConnectionId(new_id())}, "connectionId"),
        ({"purpose": Purpose.RECONNECT}, "connectionId"),
        ({"purpose": Purpose.BULK_CONNECT, "connection_id": ConnectionId(new_id())}, "connectionId"),
    ],
)
async def test_what_does_not_fit_is_said_by_its_field(desk: Desk, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.start(**asked)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"purpose": Purpose.RECONNECT}, "name it, or choose RECONNECT_ALL"),
        ({"connection_id": ConnectionId(new_id())}, "leave it out, or choose RECONNECT"),
    ],
)
async def test_a_connection_too_few_or_too_many_is_told_with_what_to_do(
    desk: Desk, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        await desk.start(**asked)


@pytest.mark.parametrize("slug", ["nobooks", "", "\ud800", "x" * 100_000])
async def test_an_unknown_provider_is_not_found(desk: Desk, slug: str) -> None:
    with pytest.raises(NotFound) as refused:
        await start_sign_in(
            desk.admin, NewSignIn(provider=slug, purpose=Purpose.CONNECT, products=(Product.BOOKKEEPING,))
        )

    assert str(refused.value).isascii()
    assert len(str(refused.value)) < 200

    assert refused.value.field == "provider"


async def test_a_practice_without_an_app_there_is_told_so(desk: Desk, other_desk: Desk) -> None:
    await desk.above.execute("DELETE FROM provider_app WHERE id = $1", other_desk.app.id)

    with pytest.raises(ProviderNotConfigured):
        await other_desk.start()


async def test_a_bulk_connect_starts_where_many_or_a_queue_are_possible(desk: Desk) -> None:
    started = await desk.start(purpose=Purpose.BULK_CONNECT)

    assert started.sign_in.purpose is Purpose.BULK_CONNECT


async def test_a_bulk_connect_is_refused_where_neither_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = replace(Xero(), info=replace(Xero().info, guided_queue=False))
    monkeypatch.setattr(planning, "host", lambda: replace(host(), registry=Registry.of(single)))
    await desk.start(purpose=Purpose.BULK_CONNECT)
    await desk.above.execute("UPDATE provider_app SET bulk_consent = false WHERE id = $1", desk.app.id)

    with pytest.raises(BulkConnectUnsupported):
        await desk.start(purpose=Purpose.BULK_CONNECT)


async def test_a_reconnect_with_a_live_login_of_ones_own_needs_no_trip(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    connection = await connected(desk, kim, bakery, reason="REVOKED_AT_PROVIDER")

    started = await reconnect(desk, connection.id)

    assert started.authorization_url is None
    assert (started.sign_in.state, started.sign_in.products) == (SignInState.READY, (Product.BOOKKEEPING,))
    assert {
        name: consented for name, (_, _, consented) in (await desk.found(started.sign_in.id)).items()
    } == {"Ashford Bakery Ltd": False}
    assert await desk.rounds(started.sign_in.id) == []
    assert await desk.reason(connection) == "REVOKED_AT_PROVIDER"  # healed by the reconnect, not by looking
    with pytest.raises(ProofInvalid):
        await complete_sign_in(desk.admin, started.sign_in.id, Secret("x"))


async def test_a_reconnect_of_what_is_about_to_end_needs_a_trip_though_the_login_reaches_it(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    connection = await connected(desk, kim, bakery, reason=None)
    await desk.above.execute(
        "UPDATE consent SET consented_at = consented_at - interval '340 days' WHERE practice_id = $1",
        desk.practice_id,
    )

    started = await reconnect(desk, connection.id)

    assert started.authorization_url is not None
    assert started.sign_in.state is SignInState.STARTED


@pytest.mark.parametrize("trouble", ["revoked", "gone", "down", "over", "asks for a person"])
async def test_a_reconnect_needs_a_trip_where_the_login_does_not_reach_it(
    desk: Desk, kim: Person, bakery: Books, trouble: str
) -> None:
    connection = await connected(desk, kim, bakery, reason="TOKEN_EXPIRED")
    match trouble:
        case "revoked":
            await desk.sandbox.revoke(desk.app, kim)
        case "gone":
            await desk.sandbox.revoke(desk.app, kim, bakery)
        case "down":
            await desk.sandbox.plant("status", "connections", status=503, times=9)
        case "over":
            await desk.above.execute(
                "UPDATE consent SET consented_at = $2 WHERE practice_id = $1",
                desk.practice_id,
                LONG_AGO - timedelta(days=365),
            )
        case _:
            await desk.set_reason(connection.id, "CONSENT_EXPIRED")

    started = await reconnect(desk, connection.id)

    assert started.sign_in.state is SignInState.STARTED
    assert started.authorization_url is not None


async def test_a_reconnect_for_more_than_was_consented_to_needs_a_trip(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    sign_in_id, proof = await desk.consented(kim, bakery, products=(Product.DATA_HEALTH,))
    await complete_sign_in(desk.admin, sign_in_id, proof)
    organisation_id, credential_id, _ = (await desk.found(sign_in_id))["Ashford Bakery Ltd"]
    connection = await desk.connect(organisation_id, credential_id, product=Product.DATA_HEALTH)

    covered = await reconnect(desk, connection.id)
    wider = await reconnect(desk, connection.id, products=(Product.DATA_HEALTH, Product.BOOKKEEPING))

    assert covered.authorization_url is None
    assert wider.authorization_url is not None


async def test_a_colleagues_login_is_not_ones_own(desk: Desk, kim: Person, bakery: Books) -> None:
    connection = await connected(desk, kim, bakery)

    started = await reconnect(desk, connection.id, await desk.colleague())

    assert started.authorization_url is not None


async def test_a_reconnect_is_for_connections_that_one_sees_and_manages(
    desk: Desk, other_desk: Desk, kim: Person, bakery: Books
) -> None:
    connection = await connected(desk, kim, bakery)
    owner = await client_administrator(desk)  # of another client
    reader = await member(desk)

    expected: list[tuple[Principal, type[TielineError]]] = [
        (other_desk.admin, NotFound),
        (owner, NotFound),
        (reader, Forbidden),
    ]
    for principal, refusal in expected:
        with pytest.raises(refusal):
            await reconnect(desk, connection.id, principal)


async def test_a_connection_that_has_ended_is_not_reconnected(desk: Desk, kim: Person, bakery: Books) -> None:
    connection = await connected(desk, kim, bakery)
    await desk.above.execute("UPDATE connection SET ended_at = changed_at WHERE id = $1", connection.id)

    with pytest.raises(Invalid) as refused:
        await reconnect(desk, connection.id)

    assert refused.value.field == "connectionId"
