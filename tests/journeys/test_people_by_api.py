"""A practice's people from an admin's page: a team, a member in it, a key, and how all of it ends."""

from __future__ import annotations

from tests.support.deployment import Gateway
from tests.support.firm import Caller, Firm, unknown_id
from tieline.ids import PersonId
from tieline.principal import Role

TEAM = (
    "mutation($name: String!) { createTeam(input: {name: $name}) { team { id name } errors { code field } } }"
)
UPDATE = """mutation($input: UpdateMemberInput!) { updateMember(input: $input) {
  member { role permissions clientAccess teams { name } } errors { code field } } }"""
FILL = """mutation($id: ID!, $people: [ID!]!) { setTeamMembers(input: {id: $id, personIds: $people}) {
  team { memberCount clientCount } errors { code field } } }"""
DROP = "mutation($id: ID!) { deleteTeam(input: {id: $id}) { deletedTeamId errors { code field } } }"
MEMBERS = """query($search: String, $deactivated: Boolean! = false) {
  members(search: $search, deactivated: $deactivated) {
    totalCount nodes { person { name deactivatedAt } role teams { name memberCount } listedClients integrates } } }"""
MEMBER = "query($id: ID!) { member(personId: $id) { person { name } permissions } }"
TEAMS = "{ teams { name memberCount clientCount } }"
KEY = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  apiKey { id prefix name state scopes madeWithId lastUsedAt person { name } } secret errors { code field } } }"""
KEYS = "{ apiKeys { totalCount nodes { id name state lastUsedAt } } }"
REVOKE = """mutation($id: ID!, $all: Boolean = false) { revokeApiKey(input: {id: $id, andMadeWithIt: $all}) {
  apiKey { state } alsoRevoked { id state } alsoRevokedCount errors { code } } }"""
DEACTIVATE = """mutation($id: ID!, $services: Boolean! = false) {
  deactivatePerson(input: {personId: $id, andKeysOfServices: $services}) {
  person { name deactivatedAt } revokedKeys { name state madeBy { name } person { name } } revokedKeyCount
  keysToReplace { name state person { name } } errors { code field } } }"""
REACTIVATE = """mutation($id: ID!) { reactivatePerson(input: {personId: $id}) {
  person { name deactivatedAt } errors { code } } }"""

PRACTICE = """mutation($input: UpdatePracticeInput!) { updatePractice(input: $input) {
  practice { name consentLifeDays } errors { code field } } }"""
OURS = (
    """query($id: ID!) { clientMembers(clientId: $id) { totalCount nodes { person { id email } role } } }"""
)
SET = """mutation($client: ID!, $person: ID!) {
  setClientMember(input: {clientId: $client, personId: $person, role: ADMINISTRATOR}) {
    clientMember { person { name } role } errors { code field } } }"""
REMOVE = """mutation($client: ID!, $person: ID!) {
  removeClientMember(input: {clientId: $client, personId: $person}) { person { name } errors { code field } } }"""


async def test_what_is_left_out_of_a_practices_change_stays(firm: Firm) -> None:
    named = (await firm.admin.ask(PRACTICE, input={"name": "New Name"}))["updatePractice"]
    for_ever = (await firm.admin.ask(PRACTICE, input={"consentLifeDays": None}))["updatePractice"]
    refused = (await firm.admin.ask(PRACTICE, input={"consentLifeDays": 0}))["updatePractice"]

    assert named == {"practice": {"name": "New Name", "consentLifeDays": 365}, "errors": []}
    assert for_ever == {"practice": {"name": "New Name", "consentLifeDays": None}, "errors": []}
    assert refused["errors"] == [{"code": "INVALID", "field": "input.consentLifeDays"}]


async def test_a_client_gets_an_administrator_and_loses_it(firm: Firm) -> None:
    client, member = await firm.admin.create_client("Acorn"), await firm.member()
    named = {"client": client, "person": str(member.person_id)}

    given = (await firm.admin.ask(SET, **named))["setClientMember"]
    listed = (await firm.admin.ask(OURS, id=client))["clientMembers"]
    gone = (await firm.admin.ask(REMOVE, **named))["removeClientMember"]
    again = (await firm.admin.ask(REMOVE, **named))["removeClientMember"]

    assert given["clientMember"] == {"person": {"name": "Some Member"}, "role": "ADMINISTRATOR"}
    assert (listed["totalCount"], listed["nodes"][0]["person"]["id"]) == (1, str(member.person_id))
    assert gone == {"person": {"name": "Some Member"}, "errors": []}
    assert again["errors"] == [{"code": "NOT_FOUND", "field": "input.personId"}]


async def test_an_admin_gives_a_member_a_team_and_what_it_may(firm: Firm) -> None:
    member = str((await firm.member()).person_id)
    made = (await firm.admin.ask(TEAM, name="North"))["createTeam"]
    north = made["team"]["id"]
    await firm.admin.create_client("Acorn", teamId=north)

    given = {"personId": member, "permissions": ["SYNC"], "clientAccess": "LISTED", "teamIds": [north]}
    changed = (await firm.admin.ask(UPDATE, input=given))["updateMember"]
    page = (await firm.admin.ask(MEMBERS, search="some mem"))["members"]
    one = (await firm.admin.ask(MEMBER, id=member))["member"]
    teams = (await firm.admin.ask(TEAMS))["teams"]

    assert made["team"]["name"] == "North"
    assert changed == {
        "member": {
            "role": "MEMBER",
            "permissions": ["SYNC"],
            "clientAccess": "LISTED",
            "teams": [{"name": "North"}],
        },
        "errors": [],
    }
    assert page == {
        "totalCount": 1,
        "nodes": [
            {
                "person": {"name": "Some Member", "deactivatedAt": None},
                "role": "MEMBER",
                "teams": [{"name": "North", "memberCount": 1}],
                "listedClients": 0,
                "integrates": 0,
            }
        ],
    }
    assert one == {"person": {"name": "Some Member"}, "permissions": ["SYNC"]}
    assert teams == [{"name": "North", "memberCount": 1, "clientCount": 1}]


async def test_refusals_about_people_are_data_with_their_field(firm: Firm) -> None:
    admin = str(firm.admin.person_id)
    north = (await firm.admin.ask(TEAM, name="North"))["createTeam"]["team"]["id"]
    await firm.admin.create_client("Acorn", teamId=north)

    again = (await firm.admin.ask(TEAM, name="North"))["createTeam"]
    in_use = (await firm.admin.ask(DROP, id=north))["deleteTeam"]
    stranger = (await firm.admin.ask(FILL, id=north, people=[unknown_id()]))["setTeamMembers"]
    demoted = (await firm.admin.ask(UPDATE, input={"personId": admin, "role": "MEMBER"}))["updateMember"]
    gone = (await firm.admin.ask(DEACTIVATE, id=admin))["deactivatePerson"]

    assert [each["errors"] for each in (again, in_use, stranger, demoted, gone)] == [
        [{"code": "NAME_TAKEN", "field": "input.name"}],
        [{"code": "TEAM_IN_USE", "field": "input.id"}],
        [{"code": "NOT_FOUND", "field": "input.personIds"}],
        [{"code": "LAST_ADMIN", "field": "input.role"}],
        [{"code": "LAST_ADMIN", "field": "input.personId"}],
    ]


async def test_a_key_is_shown_once_works_and_ends(firm: Firm, gateway: Gateway) -> None:
    made = (await firm.admin.ask(KEY, input={"name": "Nightly", "forService": True, "scopes": ["SYNC"]}))[
        "createApiKey"
    ]
    key = Caller(http=firm.http, key=made["secret"], practice_id=firm.practice_id, person_id=None)
    viewer = await key.ask("{ viewer { permissions person { name } } }")

    listed = (await firm.admin.ask(KEYS))["apiKeys"]
    ended = (await firm.admin.ask(REVOKE, id=made["apiKey"]["id"]))["revokeApiKey"]

    assert made["errors"] == []
    assert made["secret"].startswith(made["apiKey"]["prefix"])
    admins = listed["nodes"][1]["id"]
    assert (made["apiKey"]["state"], made["apiKey"]["person"]) == ("WORKS", None)
    assert (made["apiKey"]["madeWithId"], made["apiKey"]["lastUsedAt"]) == (admins, None)
    assert [each["lastUsedAt"] is None for each in listed["nodes"]] == [False, False]
    assert viewer == {"viewer": {"permissions": ["SYNC"], "person": None}}
    assert [(each["name"], each["state"]) for each in listed["nodes"]] == [
        ("Nightly", "WORKS"),
        ("admin", "WORKS"),
    ]
    assert ended == {"apiKey": {"state": "REVOKED"}, "alsoRevoked": [], "alsoRevokedCount": 0, "errors": []}
    assert (await key.post("{ viewer { role } }")).status_code == 401
    assert made["secret"] not in gateway.process.logged()


async def test_a_key_that_leaked_takes_along_what_was_made_with_it(firm: Firm) -> None:
    leaked = (await firm.admin.ask(KEY, input={"name": "Leaked"}))["createApiKey"]
    thief = Caller(http=firm.http, key=leaked["secret"], practice_id=firm.practice_id, person_id=None)
    (made, other) = [
        (await each.ask(KEY, input={"name": "x"}))["createApiKey"] for each in (thief, firm.admin)
    ]
    second = Caller(http=firm.http, key=made["secret"], practice_id=firm.practice_id, person_id=None)
    before = await second.post("{ viewer { role } }")

    ended = (await firm.admin.ask(REVOKE, id=leaked["apiKey"]["id"], all=True))["revokeApiKey"]

    also = [{"id": made["apiKey"]["id"], "state": "REVOKED"}]
    assert ended == {"apiKey": {"state": "REVOKED"}, "alsoRevoked": also, "alsoRevokedCount": 1, "errors": []}
    assert (before.status_code, (await second.post("{ viewer { role } }")).status_code) == (200, 401)
    assert other["apiKey"]["state"] == "WORKS"


async def test_a_leaver_comes_in_by_no_key_that_it_made_for_others(firm: Firm) -> None:
    ann, kim = await firm.member(role=Role.ADMIN), await firm.member()
    as_kim = {"name": "As Kim", "personId": str(kim.person_id)}
    nightly = {"name": "Nightly", "forService": True, "scopes": ["SYNC"]}
    made = [(await ann.ask(KEY, input=each))["createApiKey"]["secret"] for each in (as_kim, nightly)]
    by_kims, by_services = [
        Caller(http=firm.http, key=secret, practice_id=firm.practice_id, person_id=None) for secret in made
    ]

    gone = (await firm.admin.ask(DEACTIVATE, id=str(ann.person_id)))["deactivatePerson"]
    between = [(await each.post("{ viewer { role } }")).status_code for each in (by_kims, by_services)]
    then = (await firm.admin.ask(DEACTIVATE, id=str(ann.person_id), services=True))["deactivatePerson"]
    after = (await by_services.post("{ viewer { role } }")).status_code

    person = {"name": "Some Member"}
    assert gone["revokedKeys"] == [{"name": "As Kim", "state": "REVOKED", "madeBy": person, "person": person}]
    assert gone["keysToReplace"] == [{"name": "Nightly", "state": "WORKS", "person": None}]
    assert [each["name"] for each in then["revokedKeys"]] == ["Nightly"]
    assert (gone["revokedKeyCount"], then["revokedKeyCount"], then["keysToReplace"]) == (1, 1, [])
    assert (between, after) == ([401, 200], 401)


async def test_who_is_deactivated_is_out_at_once_and_can_come_back(firm: Firm) -> None:
    member = await firm.member()
    assert member.person_id is not None
    before = await member.post("{ viewer { role } }")

    gone = (await firm.admin.ask(DEACTIVATE, id=str(member.person_id)))["deactivatePerson"]
    listed = (await firm.admin.ask(MEMBERS, deactivated=True))["members"]
    out = await member.post("{ viewer { role } }")
    back = (await firm.admin.ask(REACTIVATE, id=str(member.person_id)))["reactivatePerson"]
    again = await firm.caller(PersonId(member.person_id))

    assert (before.status_code, out.status_code) == (200, 401)
    assert gone["person"]["deactivatedAt"] is not None
    assert [node["person"]["name"] for node in listed["nodes"]] == ["Some Member"]
    assert back == {"person": {"name": "Some Member", "deactivatedAt": None}, "errors": []}
    assert (await again.ask("{ viewer { role } }"))["viewer"] == {"role": "MEMBER"}
