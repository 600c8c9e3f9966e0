"""Who did what, as an admin's page shows it."""

from __future__ import annotations

from tests.support.firm import Firm
from tieline.principal import Permission

ACTIVITY = """query($first: Int! = 50, $after: String, $kinds: [ActivityKind!], $since: DateTime) {
  activity(first: $first, after: $after, kinds: $kinds, since: $since) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    nodes { kind person { name } personId service apiKey { name }
      clientId client { name } subjectId details { name values } } } }"""
RENAME = """mutation($id: ID!) {
  renameClient(input: {id: $id, name: "Birch Two"}) { errors { code } } }"""


async def test_an_admin_sees_who_did_what_the_latest_first(firm: Firm) -> None:
    service = await firm.caller(None, scopes=frozenset({Permission.MANAGE_CONNECTIONS}))
    birch = await service.create_client("Birch")
    await firm.admin.ask(RENAME, id=birch)

    page = (await firm.admin.ask(ACTIVITY, first=1))["activity"]
    rest = (await firm.admin.ask(ACTIVITY, after=page["pageInfo"]["endCursor"]))["activity"]

    about: dict[str, object] = {
        "clientId": birch,
        "client": {"name": "Birch Two"},
        "subjectId": None,
        "details": [],
    }
    admin = {"person": {"name": "The Admin"}, "personId": str(firm.admin.person_id), "service": None}
    by_key, by_service = {"apiKey": {"name": "admin"}}, {"service": "test", "apiKey": {"name": "test"}}
    assert page["nodes"] == [{"kind": "CLIENT_RENAMED", **admin, **by_key, **about}]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    assert rest["nodes"] == [
        {"kind": "CLIENT_CREATED", "person": None, "personId": None, **by_service, **about}
    ]
    assert (rest["totalCount"], rest["pageInfo"]["hasPreviousPage"]) == (2, True)


async def test_others_are_refused_and_so_are_cursors_of_other_lists(firm: Firm, other_firm: Firm) -> None:
    await firm.admin.create_client("Acorn")
    cursor = (await firm.admin.ask(ACTIVITY))["activity"]["pageInfo"]["endCursor"]
    member = await firm.member(*Permission)

    assert await member.codes(ACTIVITY) == ["FORBIDDEN"]
    assert await firm.admin.codes(ACTIVITY, after=cursor, kinds=["CLIENT_CREATED"]) == ["CURSOR_INVALID"]
    assert await other_firm.admin.codes(ACTIVITY, after=cursor) == ["CURSOR_INVALID"]
    assert await firm.admin.codes(ACTIVITY, first=0) == ["INVALID"]
    assert (await other_firm.admin.ask(ACTIVITY))["activity"]["nodes"] == []
