"""The query language: what it finds, in which pages, and what it does not understand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.quickbooks.intuit import Books, Intuit, bearer

DATASETS = {
    "accounts": "Account",
    "vendors": "Vendor",
    "customers": "Customer",
    "classes": "Class",
    "departments": "Department",
    "tax_codes": "TaxCode",
    "tax_rates": "TaxRate",
    "items": "Item",
    "payment_methods": "PaymentMethod",
    "terms": "Term",
    "tax_agencies": "TaxAgency",
    "bills": "Bill",
    "vendor_credits": "VendorCredit",
    "bill_payments": "BillPayment",
    "purchases": "Purchase",
    "invoices": "Invoice",
    "credit_memos": "CreditMemo",
    "sales_receipts": "SalesReceipt",
    "payments": "Payment",
    "deposits": "Deposit",
    "transfers": "Transfer",
    "journal_entries": "JournalEntry",
}
LISTS = list(DATASETS)[:10]


@pytest.mark.parametrize(("dataset", "entity"), DATASETS.items())
async def test_pages_of_every_entity_are_the_whole_of_its_books(
    books: Books, dataset: str, entity: str
) -> None:
    where = " WHERE Active IN (true, false)" if dataset in LISTS else ""
    found: list[Any] = []
    while page := await books.query(
        f"SELECT * FROM {entity}{where} STARTPOSITION {len(found) + 1} MAXRESULTS 40"
    ):
        found += page[entity]

    assert found == await books.truth(dataset)
    assert await books.query(f"select COUNT(*) from {entity}{where}") == {"totalCount": len(found)}


async def test_a_page_says_where_it_stands_and_an_empty_one_names_no_entity(books: Books) -> None:
    first = await books.query("SELECT * FROM Bill")
    last = await books.query("SELECT * FROM Bill STARTPOSITION 201")
    beyond = await books.query("SELECT * FROM Bill STARTPOSITION 231")

    assert len(first["Bill"]) == first["maxResults"] == 100
    assert (last["startPosition"], last["maxResults"], len(last["Bill"])) == (201, 30, 30)
    assert beyond == {}


async def test_no_page_has_more_than_a_thousand_rows(books: Books) -> None:
    person = await books.intuit.populate(companies=1, records={"terms": 1200})
    pair = await books.intuit.connect(person)
    many = Books(intuit=books.intuit, realm=person.realms[0], access_token=pair["access_token"])

    assert len((await many.query("SELECT * FROM Term MAXRESULTS 1001"))["Term"]) == 1000


async def test_inactive_list_entries_are_hidden_unless_they_are_asked_for(books: Books) -> None:
    every = await books.truth("vendors")
    active = [one["Id"] for one in every if one["Active"]]

    shown = await books.query("SELECT * FROM Vendor MAXRESULTS 1000")
    hidden = await books.query("SELECT * FROM Vendor WHERE Active = false MAXRESULTS 1000")

    assert 0 < len(active) < len(every)
    assert [one["Id"] for one in shown["Vendor"]] == active
    assert [one["Id"] for one in hidden["Vendor"]] == [one["Id"] for one in every if not one["Active"]]


async def test_records_of_one_second_stand_on_both_sides_of_a_page(books: Books) -> None:
    order = "ORDERBY MetaData.LastUpdatedTime"
    [last] = (await books.query(f"SELECT * FROM Bill {order} STARTPOSITION 100 MAXRESULTS 1"))["Bill"]
    [first] = (await books.query(f"SELECT * FROM Bill {order} STARTPOSITION 101 MAXRESULTS 1"))["Bill"]

    assert last["Id"] != first["Id"]
    assert last["MetaData"]["LastUpdatedTime"] == first["MetaData"]["LastUpdatedTime"]
    assert first["MetaData"]["LastUpdatedTime"].endswith("-08:00")


@pytest.mark.parametrize("sign", [">=", "<=", ">", "<", "="])
async def test_times_of_change_are_compared_by_the_second_whatever_the_offset(
    books: Books, sign: str
) -> None:
    every = await books.truth("bills")
    mark = every[100]["MetaData"]["LastUpdatedTime"]
    compare = {">=": str.__ge__, "<=": str.__le__, ">": str.__gt__, "<": str.__lt__, "=": str.__eq__}[sign]

    statement = f"SELECT * FROM Bill WHERE Metadata.LastUpdatedTime {sign} '{mark}' MAXRESULTS 1000"
    found = (await books.query(statement)).get("Bill", [])

    wanted = [one["Id"] for one in every if compare(one["MetaData"]["LastUpdatedTime"], mark)]
    assert wanted
    assert [one["Id"] for one in found] == wanted


async def test_conditions_hold_together(books: Books) -> None:
    every = await books.truth("bills")
    some = every[7]
    day, name = some["TxnDate"], some["VendorRef"]["name"]

    same_day = await books.query(f"SELECT * FROM Bill WHERE TxnDate = '{day}' AND TotalAmt > '0'")
    by_id = await books.query(f"SELECT * FROM Bill WHERE Id IN ('{some['Id']}', '{every[9]['Id']}')")
    quoted = name.replace("'", "\\'")
    like = await books.query(f"SELECT * FROM Vendor WHERE DisplayName LIKE '%{quoted[:9]}%'")

    assert [one["Id"] for one in same_day["Bill"]] == [one["Id"] for one in every if one["TxnDate"] == day]
    assert [one["Id"] for one in by_id["Bill"]] == [some["Id"], every[9]["Id"]]
    assert all(name[:9] in one["DisplayName"] for one in like["Vendor"])


async def test_a_quote_is_escaped_by_a_backslash(books: Books) -> None:
    made = await books.edit("vendors", create={"DisplayName": "O'Neill & Co"})

    found = await books.query(r"SELECT * FROM Vendor WHERE DisplayName = 'O\'Neill & Co'")

    assert [one["Id"] for one in found["Vendor"]] == [made["Id"]]


async def test_records_come_in_the_order_that_is_asked_for(books: Books) -> None:
    every = await books.truth("bills")
    totals = sorted((one["TotalAmt"] for one in every), reverse=True)

    found = await books.query("SELECT * FROM Bill ORDERBY TotalAmt DESC MAXRESULTS 5")
    spaced = await books.query("select * from Bill order by Id desc maxresults 1")

    assert [one["TotalAmt"] for one in found["Bill"]] == totals[:5]
    assert spaced["Bill"][0]["Id"] == every[-1]["Id"]


async def test_a_statement_may_be_posted(books: Books) -> None:
    path = f"/quickbooks/v3/company/{books.realm}/query"
    headers = bearer(books.access_token) | {"Content-Type": "application/text"}

    answer = await books.intuit.http.post(path, content="SELECT * FROM Term", headers=headers)

    assert len(answer.json()["QueryResponse"]["Term"]) == 5
    assert (await books.intuit.log(endpoint="query"))[-1]["query"] == "query=SELECT+%2A+FROM+Term"


async def test_fields_may_be_named_beside_the_star(books: Books) -> None:
    named = await books.query("SELECT *, Sku, MetaData.CreateTime FROM Item")

    assert named == await books.query("SELECT * FROM Item")


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "SELECT Id FROM Bill",
        "SELECT *, FROM Bill",
        "SELECT * FROM Bill WHERE",
        "SELECT * FROM Bill WHERE Id = '1' OR Id = '2'",
        "SELECT * FROM Bill WHERE VendorRef.name = 'x'",
        "SELECT * FROM Bill WHERE Id != '1'",
        "SELECT * FROM TaxAgency WHERE Active = true",
        "SELECT * FROM Bill ORDERBY Nothing",
        "SELECT * FROM Bill WHERE Metadata.LastUpdatedTime > 'yesterday'",
        "SELECT * FROM Bill MAXRESULTS many",
        "SELECT * FROM Bill; DROP",
        "SELECT * FROM Elephant",
        "DELETE FROM Bill",
    ],
)
async def test_what_is_not_understood_is_a_validation_fault(books: Books, statement: str) -> None:
    answer = await books.ask(statement)

    fault = answer.json()["Fault"]
    assert answer.status_code == 400
    assert (fault["type"], fault["Error"][0]["code"]) == ("ValidationFault", "4000")
    assert answer.json()["time"].endswith("-08:00")


async def test_one_record_by_its_id(books: Books) -> None:
    [vendor] = [one for one in await books.truth("vendors") if not one["Active"]][:1]

    found = await books.intuit.get(books.access_token, books.realm, f"vendor/{vendor['Id']}")
    missing = await books.intuit.get(books.access_token, books.realm, "bill/987654")

    assert found.json()["Vendor"]["Id"] == vendor["Id"]
    assert (missing.status_code, missing.json()["Fault"]["Error"][0]["code"]) == (400, "610")


@pytest.mark.parametrize("id_", ["1", "realm"])
async def test_company_info_is_found_by_its_own_id_and_by_the_companys(books: Books, id_: str) -> None:
    place = f"companyinfo/{books.realm if id_ == 'realm' else id_}"

    found = await books.intuit.get(books.access_token, books.realm, place)

    assert found.json()["CompanyInfo"]["Id"] == "1"


async def test_fields_that_nobody_heard_of_come_with_a_record(books: Books) -> None:
    change = {"Aura": {"value": "blue"}, "PrintStatus": "NeverSeen"}
    await books.edit("bills", id="1", change=change)

    found = (await books.query("SELECT * FROM Bill WHERE Id = '1'"))["Bill"][0]

    assert {name: found[name] for name in change} == change


async def test_only_preferences_tell_the_home_currency(intuit: Intuit) -> None:
    person = await intuit.populate(companies=1, names=["Kelso Wines Ltd"], country="GB")
    pair = await intuit.connect(person)
    books = Books(intuit=intuit, realm=person.realms[0], access_token=pair["access_token"])

    told = await books.query("SELECT * FROM Preferences")
    info = (await intuit.get(books.access_token, books.realm)).json()["CompanyInfo"]

    assert told["Preferences"][0]["CurrencyPrefs"]["HomeCurrency"] == {"value": "GBP"}
    assert (info["CompanyName"], info["LegalName"]) == ("Kelso Wines Ltd", "Kelso Wines Limited")
    assert (info["Country"], info["CompanyAddr"]["Country"]) == ("GB", "GBR")
    assert (await books.query("SELECT * FROM CompanyInfo"))["CompanyInfo"] == [info]
    single = (await intuit.get(books.access_token, books.realm, "preferences")).json()
    assert single["Preferences"]["Id"] == told["Preferences"][0]["Id"]


async def test_companies_in_the_united_states_have_two_tax_codes_by_word(books: Books) -> None:
    found = (await books.query("SELECT * FROM TaxCode WHERE Id IN ('TAX', 'NON')"))["TaxCode"]
    bill = (await books.truth("bills"))[0]

    assert [one["Id"] for one in found] == ["TAX", "NON"]
    detail = bill["Line"][0]["AccountBasedExpenseLineDetail"]
    assert detail["TaxCodeRef"] == {"value": "NON"}
