"""Coming in by invitation: from the admin's question over the first sign-in to what the person may then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment, Gateway, serving
from tests.support.firm import Firm
from tests.support.issuer import AUDIENCE, IssuerServer, running_issuer
from tests.support.sockets import socket_to
from tieline.ids import new_id

INVITE = """mutation($input: InviteMemberInput!) { inviteMember(input: $input) {
  token invitation { id email role clientAccess permissions invitedBy { id } } errors { code field } } }"""
INVITE_TO_CLIENT = """mutation($input: InviteClientMemberInput!) { inviteClientMember(input: $input) {
  token invitation { id clientRole client { id } } errors { code field } } }"""
ACCEPT = """mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  practiceId practiceName personId errors { code field } } }"""
CLIENT = f'{{ client(id: "{new_id()}") {{ id }} }}'
VIEWER = "{ viewer { practice { id } person { id name email } role permissions } clients { nodes { name } } }"


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def trusting(deployment: Deployment, issuer: IssuerServer) -> Iterator[Gateway]:
    oidc = {"TIELINE_OIDC_ISSUER": issuer.url, "TIELINE_OIDC_AUDIENCE": AUDIENCE}
    with serving(deployment, TIELINE_LOG_LEVEL="DEBUG", **oidc) as running:
        yield running


async def post(gateway: Gateway, token: str, query: str, **variables: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(
            gateway.graphql,
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token}"},
        )


async def test_somebody_comes_in_by_invitation_and_is_who_was_asked(
    trusting: Gateway, issuer: IssuerServer, firm: Firm
) -> None:
    await firm.admin.create_client("Acorn")
    seen = await firm.admin.create_client("Birch")
    token = issuer.token(f"auth0|{new_id()}", email="Ann@Firm.invalid", email_verified=True)
    given = {
        "email": "ann@firm.invalid",
        "name": "Ann",
        "permissions": ["SYNC"],
        "clientAccess": "LISTED",
        "clientIds": [seen],
    }

    invited = (await firm.admin.ask(INVITE, input=given))["inviteMember"]
    stranger = await post(trusting, token, VIEWER)
    accepted = (await post(trusting, token, ACCEPT, input={"token": invited["token"]})).json()["data"]
    again = (await post(trusting, token, ACCEPT, input={"token": invited["token"]})).json()["data"]
    ann = (await post(trusting, token, VIEWER)).json()["data"]

    assert invited["invitation"]["invitedBy"] == {"id": str(firm.admin.person_id)}
    assert (stranger.status_code, stranger.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )
    assert accepted["acceptInvitation"]["practiceId"] == str(firm.practice_id)
    assert again == accepted
    assert ann["viewer"]["person"] == {
        "id": accepted["acceptInvitation"]["personId"],
        "name": "Ann",
        "email": "ann@firm.invalid",
    }
    assert (ann["viewer"]["role"], ann["viewer"]["permissions"]) == ("MEMBER", ["SYNC"])
    assert ann["clients"]["nodes"] == [{"name": "Birch"}]
    assert await firm.admin.ask("{ invitations { id } }") == {"invitations": []}


async def test_a_clients_administrator_is_asked_in_and_asks_in_a_reader(
    trusting: Gateway, issuer: IssuerServer, firm: Firm
) -> None:
    await firm.admin.create_client("Acorn")
    client = await firm.admin.create_client("Birch")
    ann, ben = (issuer.token(f"auth0|{new_id()}") for _ in range(2))
    to_client = {"clientId": client, "name": "Somebody"}

    first = (
        await firm.admin.ask(
            INVITE_TO_CLIENT, input={**to_client, "email": "ann@c.invalid", "role": "ADMINISTRATOR"}
        )
    )["inviteClientMember"]
    await post(trusting, ann, ACCEPT, input={"token": first["token"]})
    second = await post(
        trusting, ann, INVITE_TO_CLIENT, input={**to_client, "email": "ben@c.invalid", "role": "READER"}
    )
    open_ones = (await post(trusting, ann, "{ invitations { email client { name } } }")).json()["data"]
    await post(trusting, ben, ACCEPT, input={"token": second.json()["data"]["inviteClientMember"]["token"]})
    reader = (await post(trusting, ben, VIEWER)).json()["data"]
    third = await post(
        trusting, ben, INVITE_TO_CLIENT, input={**to_client, "email": "eve@c.invalid", "role": "READER"}
    )

    assert first["invitation"]["client"] == {"id": client}
    assert open_ones == {"invitations": [{"email": "ben@c.invalid", "client": {"name": "Birch"}}]}
    assert reader["viewer"]["role"] is None
    assert reader["clients"]["nodes"] == [{"name": "Birch"}]
    assert third.json()["data"]["inviteClientMember"]["errors"] == [{"code": "FORBIDDEN", "field": None}]


async def test_a_guest_may_accept_and_nothing_else(
    trusting: Gateway, issuer: IssuerServer, firm: Firm
) -> None:
    guest = issuer.token(f"auth0|{new_id()}")

    for query in (VIEWER, "{ invitations { id } }", "{ providers { slug } }", CLIENT):
        answer = await post(trusting, guest, query)
        codes = {error["extensions"]["code"] for error in answer.json()["errors"]}
        assert (answer.status_code, codes) == (401, {"UNAUTHENTICATED"}), query
    wrong = (await post(trusting, guest, ACCEPT, input={"token": "tli_" + "A" * 43})).json()["data"]
    by_key = await post(trusting, firm.admin.key, ACCEPT, input={"token": "tli_" + "A" * 43})
    async with socket_to(trusting.socket) as socket:
        await socket.send(type="connection_init", payload={"authorization": f"Bearer {guest}"})
        with pytest.raises(Exception, match="4403"):
            await socket.receive()

    assert wrong["acceptInvitation"]["errors"] == [{"code": "INVITATION_OVER", "field": "input.token"}]
    assert by_key.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_invitation_runs_out_after_a_week_and_its_token_is_nowhere_in_the_log(
    trusting: Gateway, issuer: IssuerServer, firm: Firm, clock: Any
) -> None:
    given = {"email": "ann@firm.invalid", "name": "Ann"}
    invited = (await firm.admin.ask(INVITE, input=given))["inviteMember"]
    subject = f"auth0|{new_id()}"

    async def later(by: timedelta) -> None:
        await clock(by)
        await post(trusting, firm.admin.key, VIEWER)

    await later(timedelta(days=7))
    late = issuer.token(subject, exp=2_000_000_000_000 // 1_000)
    answer = (await post(trusting, late, ACCEPT, input={"token": invited["token"]})).json()["data"]
    await later(-timedelta(seconds=60))
    twin = (await post(trusting, late, ACCEPT, input={"token": invited["token"]})).json()["data"]
    await later(-timedelta(days=7) + timedelta(seconds=60))

    assert answer["acceptInvitation"]["errors"] == [{"code": "INVITATION_OVER", "field": "input.token"}]
    assert twin["acceptInvitation"]["errors"] == []
    assert invited["token"] not in trusting.process.logged()
