"""Clients through the front door: listed, searched, paged, created, renamed, and kept from those they are not for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.firm import Caller, Firm, open_firm, unknown_id
from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, Permission, Role

PAGE = """query($first: Int! = 50, $after: String, $search: String, $sort: ClientSort! = {}) {
  clients(first: $first, after: $after, search: $search, sort: $sort) {
    totalCount eventCursor nodes { id name practiceCode team { name } }
    edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
CREATE = """mutation($input: CreateClientInput!) {
  createClient(input: $input) {
    client { id name legalName practiceCode country currency team { name } } errors { code field message }
  }
}"""
RENAME = """mutation($id: ID!, $name: String!) {
  renameClient(input: {id: $id, name: $name}) { client { name } errors { code field } }
}"""


async def names(caller: Caller, **variables: Any) -> list[str]:
    page = (await caller.ask(PAGE, **variables))["clients"]
    return [node["name"] for node in page["nodes"]]


async def test_clients_are_sorted_by_name_without_regard_to_case_and_accents(firm: Firm) -> None:
    for name in ("zebra", "Éclair", "eclipse", "Alpha", "Ｗide", "ÅNGSTRÖM"):
        await firm.admin.create_client(name)

    ascending = await names(firm.admin)
    descending = await names(firm.admin, sort={"direction": "DESC"})

    assert ascending == ["Alpha", "ÅNGSTRÖM", "Éclair", "eclipse", "Ｗide", "zebra"]
    assert descending == ascending[::-1]


async def test_pages_join_to_the_whole_list_each_client_once_also_among_equal_names(firm: Firm) -> None:
    for number in range(7):
        await firm.admin.create_client("Same Name" if number % 2 else f"Name {number}")

    seen: list[str] = []
    after = None
    while True:
        page = (await firm.admin.ask(PAGE, first=2, after=after))["clients"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(seen) == len(set(seen)) == page["totalCount"] == 7
    assert page["pageInfo"]["hasPreviousPage"]


async def test_a_page_that_changes_behind_its_cursor_neither_repeats_nor_skips_what_stays(firm: Firm) -> None:
    ids = [await firm.admin.create_client(f"C{number}") for number in range(4)]
    first = (await firm.admin.ask(PAGE, first=2))["clients"]

    await firm.admin.ask(RENAME, id=ids[0], name="Z moved to the end")
    await firm.admin.create_client("A new one at the start")

    after = first["pageInfo"]["endCursor"]
    rest = await names(firm.admin, first=10, after=after)
    assert rest == ["C2", "C3", "Z moved to the end"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("caf", ["Café Müller Ltd"]),
        ("MULLER", ["Café Müller Ltd", "Muller & Sons"]),
        ("mul son", ["Muller & Sons"]),
        ("uller", []),
        ("ltd caf", ["Café Müller Ltd"]),
        ("sons & mul", ["Muller & Sons"]),
        ("100%", ["100% Design"]),
        ("&", ["100% Design", "Café Müller Ltd", "Muller & Sons"]),
        ("   ", ["100% Design", "Café Müller Ltd", "Muller & Sons"]),
    ],
)
async def test_search_matches_the_beginnings_of_words(firm: Firm, search: str, found: list[str]) -> None:
    for name in ("Café Müller Ltd", "Muller & Sons", "100% Design"):
        await firm.admin.create_client(name)

    page = (await firm.admin.ask(PAGE, search=search))["clients"]

    assert [node["name"] for node in page["nodes"]] == found
    assert page["totalCount"] == len(found)


async def test_search_follows_a_rename(firm: Firm) -> None:
    client_id = await firm.admin.create_client("Old Words")

    await firm.admin.ask(RENAME, id=client_id, name="Fresh Words")

    assert await names(firm.admin, search="old") == []
    assert await names(firm.admin, search="fre wor") == ["Fresh Words"]


async def test_a_list_beyond_its_end_is_empty_and_still_counts(firm: Firm) -> None:
    await firm.admin.create_client("Only one")
    end = (await firm.admin.ask(PAGE))["clients"]["pageInfo"]["endCursor"]

    page = (await firm.admin.ask(PAGE, after=end))["clients"]

    assert page["nodes"] == []
    assert page["totalCount"] == 1
    assert page["pageInfo"]["endCursor"] is None
    assert not page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("first", [0, -1, 201, 2**31 - 1])
async def test_a_page_size_out_of_bounds_is_refused(firm: Firm, first: int) -> None:
    answer = (await firm.admin.post(PAGE, first=first)).json()

    assert answer["errors"][0]["extensions"] == {"code": "INVALID", "field": "first"}
    assert "1 to 200" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "bm9wZQ",
        "W10",
        "WyJhIiwiYiIsImMiXQ",
        "ÿ",
        "a" * 4000,
        "\ud800".encode("utf-16", "surrogatepass").hex(),
    ],
)
async def test_a_broken_cursor_is_refused(firm: Firm, cursor: str) -> None:
    assert await firm.admin.codes(PAGE, after=cursor) == ["CURSOR_INVALID"]


