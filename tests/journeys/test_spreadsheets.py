"""Spreadsheets through the front door: the list of clients goes out, practice codes come in."""

from __future__ import annotations

from tests.support.firm import Firm, unknown_id
from tieline.spreadsheets import read, render

PREVIEW = """query($input: PracticeCodesInput!) { practiceCodesPreview(input: $input) {
  matched { line practiceCode by outcome error { code } client { id name } }
  unmatched { line practiceCode name } ambiguous { line clients { name } }
  wrong { line error { code message field } } withoutCode } }"""
SET = """mutation($rows: [PracticeCodeRow!]!) { setPracticeCodes(input: {rows: $rows}) {
  outcomes { clientId code error { code message field } client { practiceCode } } errors { code field } } }"""

EXPORT = """query($search: String) {
  clientsCsv(search: $search, statuses: [UNINTEGRATED]) { fileName content rowCount eventCursor } }"""


async def test_a_list_is_exported_filled_in_and_sent_back(firm: Firm) -> None:
    for name in ("Acorn", "=Birch", "Cedar"):
        await firm.admin.create_client(name)

    made = (await firm.admin.ask(EXPORT))["clientsCsv"]
    header, *rows = read(made["content"])
    for number, row in enumerate(rows):
        row[header.index("Practice code")] = f"-{number}"
    shown = await firm.admin.ask(PREVIEW, input={"csv": render([header, *rows])})

    assert made["rowCount"] == 3
    assert made["content"].startswith('\ufeff"Client ID","Name","Legal name","Practice code","Team"')
    matched = shown["practiceCodesPreview"]["matched"]
    assert [(each["practiceCode"], each["client"]["name"], each["outcome"]) for each in matched] == [
        ("-0", "=Birch", "SET"),
        ("-1", "Acorn", "SET"),
        ("-2", "Cedar", "SET"),
    ]
    assert await firm.admin.codes(EXPORT, search="x" * 201) == ["INVALID"]


async def test_codes_are_looked_at_confirmed_and_given(firm: Firm) -> None:
    one = await firm.admin.create_client("Acorn Ltd", practiceCode="1")
    other = await firm.admin.create_client("Birch", practiceCode="2")
    csv = "Client;Code\nACORN;2\nBirch;1\nElm;3\nAsh;4\nAsh;5\nFir;1\n;\n"
    for _ in range(2):
        await firm.admin.create_client("Ash")

    refused = await firm.admin.codes(PREVIEW, input={"csv": csv, "codeColumn": 0})
    shown = (await firm.admin.ask(PREVIEW, input={"csv": csv.replace("Fir;1\n", "")}))["practiceCodesPreview"]
    rows = [
        {"clientId": each["client"]["id"], "practiceCode": each["practiceCode"]} for each in shown["matched"]
    ]
    given = await firm.admin.ask(SET, rows=[*rows, {"clientId": unknown_id(), "practiceCode": "8"}])

    assert refused == ["INVALID"]
    assert [
        (each["line"], each["by"], each["outcome"], each["client"]["id"]) for each in shown["matched"]
    ] == [
        (2, "NAME", "SET", one),
        (3, "NAME", "SET", other),
    ]
    assert shown["unmatched"] == [{"line": 4, "practiceCode": "3", "name": "Elm"}]
    assert [each["line"] for each in shown["ambiguous"]] == [5, 6]
    assert shown["ambiguous"][0]["clients"] == [{"name": "Ash"}] * 2
    assert (shown["wrong"], shown["withoutCode"]) == ([], 0)
    outcomes = given["setPracticeCodes"]["outcomes"]
    assert [(each["code"], each["client"]) for each in outcomes] == [
        ("SET", {"practiceCode": "2"}),
        ("SET", {"practiceCode": "1"}),
        ("NOT_FOUND", None),
    ]
