"""Each row that is refused says why as every refusal does: by a code of the one enum, and the path of its own field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from tests.connections.test_reconnect_all import connected
from tests.connections.test_reconnect_outcomes import meant_for
from tests.support.asking import asked
from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.pretend import ALL_SCOPES
from tieline.connections.moving.decisions import Outcome
from tieline.connections.service import disconnect
from tieline.ids import OrganisationId, SignInId, new_id
from tieline.practices.service import create_team
from tieline.principal import Permission, Principal
from tieline_gateway.graphql.clients.adding import AddClientOutcomeCode
from tieline_gateway.graphql.clients.codes import PracticeCodeOutcomeCode
from tieline_gateway.graphql.connections.bulk import ConnectOutcomeCode
from tieline_gateway.graphql.user_errors import UserErrorCode

Told: TypeAlias = list[tuple[str, str | None]]
"""Of each row its outcome, and the path of what it was refused for."""

DAYS, YEARS = timedelta(days=2), timedelta(days=800)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A sign-in that reaches `good`; `over` by a consent that has run out, `narrow` by one to reports only."""

    sign_in_id: SignInId
    good: list[OrganisationId]
    narrow: OrganisationId
    over: OrganisationId

    @property
    def given(self) -> dict[str, Any]:
        return {"signInId": str(self.sign_in_id), "product": BOOKKEEPING.value}


async def reach(
    books: Books, good: Sequence[OrganisationId], narrow: OrganisationId, over: OrganisationId
) -> Reach:
    sign_in_id = await books.sign_in(await books.credential(), [*good, narrow, over])
    for organisation_id, scopes, age in ((narrow, ["reports"], DAYS), (over, ALL_SCOPES, YEARS)):
        credential_id = await books.credential(scopes=scopes)
        await books.sql.execute(
            "UPDATE sign_in_organisation SET credential_id = $3 WHERE sign_in_id = $1 AND organisation_id = $2",
            sign_in_id,
            organisation_id,
            credential_id,
        )
        await books.sql.execute(
            "INSERT INTO consent (practice_id, credential_id, organisation_id, consented_at) VALUES ($1, $2, $3, $4)",
            books.practice_id,
            credential_id,
            organisation_id,
            datetime.now(UTC) - age,
        )
    return Reach(sign_in_id=sign_in_id, good=list(good), narrow=narrow, over=over)


async def told(
    caller: Principal, name: str, type_name: str, given: dict[str, Any], *, foreseen: bool = True
) -> Told:
    """What a bulk action says of its rows, which its preview has said before; each refusal is whole."""
    ask = f"($input: {type_name}!) {{ {{}}(input: $input) {{ outcomes {{ code error {{ code message field }} }} }} }}"
    before = (
        await asked(caller, "query" + ask.replace("{}", f"{name}Preview", 1), input=given) if foreseen else {}
    )
    after = await asked(caller, "mutation" + ask.replace("{}", name, 1), input=given)
    outcomes: list[dict[str, Any]] = after[name]["outcomes"]
    assert not foreseen or before[f"{name}Preview"]["outcomes"] == outcomes
    for each in outcomes:
        assert each["error"] is None or each["error"]["code"] == each["code"]
        assert each["error"] is None or each["error"]["message"]
    return [(each["code"], each["error"] and each["error"]["field"]) for each in outcomes]


def refusals(codes: type[StrEnum]) -> set[str]:
    """Those of an action's outcomes that are refusals."""
    return {code.value for code in codes} & set(UserErrorCode.__members__)


async def test_each_refusal_of_a_bulk_connect_names_its_rows_field(books: Books) -> None:
    one, other = (await books.client("One")).id, (await books.client("Other")).id
    held = await books.connected(await books.client("Held"), await books.organisation("Held"))
    good, moved, narrow, over, unreached = await books.organisations("A", "B", "Narrow", "Over", "Unreached")
    made = await reach(books, [good, moved, held.organisation_id], narrow, over)
    expected = {
        (one, good): ("CONNECTED", None),
        (one, moved): ("NAMED_TWICE", "input.rows.1.clientId"),
        (other, good): ("ORGANISATION_IN_USE", "input.rows.2.organisationId"),
        (other, held.organisation_id): ("ORGANISATION_IN_USE", "input.rows.3.organisationId"),
        (held.client_id, moved): ("DIFFERENT_ORGANISATION", "input.rows.4.organisationId"),
        (other, unreached): ("NOT_IN_THIS_LOGIN", "input.rows.5.organisationId"),
        (other, over): ("CONSENT_EXPIRED", "input.rows.6.organisationId"),
        (other, narrow): ("SCOPE_MISSING", "input.signInId"),
        (new_id(), moved): ("NOT_FOUND", "input.rows.8.clientId"),
        ("no id", moved): ("NOT_FOUND", "input.rows.9.clientId"),
        (other, new_id()): ("NOT_FOUND", "input.rows.10.organisationId"),
        (other, "no id"): ("NOT_FOUND", "input.rows.11.organisationId"),
    }
    member = await books.member(Permission.SYNC)
    own = await books.sign_in(await books.credential(), [moved], person_id=member.person_id)

    given = {**made.given, "rows": [connecting(*pair) for pair in expected]}
    rows = await told(books.admin, "bulkConnect", "BulkConnectInput", given)
    given = {**made.given, "signInId": str(own), "rows": [connecting(other, moved)]}
    forbidden = await told(member, "bulkConnect", "BulkConnectInput", given)

    assert rows == list(expected.values())
    assert forbidden == [("FORBIDDEN", "input.rows.0.clientId")]
    assert {code for code, field in (*rows, *forbidden) if field} == refusals(ConnectOutcomeCode)


