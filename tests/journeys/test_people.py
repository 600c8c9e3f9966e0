"""Setting a practice up from the command line, and using through the API what it made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment, Gateway
from tests.support.firm import CREATE, Firm
from tieline.ids import new_id

NOBODYS = "01890000-0000-7000-8000-000000000000"
MAKE = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id prefix } } }"
VIEWER = """{ viewer { practice { id name plan } person { name email } role permissions teams { name } } }"""


async def tieline(deployment: Deployment, *arguments: str) -> str:
    """What a command that succeeds prints."""
    ended = await asyncio.to_thread(deployment.run, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


async def ask(gateway: Gateway, key: str, query: str = VIEWER, **variables: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(
            gateway.graphql,
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {key}"},
        )


async def may_create(gateway: Gateway, key: str) -> list[str]:
    """The codes that adding a client is refused with."""
    answer = await ask(gateway, key, CREATE, input={"name": "New"})
    return [error["code"] for error in answer.json()["data"]["createClient"]["errors"]]


async def test_a_practice_is_set_up_and_used(deployment: Deployment, gateway: Gateway) -> None:
    name = f"Practice {new_id()}"

    made = await tieline(
        deployment,
        *("practice", "create", name, "--plan", "ADVANCED"),
        *("--admin-name", "Ada Admin", "--admin-email", "ada@firm.invalid"),
    )
    practice_id = re.findall(r"^practice (\S+)$", made, re.MULTILINE)[0]
    await tieline(deployment, "team", "create", "North", "--practice", name)
    key = await tieline(
        deployment,
        "key",
        "create",
        "--practice",
        practice_id,
        "--person",
        "ada@firm.invalid",
        "--name",
        "first",
    )

    viewer = (await ask(gateway, key)).json()["data"]["viewer"]
    assert viewer == {
        "practice": {"id": practice_id, "name": name, "plan": "ADVANCED"},
        "person": {"name": "Ada Admin", "email": "ada@firm.invalid"},
        "role": "ADMIN",
        "permissions": ["MANAGE_CONNECTIONS", "SYNC", "PUBLISH", "MANAGE_RULES"],
        "teams": [{"name": "North"}],
    }
    assert await may_create(gateway, key) == []


async def test_a_member_may_what_it_was_given(deployment: Deployment, gateway: Gateway, firm: Firm) -> None:
    practice = ("--practice", str(firm.practice_id))
    await tieline(
        deployment, "member", "add", "Max Member", "max@firm.invalid", "--permission", "SYNC", *practice
    )

    key = await tieline(
        deployment, "key", "create", "--name", "his", "--person", "max@firm.invalid", *practice
    )

    viewer = (await ask(gateway, key)).json()["data"]["viewer"]
    assert (viewer["role"], viewer["permissions"]) == ("MEMBER", ["SYNC"])
    assert viewer["person"]["name"] == "Max Member"
    assert await may_create(gateway, key) == ["FORBIDDEN"]


async def test_keys_are_narrowed_expire_and_are_revoked(
    deployment: Deployment, gateway: Gateway, firm: Firm, clock: Any
) -> None:
    create = ("key", "create", "--practice", str(firm.practice_id), "--name", "a key")
    service = await tieline(deployment, *create, "--permission", "MANAGE_CONNECTIONS")
    read_only = await tieline(deployment, *create, "--person", "admin@firm.invalid", "--read-only")
    ended = await asyncio.to_thread(deployment.run, *create, "--read-only", "--days", "30")
    short_lived = ended.stdout.strip()
    key_id = re.findall(r"^id (\S+);", ended.stderr, re.MULTILINE)[0]

    of_the_service = (await ask(gateway, service)).json()["data"]["viewer"]
    assert (of_the_service["person"], of_the_service["permissions"]) == (None, ["MANAGE_CONNECTIONS"])
    assert await may_create(gateway, service) == []
    assert await may_create(gateway, read_only) == ["FORBIDDEN"]
    assert (await ask(gateway, short_lived)).status_code == 200

    await clock(timedelta(days=31))
    assert [(await ask(gateway, key)).status_code for key in (short_lived, service)] == [401, 200]
    await clock(timedelta(days=-31))
    assert (await ask(gateway, short_lived)).status_code == 200
    assert await tieline(deployment, "key", "revoke", key_id) == "revoked"
    assert (await ask(gateway, short_lived)).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("practice", "create", "!!!", "--admin-name", "A", "--admin-email", "a@b.c"), 1, "A name needs"),
        (("practice", "create", "P", "--admin-name", "A"), 2, "--admin-email"),
        (("team", "create", "North", "--practice", "nobody's"), 1, "There is no practice"),
        (("member", "add", "A", "not an address", "--practice", "{practice}"), 1, "is not an e-mail address"),
        (("member", "add", "A", "admin@firm.invalid", "--practice", "{practice}"), 1, "already"),
        (
            ("member", "add", "A", "a@b.c", "--permission", "ALL", "--practice", "{practice}"),
            2,
            "--permission",
        ),
        (("key", "create", "--practice", "{practice}", "--name", "n"), 2, "--permission"),
        (("key", "create", "--practice", "{practice}", "--name", "n", "--person", "x@y.z"), 1, "Nobody"),
        (
            ("key", "create", "--practice", "{practice}", "--name", "n", "--read-only", "--days", "0"),
            2,
            "--days",
        ),
        (("key", "revoke", NOBODYS), 1, "There is no key"),
        (("key", "revoke", "nonsense"), 1, "There is no key"),
        (("member", "remove", "admin@firm.invalid", "--practice", "{practice}"), 1, "last admin"),
        (("member", "add", "A", "a@b.c", "--team", "Nowhere", "--practice", "{practice}"), 1, "team"),
        (
            (
                "key",
                "create",
                "--practice",
                "{practice}",
                "--name",
                "n",
                "--read-only",
                "--permission",
                "SYNC",
            ),
            2,
            "one",
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(
    deployment: Deployment, firm: Firm, arguments: tuple[str, ...], code: int, said: str
) -> None:
    filled = [argument.format(practice=firm.practice_id) for argument in arguments]

    ended = await asyncio.to_thread(deployment.run, *filled)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_practice_whose_admin_cannot_be_added_is_not_made(deployment: Deployment) -> None:
    name = f"Practice {new_id()}"

    ended = await asyncio.to_thread(
        deployment.run, "practice", "create", name, "--admin-name", "Ada", "--admin-email", "no address"
    )

    connection = await deployment.connect()
    made = await connection.fetchval("SELECT count(*) FROM practice WHERE name = $1", name)
    await connection.close()
    assert (ended.returncode, made) == (1, 0)


async def test_who_is_there_can_be_listed_and_a_leaver_is_out_at_once(
    deployment: Deployment, gateway: Gateway, firm: Firm
) -> None:
    practice = ("--practice", str(firm.practice_id))
    await tieline(deployment, "team", "create", "North", *practice)
    await tieline(
        deployment,
        "member",
        "add",
        "Lea Ver",
        "Lea@Firm.invalid",
        *practice,
        "--clients",
        "LISTED",
        "--team",
        "North",
    )
    key = await tieline(
        deployment, "key", "create", *practice, "--name", "laptop", "--person", "LEA@firm.invalid"
    )
    team_id = (await firm.admin.ask("{ viewer { teams { id } } }"))["viewer"]["teams"][0]["id"]
    await firm.admin.create_client("Of the North", teamId=team_id)
    await firm.admin.create_client("Of nobody")
    seen = (await ask(gateway, key, "{ clients { nodes { name } } }")).json()["data"]["clients"]["nodes"]
    members = await tieline(deployment, "member", "list", *practice)
    keys = await tieline(deployment, "key", "list", *practice)

    await tieline(deployment, "member", "remove", "lea@firm.invalid", *practice)

    assert seen == [{"name": "Of the North"}]
    assert re.search(r"MEMBER  LISTED  Lea Ver <lea@firm.invalid>", members)
    assert f"{key[:11]}…  works    laptop (person " in keys
    assert (await ask(gateway, key)).status_code == 401
    assert "Lea Ver" not in await tieline(deployment, "member", "list", *practice)
    again = await tieline(deployment, "member", "add", "Lea Ver", "lea@firm.invalid", *practice)
    assert again.removeprefix("person ") in members, "who comes back is the same person"
    assert f"{key[:11]}…  revoked" in await tieline(deployment, "key", "list", *practice)


async def test_the_operator_who_removes_somebody_reads_what_became_of_the_keys_it_made(
    deployment: Deployment, gateway: Gateway, firm: Firm
) -> None:
    practice = ("--practice", str(firm.practice_id))
    await tieline(deployment, "member", "add", "Lea", "lea@firm.invalid", *practice, "--role", "ADMIN")
    key = await tieline(deployment, "key", "create", *practice, "--name", "x", "--person", "lea@firm.invalid")
    inputs = [
        {"name": "Laptop", "personId": str(firm.admin.person_id)},
        {"name": "Nightly", "forService": True, "scopes": ["SYNC"]},
    ]
    answers = [(await ask(gateway, key, MAKE, input=each)).json() for each in inputs]
    laptop, nightly = [each["data"]["createApiKey"]["apiKey"] for each in answers]

    said = await tieline(deployment, "member", "remove", "lea@firm.invalid", *practice)

    ended = f"revoked the key {laptop['prefix']}… Laptop, which it had made for person {firm.admin.person_id}"
    left = (
        f"the service's key {nightly['prefix']}… Nightly still works, which the person made and may know: "
        f"replace it, then 'tieline key revoke {nightly['id']}'"
    )
    assert said.splitlines() == ["removed", ended, left]


@pytest.mark.parametrize("given", [lambda key: key[:11], lambda key: key], ids=["its beginning", "all of it"])
async def test_a_key_is_ended_by_how_it_begins(
    deployment: Deployment, gateway: Gateway, firm: Firm, given: Callable[[str], str]
) -> None:
    key = await tieline(
        deployment, "key", "create", "--practice", str(firm.practice_id), "--name", "leaked", "--read-only"
    )

    await tieline(deployment, "key", "revoke", given(key))

    assert (await ask(gateway, key)).status_code == 401


async def test_a_person_of_one_client_sees_that_one(
    deployment: Deployment, gateway: Gateway, firm: Firm
) -> None:
    practice = ("--practice", str(firm.practice_id))
    mine = await firm.admin.create_client("Mine")
    await firm.admin.create_client("Not mine")

    await tieline(
        deployment, "client-member", "add", "Own Er", "own@client.invalid", *practice, "--client", mine
    )
    key = await tieline(
        deployment, "key", "create", *practice, "--name", "k", "--person", "own@client.invalid"
    )

    seen = (await ask(gateway, key, "{ viewer { role } clients { nodes { name } } }")).json()["data"]
    assert seen == {"viewer": {"role": None}, "clients": {"nodes": [{"name": "Mine"}]}}


async def test_a_practice_of_a_name_that_is_taken_is_not_made(deployment: Deployment) -> None:
    name = f"Twice {new_id()}"
    create = ("practice", "create", name, "--admin-name", "Ada", "--admin-email", "ada@twice.invalid")
    await tieline(deployment, *create)

    again = await asyncio.to_thread(deployment.run, *create)

    listed = await tieline(deployment, "practice", "list")
    assert again.returncode == 1
    assert "already" in again.stderr
    assert listed.count(name) == 1
