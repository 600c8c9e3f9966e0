"""Change data capture, and the edits that it tells of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.quickbooks.intuit import Books

EVERYTHING = (
    "CompanyInfo,Preferences,Account,Vendor,Customer,Class,Department,PaymentMethod,Term,Item,Bill,VendorCredit,"
    "BillPayment,Purchase,Invoice,CreditMemo,SalesReceipt,Payment,Deposit,Transfer,JournalEntry"
)


async def test_where_nothing_changed_every_entity_answers_with_nothing(books: Books) -> None:
    assert await books.changes(EVERYTHING, await books.now()) == [{}] * 21


async def test_what_changed_comes_whole_and_under_its_entity_in_the_asked_order(books: Books) -> None:
    since = await books.now()
    vendor = (await books.truth("vendors"))[3]
    await books.intuit.advance(seconds=60)
    made = await books.edit("bills", create={"DocNumber": "new"})
    changed = await books.edit("vendors", id=vendor["Id"], change={"DisplayName": "Renamed"})

    bills, terms, vendors = await books.changes("Bill,Term,Vendor", since)

    assert [one["DocNumber"] for one in bills["Bill"]] == ["new"]
    assert bills["Bill"][0]["TotalAmt"] == float(made["TotalAmt"])
    assert terms == {}
    assert (vendors["startPosition"], vendors["maxResults"]) == (1, 1)
    assert vendors["Vendor"][0]["DisplayName"] == "Renamed"
    assert (vendor["SyncToken"], changed["SyncToken"]) == ("0", "1")
    assert vendors["Vendor"][0]["MetaData"]["CreateTime"] == vendor["MetaData"]["CreateTime"]


async def test_changes_come_oldest_first(books: Books) -> None:
    since = await books.now()
    ids = [one["Id"] for one in await books.truth("bills")][:3]
    for id_ in (ids[2], ids[0], ids[1]):
        await books.intuit.advance(seconds=5)
        await books.edit("bills", id=id_, change={"PrivateNote": "touched"})

    [bills] = await books.changes("Bill", since)

    assert [one["Id"] for one in bills["Bill"]] == [ids[2], ids[0], ids[1]]


async def test_a_deleted_transaction_leaves_a_stub_and_no_other_trace(books: Books) -> None:
    since = await books.now()
    bill = (await books.truth("bills"))[5]
    await books.edit("bills", id=bill["Id"], deleted=True)

    [bills] = await books.changes("Bill", since)

    [stub] = bills["Bill"]
    assert set(stub) == {"domain", "status", "Id", "MetaData"}
    assert (stub["status"], stub["Id"]) == ("Deleted", bill["Id"])
    assert await books.query(f"SELECT * FROM Bill WHERE Id = '{bill['Id']}'") == {}
    assert await books.query("SELECT count(*) FROM Bill") == {"totalCount": 229}
    assert (await books.intuit.get(books.access_token, books.realm, f"bill/{bill['Id']}")).status_code == 400
    assert bill["Id"] not in {one["Id"] for one in await books.truth("bills")}


@pytest.mark.parametrize(
    ("dataset", "entity"),
    [
        ("vendor_credits", "VendorCredit"),
        ("bill_payments", "BillPayment"),
        ("credit_memos", "CreditMemo"),
        ("sales_receipts", "SalesReceipt"),
        ("deposits", "Deposit"),
        ("transfers", "Transfer"),
        ("journal_entries", "JournalEntry"),
    ],
)
async def test_transactions_of_every_kind_are_told_when_they_are_made_changed_and_deleted(
    books: Books, dataset: str, entity: str
) -> None:
    since = await books.now()
    first, second = (one["Id"] for one in (await books.truth(dataset))[:2])
    made = await books.edit(dataset, create={"PrivateNote": "made"})
    await books.edit(dataset, id=first, change={"PrivateNote": "changed"})
    await books.edit(dataset, id=second, deleted=True)

    [told] = await books.changes(entity, since)

    notes = {one["Id"]: one.get("PrivateNote", one.get("status")) for one in told[entity]}
    assert notes == {made["Id"]: "made", first: "changed", second: "Deleted"}


async def test_a_deactivated_entry_is_told_and_is_hidden_from_queries(books: Books) -> None:
    since = await books.now()
    account = (await books.truth("accounts"))[0]
    await books.edit("accounts", id=account["Id"], deactivated=True)

    [accounts] = await books.changes("Account", since)

    assert [(one["Id"], one["Active"]) for one in accounts["Account"]] == [(account["Id"], False)]
    assert await books.query(f"SELECT * FROM Account WHERE Id = '{account['Id']}'") == {}


@pytest.mark.parametrize(
    ("dataset", "edit"), [("vendors", {"deleted": True}), ("bills", {"deactivated": True})]
)
async def test_lists_are_never_deleted_and_transactions_never_inactive(
    books: Books, dataset: str, edit: dict[str, bool]
) -> None:
    id_ = (await books.truth(dataset))[0]["Id"]
    path = f"/_control/quickbooks/companies/{books.realm}/records"

    answer = await books.intuit.http.post(path, json={"dataset": dataset, "id": id_} | edit)

    assert answer.status_code == 400


async def test_a_thousand_objects_over_all_entities_and_no_word_of_more(books: Books) -> None:
    june = datetime(2026, 6, 24, tzinfo=UTC) - datetime.fromisoformat(await books.now())
    await books.intuit.shared("POST", "/clock", {"offset_seconds": june.total_seconds()})
    person = await books.intuit.populate(companies=1, records={"customers": 4000, "bills": 4000})
    pair = await books.intuit.connect(person)
    many = Books(intuit=books.intuit, realm=person.realms[0], access_token=pair["access_token"])
    since = (datetime.fromisoformat(await many.now()) - timedelta(days=29)).isoformat()
    [alone] = await many.changes("Bill", since)

    customers, bills, terms = await many.changes("Customer,Bill,Term", since)

    assert 500 < customers["maxResults"] < 1000
    assert customers["maxResults"] + bills["maxResults"] == 1000
    assert bills["Bill"] == alone["Bill"][: bills["maxResults"]]
    assert len(alone["Bill"]) > bills["maxResults"]
    assert terms == {}


async def test_many_records_can_be_made_at_once_and_each_is_one_of_its_own(books: Books) -> None:
    before = await books.truth("bills")
    since = await books.now()
    last = await books.edit("bills", create={"DocNumber": "NEW"}, times=30)

    [bills] = await books.changes("Bill", since)

    assert [one["DocNumber"] for one in bills["Bill"]] == ["NEW"] * 30
    ids = {one["Id"] for one in bills["Bill"]}
    assert (len(ids), last["Id"] in ids, ids & {one["Id"] for one in before}) == (30, True, set())
    for wanted in ({"create": {}, "times": 0}, {"create": {}, "times": 10_001}):
        with pytest.raises(AssertionError, match="times"):
            await books.edit("bills", **wanted)
    with pytest.raises(AssertionError, match="times"):
        await books.edit("bills", id=last["Id"], change={}, times=2)


async def test_more_than_thirty_days_back_is_refused(books: Books) -> None:
    now = datetime.fromisoformat(await books.now())

    within = await books.cdc("Bill", (now - timedelta(days=29, hours=23)).isoformat())
    beyond = await books.cdc("Bill", (now - timedelta(days=30, minutes=1)).isoformat())

    assert within.status_code == 200
    assert (beyond.status_code, beyond.json()["Fault"]["type"]) == (400, "ValidationFault")


async def test_a_date_and_any_offset_are_understood(books: Books) -> None:
    await books.edit("bills", create={})
    yesterday = datetime.fromisoformat(await books.now()) - timedelta(days=1)

    for since in (f"{yesterday:%Y-%m-%d}", f"{yesterday:%Y-%m-%dT%H:%M:%S}+00:00"):
        assert (await books.changes("Bill", since))[0]["maxResults"] == 1


@pytest.mark.parametrize("entities", ["TaxCode", "Bill,TaxRate", "TaxAgency", "Elephant", ""])
async def test_what_has_no_change_data_capture_is_refused(books: Books, entities: str) -> None:
    answer = await books.cdc(entities, await books.now())

    assert (answer.status_code, answer.json()["Fault"]["type"]) == (400, "ValidationFault")


async def test_a_since_that_cannot_be_read_is_refused(books: Books) -> None:
    assert (await books.cdc("Bill", "yesterday")).status_code == 400


async def test_a_renamed_company_has_changed(books: Books) -> None:
    since = await books.now()

    await books.intuit.control("PUT", f"/companies/{books.realm}", {"name": "Renamed Inc"})

    [info] = await books.changes("CompanyInfo", since)
    assert info["CompanyInfo"][0]["CompanyName"] == "Renamed Inc"