async def test_each_refusal_of_added_clients_names_its_rows_field(books: Books) -> None:
    await books.client("Known")
    firm: str = await books.sql.fetchval("SELECT name FROM practice WHERE id = $1", books.practice_id)
    held = await books.connected(await books.client("Held"), await books.organisation("Held"), DATA_HEALTH)
    team = str(await create_team(books.practice_id, "Team"))
    fine, known, own, narrow, over, unreached = await books.organisations(
        "Fine", "Known", firm, "Narrow", "Over", "Unreached"
    )
    made = await reach(books, [fine, known, own, held.organisation_id], narrow, over)
    given = [
        adding(new_id()),
        adding("no id"),
        adding(fine, teamId=str(new_id())),
        adding(fine, teamId="no id"),
        adding(fine, name="x" * 201),
        adding(known),
        adding(own),
        adding(held.organisation_id),
        adding(unreached),
        adding(over),
        adding(narrow),
        adding(fine),
    ]

    rows = await told(books.admin, "addClients", "AddClientsInput", {**made.given, "rows": given})
    await books.sql.execute("UPDATE practice SET plan = 'STANDARD' WHERE id = $1", books.practice_id)
    smaller = {**made.given, "rows": [adding(known, evenIfDuplicate=True, teamId=team)]}
    too_small = await told(books.admin, "addClients", "AddClientsInput", smaller)

    assert rows == [
        ("NOT_FOUND", "input.rows.0.organisationId"),
        ("NOT_FOUND", "input.rows.1.organisationId"),
        ("NOT_FOUND", "input.rows.2.teamId"),
        ("NOT_FOUND", "input.rows.3.teamId"),
        ("INVALID", "input.rows.4.name"),
        ("DUPLICATE", "input.rows.5.name"),
        ("OWN_BOOKS", "input.rows.6.organisationId"),
        ("ORGANISATION_IN_USE", "input.rows.7.organisationId"),
        ("NOT_IN_THIS_LOGIN", "input.rows.8.organisationId"),
        ("CONSENT_EXPIRED", "input.rows.9.organisationId"),
        ("SCOPE_MISSING", "input.signInId"),
        ("ADDED", None),
    ]
    assert too_small == [("PLAN_TOO_SMALL", "input.rows.0.teamId")]
    assert {code for code, field in (*rows, *too_small) if field} == refusals(AddClientOutcomeCode)


async def test_each_refusal_of_moved_connections_names_its_id(books: Books) -> None:
    good, gone, meant, chosen, narrow, over, unreached = await connected(
        books, "Good", "Gone", "Meant", "Chosen", "Narrow", "Over", "Unreached"
    )
    await disconnect(books.admin, gone.id)
    made = await reach(books, [good.organisation_id], narrow.organisation_id, over.organisation_id)
    chosen_there = await meant_for(books, meant, chosen)
    member = await books.member(Permission.SYNC)
    own = await books.sign_in(await books.credential(), [], person_id=member.person_id)
    rows = [good.id, good.id, gone.id, unreached.id, over.id, narrow.id, new_id(), "no id"]

    moved = await told(books.admin, "reassign", "ReassignInput", reassigning(made.sign_in_id, *rows))
    other = await told(books.admin, "reassign", "ReassignInput", reassigning(chosen_there, gone.id, meant.id))
    forbidden = await told(member, "reassign", "ReassignInput", reassigning(own, good.id))

    assert moved == [
        ("REASSIGNED", None),
        ("NAMED_TWICE", "input.connectionIds.1"),
        ("DISCONNECTED", "input.connectionIds.2"),
        ("NOT_IN_THIS_LOGIN", "input.signInId"),
        ("CONSENT_EXPIRED", "input.signInId"),
        ("SCOPE_MISSING", "input.signInId"),
        ("NOT_FOUND", "input.connectionIds.6"),
        ("NOT_FOUND", "input.connectionIds.7"),
    ]
    assert other == [("DISCONNECTED", "input.connectionIds.0"), ("DIFFERENT_ORGANISATION", "input.signInId")]
    assert forbidden == [("FORBIDDEN", "input.connectionIds.0")]
    assert {code for code, field in (*moved, *other, *forbidden) if field} == refusals(Outcome)


