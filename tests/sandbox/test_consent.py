"""The consent page: who may ask for what, how people answer, where the answer goes."""

from __future__ import annotations

import pytest

from tests.sandbox.xero import CALLBACK, Person, Xero, returned


async def test_a_person_logs_in_and_chooses_on_plain_pages(xero: Xero, person: Person) -> None:
    logins = await xero.ask()
    page = await xero.ask(**{"as": person.id})

    assert logins.status_code == page.status_code == 200
    assert person.email in logins.text
    assert f"as={person.id}" in logins.text
    assert all(name in page.text for name in person.names)
    assert page.text.count('type="radio"') == 3
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_what_comes_from_outside_is_escaped(xero: Xero) -> None:
    evil = await xero.populate(
        organisations=1, names=["<script>alert(1)</script>"], user={"given_name": '"><b>'}
    )

    page = await xero.ask(**{"as": evil.id, "state": '"><script>'})
    logins = await xero.ask(state='"><script>')

    for text in (page.text, logins.text):
        assert "<script>" not in text
        assert '"><b>' not in text


async def test_allow_answers_with_a_code_and_the_state(xero: Xero, person: Person) -> None:
    answer = returned(await xero.decide(person, person.tenants[:1]))

    assert answer["state"] == "a state & more"
    assert len(answer["code"]) > 30
    assert "error" not in answer


async def test_a_person_can_be_named_by_e_mail(xero: Xero, person: Person) -> None:
    form = {"user": person.email.upper(), "organisation": person.tenants[0], "decision": "allow"}

    assert "code" in returned(await xero.ask("POST", form=form))


async def test_deny_answers_access_denied(xero: Xero, person: Person) -> None:
    answer = returned(await xero.decide(person, [], "deny"))

    assert answer["error"] == "access_denied"
    assert answer["error_description"]
    assert answer["state"] == "a state & more"


@pytest.mark.parametrize(
    "address", ["http://localhost:5000/other", f"{CALLBACK}/", f"{CALLBACK}?x=1", "", "https://evil.invalid/"]
)
async def test_another_address_gets_a_page_and_no_redirect(xero: Xero, address: str) -> None:
    answer = await xero.ask(redirect_uri=address)

    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_an_unknown_app_gets_a_page(xero: Xero) -> None:
    assert (await xero.ask(client_id="nobody")).status_code == 400


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"scope": "openid accounting.everything"}, "invalid_scope"),
        ({"scope": "accounting.transactions"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_a_wrong_question_goes_back_as_an_error(xero: Xero, query: dict[str, str], error: str) -> None:
    answer = returned(await xero.ask(**query))

    assert answer == {"error": error, "state": "a state & more"}


async def test_without_bulk_consent_only_one_organisation_can_be_chosen(xero: Xero, person: Person) -> None:
    answer = await xero.decide(person, person.tenants[:2])

    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_with_bulk_consent_several_can(xero: Xero, person: Person) -> None:
    await xero.configure(bulk_consent=True)

    page = await xero.ask(**{"as": person.id})
    pair = await xero.connect(person, *person.tenants)

    assert page.text.count('type="checkbox"') == 3
    listed = (await xero.connections(pair["access_token"])).json()
    assert [one["tenantId"] for one in listed] == person.tenants


async def test_bulk_consent_can_be_switched_off_for_one_consent(xero: Xero, person: Person) -> None:
    await xero.configure(bulk_consent=True)

    page = await xero.ask(**{"as": person.id, "acr_values": "bulk_connect:false"})
    answer = await xero.decide(person, person.tenants, acr_values="bulk_connect:false")

    assert page.text.count('type="radio"') == 3
    assert answer.status_code == 400


async def test_nothing_chosen_is_fine_for_those_who_are_connected_already(xero: Xero, person: Person) -> None:
    before = await xero.decide(person, [])
    await xero.connect(person, person.tenants[0])
    after = await xero.decide(person, [])

    assert before.status_code == 400
    assert "code" in returned(after)


async def test_nobody_connects_an_organisation_that_is_not_theirs(xero: Xero, person: Person) -> None:
    other = await xero.populate(organisations=1)

    assert (await xero.decide(person, other.tenants)).status_code == 400


async def test_addresses_to_return_to_follow_the_rules_of_the_portal(xero: Xero) -> None:
    for address in (
        "http://127.0.0.1:5000/cb",
        "http://example.invalid/cb",
        "https://*.example.invalid/",
        "nonsense",
    ):
        answer = await xero.http.put("/_control/apps/sandbox-xero", json={"redirect_uris": [address]})

        assert answer.status_code == 400