async def test_a_cursor_of_another_sort_or_search_is_refused_and_its_twin_accepted(firm: Firm) -> None:
    for name in ("Alpha One", "Alpha Two"):
        await firm.admin.create_client(name)
    cursor = (await firm.admin.ask(PAGE, first=1))["clients"]["pageInfo"]["endCursor"]

    assert await firm.admin.codes(PAGE, after=cursor, sort={"direction": "DESC"}) == ["CURSOR_INVALID"]
    assert await firm.admin.codes(PAGE, after=cursor, search="alpha") == ["CURSOR_INVALID"]
    assert await names(firm.admin, after=cursor) == ["Alpha Two"]


async def test_a_client_is_created_with_all_its_details(firm: Firm) -> None:
    team_id = await firm.team("North")
    details = {
        "legalName": "Acorn Holdings Limited",
        "practiceCode": "AC-01",
        "country": "GB",
        "currency": "GBP",
    }

    payload = (
        await firm.admin.ask(CREATE, input={"name": "  Acorn   Ltd ", "teamId": str(team_id), **details})
    )["createClient"]

    assert payload["errors"] == []
    client = payload["client"]
    assert client | {"id": None} == {"id": None, "name": "Acorn Ltd", "team": {"name": "North"}, **details}


@pytest.mark.parametrize(
    ("details", "code", "field"),
    [
        ({"name": ""}, "INVALID", "input.name"),
        ({"name": " \t\n"}, "INVALID", "input.name"),
        ({"name": "!!!"}, "INVALID", "input.name"),
        ({"name": "x" * 201}, "INVALID", "input.name"),
        ({"name": "bell\x07"}, "INVALID", "input.name"),
        ({"name": "right\u202eleft"}, "INVALID", "input.name"),
        ({"name": "ok", "country": "GBR"}, "INVALID", "input.country"),
        ({"name": "ok", "currency": "£"}, "INVALID", "input.currency"),
        ({"name": "ok", "practiceCode": "a\x07b"}, "INVALID", "input.practiceCode"),
        ({"name": "ok", "practiceCode": "x" * 65}, "INVALID", "input.practiceCode"),
        ({"name": "ok", "legalName": "y" * 201}, "INVALID", "input.legalName"),
        ({"name": "ok", "teamId": unknown_id()}, "NOT_FOUND", "input.teamId"),
        ({"name": "ok", "teamId": "not an id"}, "NOT_FOUND", "input.teamId"),
    ],
)
async def test_what_does_not_fit_is_refused_by_field_and_nothing_is_created(
    firm: Firm, details: dict[str, Any], code: str, field: str
) -> None:
    payload = (await firm.admin.ask(CREATE, input=details))["createClient"]

    assert payload["client"] is None
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [(code, field)]
    assert await names(firm.admin) == []


async def test_everything_that_does_not_fit_is_told_at_once(firm: Firm) -> None:
    wrong = {"name": " ", "practiceCode": "x" * 65, "country": "England", "currency": "Pound"}

    payload = (await firm.admin.ask(CREATE, input=wrong))["createClient"]

    assert [(error["code"], error["field"]) for error in payload["errors"]] == [
        ("INVALID", "input.name"),
        ("INVALID", "input.practiceCode"),
        ("INVALID", "input.country"),
        ("INVALID", "input.currency"),
    ]


async def test_empty_values_of_a_form_are_none_and_white_space_and_case_are_mended(firm: Firm) -> None:
    given = {"name": "A", "legalName": "", "practiceCode": " z1 ", "country": " gb", "currency": ""}

    client = (await firm.admin.ask(CREATE, input=given))["createClient"]["client"]

    assert client | {"id": None, "team": None} == {
        "id": None,
        "name": "A",
        "legalName": None,
        "practiceCode": "z1",
        "country": "GB",
        "currency": None,
        "team": None,
    }


async def test_a_bad_page_leaves_the_rest_of_the_answer_alone(firm: Firm) -> None:
    answer = (await firm.admin.post("{ clients(first: 0) { totalCount } viewer { role } }")).json()

    assert answer["data"] == {"clients": None, "viewer": {"role": "ADMIN"}}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID"]