async def test_each_refusal_of_reconnecting_all_names_the_sign_in(books: Books) -> None:
    good, narrow, over, unreached, meant = await connected(
        books, "Good", "Narrow", "Over", "Unreached", "Meant"
    )
    for each in (good, narrow, over, unreached):
        await books.expire(each, "TOKEN_EXPIRED")
    made = await reach(books, [good.organisation_id], narrow.organisation_id, over.organisation_id)

    rows = await told(books.admin, "reconnectAll", "ReconnectAllInput", {"signInId": str(made.sign_in_id)})
    await books.expire(meant, "TOKEN_EXPIRED")
    sign_in_id = await meant_for(books, meant, good)
    [*_, other] = await told(books.admin, "reconnectAll", "ReconnectAllInput", {"signInId": str(sign_in_id)})

    assert rows == [
        ("RECONNECTED", None),
        ("SCOPE_MISSING", "input.signInId"),
        ("CONSENT_EXPIRED", "input.signInId"),
        ("NOT_IN_THIS_LOGIN", "input.signInId"),
    ]
    assert other == ("DIFFERENT_ORGANISATION", "input.signInId")


async def test_each_refusal_of_practice_codes_names_its_rows_field(books: Books) -> None:
    ids = [(await books.client(name)).id for name in ("One", "Two", "Three", "Four")]
    await books.client("Has", practice_code="9")
    member = await books.member(Permission.SYNC)
    given = [
        coding(ids[0], "1"),
        coding(ids[0], "2"),
        coding(ids[1], "1"),
        coding(ids[2], "9"),
        coding(ids[3], "x" * 65),
        coding(new_id(), "3"),
        coding("no id", "4"),
    ]

    rows = await told(
        books.admin, "setPracticeCodes", "SetPracticeCodesInput", {"rows": given}, foreseen=False
    )
    forbidden = await told(
        member, "setPracticeCodes", "SetPracticeCodesInput", {"rows": [coding(ids[1], "5")]}, foreseen=False
    )

    assert rows == [
        ("SET", None),
        ("NAMED_TWICE", "input.rows.1.clientId"),
        ("NAMED_TWICE", "input.rows.2.practiceCode"),
        ("CODE_TAKEN", "input.rows.3.practiceCode"),
        ("INVALID", "input.rows.4.practiceCode"),
        ("NOT_FOUND", "input.rows.5.clientId"),
        ("NOT_FOUND", "input.rows.6.clientId"),
    ]
    assert forbidden == [("FORBIDDEN", "input.rows.0.clientId")]
    assert {code for code, field in (*rows, *forbidden) if field} == refusals(PracticeCodeOutcomeCode)


async def test_each_line_of_a_spreadsheet_that_is_no_use_says_why_by_a_code(books: Books) -> None:
    for name in ("One", "Two", "Three"):
        await books.client(name)
    await books.client("Has", practice_code="9")
    csv = "Name,Code\nOne,1\nTwo,9\nThree,3\nTHREE,4\nOther,5\nMore,5\nHas," + "x" * 65

    shown = await asked(
        books.admin,
        "query($csv: String!) { practiceCodesPreview(input: {csv: $csv}) {"
        " matched { line outcome error { code field } } wrong { line error { code message field } } } }",
        csv=csv,
    )

    preview = shown["practiceCodesPreview"]
    taken = {"code": "CODE_TAKEN", "field": "input.csv"}
    assert preview["matched"] == [
        {"line": 2, "outcome": "SET", "error": None},
        {"line": 3, "outcome": "CODE_TAKEN", "error": taken},
    ]
    assert [(each["line"], each["error"]["code"]) for each in preview["wrong"]] == [
        (4, "NAMED_TWICE"),
        (5, "NAMED_TWICE"),
        (6, "NAMED_TWICE"),
        (7, "NAMED_TWICE"),
        (8, "INVALID"),
    ]
    assert {each["error"]["field"] for each in preview["wrong"]} == {"input.csv"}


def connecting(client: object, organisation: object) -> dict[str, str]:
    return {"clientId": str(client), "organisationId": str(organisation)}


def adding(organisation: object, **more: Any) -> dict[str, Any]:
    return {"organisationId": str(organisation), **more}


def reassigning(sign_in_id: SignInId, *connections: object) -> dict[str, Any]:
    return {"signInId": str(sign_in_id), "connectionIds": [str(each) for each in connections]}


def coding(client: object, code: str) -> dict[str, str]:
    return {"clientId": str(client), "practiceCode": code}
