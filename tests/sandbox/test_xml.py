"""Answers of the pretended Xero to those who do not ask for JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from tests.sandbox.books import Books

XML = {"Accept": "*/*"}


async def test_dates_are_plain_in_xml_and_stand_there_once(books: Books) -> None:
    (shown,) = (await books.read("Invoices", page=1, pageSize=1))["Invoices"]

    answer = await books.xero.read(
        books.access_token, books.tenant, "Invoices", headers=XML, page=1, pageSize=1
    )

    root = ET.fromstring(answer.text)  # noqa: S314 - our own words
    (invoice,) = root.findall("Invoices/Invoice")
    assert (invoice.findtext("Date"), invoice.find("DateString")) == (shown["DateString"], None)
    assert f"{invoice.findtext('UpdatedDateUTC', '')[:19]}Z" == shown["UpdatedDateUTCString"]
    assert invoice.find("UpdatedDateUTCString") is None
    assert datetime.fromisoformat(root.findtext("DateTimeUTC", "")).tzinfo is UTC
    assert "/Date(" not in answer.text


async def test_a_filter_that_cannot_be_read_is_refused_in_the_form_that_was_asked_for(books: Books) -> None:
    as_json = await books.xero.read(books.access_token, books.tenant, "Invoices", where="Type!")
    as_xml = await books.xero.read(books.access_token, books.tenant, "Invoices", headers=XML, where="Type!")

    root = ET.fromstring(as_xml.text)  # noqa: S314 - our own words
    assert (as_json.status_code, as_xml.status_code) == (400, 400)
    assert (root.tag, root.findtext("Type")) == ("ApiException", "QueryParseException")
    assert {one.tag: one.text for one in root} == {name: str(value) for name, value in as_json.json().items()}
