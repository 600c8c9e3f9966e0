"""Which client a line of a spreadsheet is about, and what becomes of codes that are given at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.clients.codes.decisions import Coded, CodeFacts, Given, decide_all
from tieline.clients.codes.matching import match_lines
from tieline.clients.codes.reading import Layout, read_sheet
from tieline.clients.repository import Client
from tieline.errors import CodeTaken, Invalid, Refused
from tieline.ids import ClientId, PracticeId, new_id

_PRACTICE = PracticeId(new_id())


def client(name: str, code: str | None = None, legal_name: str | None = None) -> Client:
    return Client(
        id=ClientId(new_id()),
        practice_id=_PRACTICE,
        name=name,
        legal_name=legal_name,
        practice_code=code,
        team_id=None,
        country=None,
        currency=None,
        tax_number=None,
        registration_number=None,
        created_at=datetime(2031, 5, 4, tzinfo=UTC),
        administered=False,
    )


def matching(csv: str, *clients: Client, **layout: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What each line came to, by the numbers of the lines."""
    sheet = read_sheet(csv, Layout(**layout))
    found = match_lines(sheet.lines, clients)
    return {
        "matched": [(each.line.number, each.client.name, each.by.value) for each in found.matched],
        "unmatched": [(line.number, line.name) for line in found.unmatched],
        "ambiguous": [(each.line.number, *(one.name for one in each.clients)) for each in found.ambiguous],
        "wrong": [(wrong.number, str(wrong.refusal)) for wrong in (*sheet.wrong, *found.wrong)],
    }


def outcomes(clients: list[Client], *rows: tuple[Client, str | None], seen: int | None = None) -> list[str]:
    """What becomes of the rows, where only the first so many of the clients are seen."""
    answers = decide_all(
        [Coded(client_id=who.id, code=code) for who, code in rows], facts(clients[:seen], clients)
    )
    return [answer.code if isinstance(answer, Refused) else str(answer.is_change) for answer in answers]


def facts(seen: list[Client], clients: list[Client]) -> CodeFacts:
    return CodeFacts(
        clients={each.id: each for each in seen},
        forbidden=None,
        holders={each.practice_code: each.id for each in clients if each.practice_code is not None},
    )


def test_a_line_is_about_the_client_of_its_id_or_of_its_name_or_of_its_code() -> None:
    acorn, birch, cedar = (
        client("Acorn Ltd"),
        client("Birch", legal_name="Birch & Sons Ltd"),
        client("Cedar", "C-1"),
    )
    csv = f"Client ID,Name,Practice code\n{birch.id},Acorn,B-1\n,ACORN LIMITED,A-1\n,Old Cedar,C-1\n,Dogwood,D-1\n"

    assert matching(csv, acorn, birch, cedar) == {
        "matched": [(2, "Birch", "CLIENT_ID"), (3, "Acorn Ltd", "NAME"), (4, "Cedar", "PRACTICE_CODE")],
        "unmatched": [(5, "Dogwood")],
        "ambiguous": [],
        "wrong": [],
    }


def test_a_legal_name_is_a_name_and_an_unknown_id_is_not_replaced_by_one() -> None:
    birch = client("Birch", legal_name="Birch & Sons Ltd")
    csv = f"Code,Name,ID\nB-1,birch and sons,\nB-2,Birch,{new_id()}\nB-3,Birch,none\n"

    found = matching(csv, birch)

    assert found["matched"] == [(2, "Birch", "NAME")]
    assert found["unmatched"] == [(3, "Birch"), (4, "Birch")]


def test_of_several_of_one_name_it_is_the_one_spelled_so_or_with_the_code_and_else_nobody_knows() -> None:
    ltd, llp, twin, other = (
        client("Acorn Ltd"),
        client("Acorn LLP"),
        client("Elm", "E-1"),
        client("Elm", "E-2"),
    )
    csv = "Name,Code\nacorn llp,A-2\nElm,E-2\nAcorn,A-3\nElm,E-3\n"

    found = matching(csv, ltd, llp, twin, other)

    assert found["matched"] == [(2, "Acorn LLP", "NAME"), (3, "Elm", "NAME")]
    assert found["ambiguous"] == [(4, "Acorn Ltd", "Acorn LLP"), (5, "Elm", "Elm")]


def test_lines_that_contradict_each_other_are_all_wrong() -> None:
    csv = "Name,Code\nAcorn,A-1\nBirch,A-1\nCedar,C-1\nDogwood,D-1\nCEDAR LTD,C-2\n" + "Elm," + "x" * 65

    found = matching(csv, client("Acorn"), client("Birch"), client("Cedar"), client("Elm"))

    assert found["matched"] == []
    assert found["unmatched"] == [(5, "Dogwood")]
    assert found["wrong"] == [
        (7, "A practice code has 1 to 64 printable characters."),
        (2, "This line and 3 say the same code: keep one of them."),
        (3, "This line and 2 say the same code: keep one of them."),
        (4, "This line and 6 are about the same client: keep one of them."),
        (6, "This line and 4 are about the same client: keep one of them."),
    ]


def test_of_many_lines_that_contradict_each_other_a_few_are_named() -> None:
    csv = "Name,Code\n" + "".join(f"Client {number},GB\n" for number in range(1_000))

    wrong = matching(csv)["wrong"]

    assert wrong[0] == (2, "This line and 3, 4, 5, 6, 7 and 994 more say the same code: keep one of them.")
    assert wrong[3] == (5, "This line and 2, 3, 4, 6, 7 and 994 more say the same code: keep one of them.")
    assert wrong[999] == (
        1001,
        "This line and 2, 3, 4, 5, 6 and 994 more say the same code: keep one of them.",
    )