async def test_a_cursor_of_another_practice_is_refused(firm: Firm, other_firm: Firm) -> None:
    await firm.admin.create_client("Alpha")
    cursor = (await firm.admin.ask(PAGE))["clients"]["pageInfo"]["endCursor"]

    assert await other_firm.admin.codes(PAGE, after=cursor) == ["CURSOR_INVALID"]


async def test_a_name_of_the_longest_kind_is_kept_sorted_and_found(firm: Firm) -> None:
    longest = "ﷺ" * 200

    await firm.admin.create_client(longest)

    assert await names(firm.admin) == [longest]


async def test_a_practice_code_is_unique_within_its_practice_only(firm: Firm, other_firm: Firm) -> None:
    await firm.admin.create_client("First", practiceCode="X1")

    payload = (await firm.admin.ask(CREATE, input={"name": "Second", "practiceCode": "X1"}))["createClient"]

    assert [(error["code"], error["field"]) for error in payload["errors"]] == [
        ("CODE_TAKEN", "input.practiceCode")
    ]
    assert await names(firm.admin) == ["First"]
    await other_firm.admin.create_client("Elsewhere", practiceCode="X1")


async def test_a_rename_is_seen_by_everybody_and_the_same_name_again_changes_nothing(firm: Firm) -> None:
    client_id = await firm.admin.create_client("Before")

    first = (await firm.admin.ask(RENAME, id=client_id, name="After"))["renameClient"]
    again = (await firm.admin.ask(RENAME, id=client_id, name="After"))["renameClient"]

    assert first == again == {"client": {"name": "After"}, "errors": []}


async def test_permissions_decide_who_may_create_and_rename(firm: Firm) -> None:
    client_id = await firm.admin.create_client("Theirs")
    may = await firm.member(Permission.MANAGE_CONNECTIONS)
    may_not = await firm.member(Permission.SYNC)
    narrowed = await firm.member(Permission.MANAGE_CONNECTIONS, scopes=frozenset({Permission.SYNC}))
    read_only_admin = await firm.member(role=Role.ADMIN, scopes=frozenset())
    service = await firm.caller(None, scopes=frozenset({Permission.MANAGE_CONNECTIONS}))

    for caller, refused in ((may, []), (service, []), (may_not, ["FORBIDDEN"]), (narrowed, ["FORBIDDEN"])):
        renamed = (await caller.ask(RENAME, id=client_id, name=f"By {caller.person_id}"))["renameClient"]
        created = (await caller.ask(CREATE, input={"name": "New"}))["createClient"]
        assert [error["code"] for error in renamed["errors"]] == refused
        assert [error["code"] for error in created["errors"]] == refused
    refused_rename = (await read_only_admin.ask(RENAME, id=client_id, name="no"))["renameClient"]
    assert [error["code"] for error in refused_rename["errors"]] == ["FORBIDDEN"]


async def test_a_member_whose_access_is_by_list_sees_what_it_created_and_nothing_else(firm: Firm) -> None:
    others = await firm.admin.create_client("Not listed")
    member = await firm.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)

    mine = await member.create_client("Listed by creating")

    assert await names(member) == ["Listed by creating"]
    assert (await member.ask("query($id: ID!) { client(id: $id) { name } }", id=mine))["client"]
    assert await member.codes("query($id: ID!) { client(id: $id) { name } }", id=others) == ["NOT_FOUND"]
    renamed = (await member.ask(RENAME, id=others, name="Taken"))["renameClient"]
    assert [error["code"] for error in renamed["errors"]] == ["NOT_FOUND"]


async def test_a_team_is_refused_on_the_standard_plan(firm: Firm) -> None:
    standard = await open_firm(firm.http, plan=Plan.STANDARD)
    team_id = str(await standard.team("Any"))

    payload = (await standard.admin.ask(CREATE, input={"name": "ok", "teamId": team_id}))["createClient"]

    assert [(error["code"], error["field"]) for error in payload["errors"]] == [
        ("PLAN_TOO_SMALL", "input.teamId")
    ]


async def test_the_viewer_is_the_caller_in_its_practice(firm: Firm) -> None:
    await firm.team("South")
    member = await firm.member(Permission.SYNC)

    viewer = (
        await member.ask("{ viewer { role permissions person { name } practice { plan } teams { name } } }")
    )["viewer"]

    assert viewer == {
        "role": "MEMBER",
        "permissions": ["SYNC"],
        "person": {"name": "Some Member"},
        "practice": {"plan": "ADVANCED"},
        "teams": [{"name": "South"}],
    }