def test_a_sheet_has_five_thousand_lines_whether_it_has_a_header_or_not() -> None:
    lines = [f"{number},{number}" for number in range(5_000)]

    assert len(read_sheet("\n".join(["Name,Code", *lines]), Layout()).lines) == 5_000
    with pytest.raises(Invalid, match="at most 5,000 rows"):
        read_sheet("\n".join([*lines, "a,b"]), Layout(has_header=False, name=1, code=2))


def test_columns_are_told_by_number_where_there_is_no_header_or_another_one() -> None:
    acorn = client("Acorn")

    bare = matching("A-1;Acorn\n", acorn, has_header=False, code=1, name=2)
    foreign = matching("\nNummer,Mandant\nA-1,Acorn\n", acorn, code=1, name=2)

    assert bare["matched"] == [(1, "Acorn", "NAME")]
    assert foreign["matched"] == [(3, "Acorn", "NAME")]


def test_a_column_that_only_some_rows_have_can_be_named() -> None:
    acorn = client("Acorn")

    assert matching("A-1\nA-2,Acorn\n", acorn, has_header=False, code=1, name=2)["matched"] == [
        (2, "Acorn", "NAME")
    ]


@pytest.mark.parametrize(
    ("csv", "layout", "field"),
    [
        ("", {}, "csv"),
        ("\n\n", {}, "csv"),
        ("Name,Number\nAcorn,1", {}, "codeColumn"),
        ("Code,Number\nAcorn,1", {}, "nameColumn"),
        ("Code,Name\nA-1,Acorn", {"name": 0}, "nameColumn"),
        ("Code,Name\nA-1,Acorn", {"name": 3}, "nameColumn"),
        ("Code,Name\nA-1,Acorn", {"code": 2}, "nameColumn"),
        ("Code,Name,ID\nA-1,Acorn,7", {"client_id": 1}, "clientIdColumn"),
        ("Acorn,A-1", {"has_header": False, "name": 1}, "codeColumn"),
    ],
)
def test_a_sheet_that_cannot_be_read_says_which_input_to_mend(
    csv: str, layout: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_sheet(csv, Layout(**layout))

    assert refused.value.field == field


def test_rows_without_a_code_are_counted_and_short_ones_are_read() -> None:
    sheet = read_sheet("Name,Other,Code\nAcorn,x,\nBirch\n\nCedar,,C-1\n", Layout())

    assert (sheet.without_code, [(line.number, line.name) for line in sheet.lines]) == (2, [(5, "Cedar")])


def test_clients_swap_codes_and_pass_them_on() -> None:
    a, b, c = client("A", "1"), client("B", "2"), client("C", "3")

    assert outcomes([a, b, c], (a, "2"), (b, "1")) == ["True", "True"]
    assert outcomes([a, b, c], (a, "2"), (b, "3"), (c, "9")) == ["True", "True", "True"]
    assert outcomes([a, b, c], (a, "2"), (b, "")) == ["True", "True"]
    assert outcomes([a, b, c], (a, " 1 "), (b, None)) == ["False", "True"]


def test_a_code_that_its_holder_keeps_is_taken_and_so_is_whatever_hung_on_it() -> None:
    a, b, c, d = client("A", "1"), client("B", "2"), client("C", "3"), client("D", "4")

    assert outcomes([a, b, c, d], (a, "2"), (b, "3"), (c, "4")) == ["CODE_TAKEN"] * 3
    assert outcomes([a, b, c, d], (a, "2"), (b, "2")) == ["CODE_TAKEN", "False"]
    assert outcomes([a, b], (a, "2"), seen=1) == ["CODE_TAKEN"]


def test_of_two_rows_for_one_code_or_one_client_the_first_good_one_counts() -> None:
    a, b, c = client("A"), client("B"), client("C", "3")

    assert outcomes([a, b, c], (a, "1"), (b, "1")) == ["True", "NAMED_TWICE"]
    assert outcomes([a, b, c], (a, "1"), (a, "2")) == ["True", "NAMED_TWICE"]
    assert outcomes([a, b, c], (a, "3"), (b, "3")) == ["CODE_TAKEN", "CODE_TAKEN"]
    assert outcomes([a, b, c], (client("Unseen"), "1"), (a, "x" * 65), (a, "1")) == [
        "NOT_FOUND",
        "INVALID",
        "True",
    ]
    assert outcomes([client("Other", "5"), b], (client("Gone"), "5"), (b, "5")) == [
        "NOT_FOUND",
        "CODE_TAKEN",
    ]


CODES = st.sampled_from(["1", "2", "3", "4", "5"])


@given(
    st.lists(CODES | st.none(), min_size=5, max_size=5, unique_by=lambda code: code or object()), st.data()
)
def test_whatever_is_asked_no_two_end_with_one_code_and_every_refusal_is_true(
    codes: list[str | None], data: st.DataObject
) -> None:
    clients = [client("Ours", code) for code in codes]
    row = st.tuples(st.sampled_from(clients), CODES | st.none())
    rows = data.draw(st.lists(row, max_size=8))

    answers = decide_all(
        [Coded(client_id=who.id, code=code) for who, code in rows], facts(clients[:4], clients)
    )

    after = {each.id: each.practice_code for each in clients}
    after |= {answer.client.id: answer.code for answer in answers if isinstance(answer, Given)}
    held = [code for code in after.values() if code is not None]
    assert len(held) == len(set(held))
    for (who, code), answer in zip(rows, answers, strict=True):
        if isinstance(answer, CodeTaken):
            assert code in {kept for other, kept in after.items() if other != who.id}
