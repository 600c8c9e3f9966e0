"""The consent page and the link that preselects a company: who may ask for what, where the answer goes."""

from __future__ import annotations

import pytest

from tests.sandbox.quickbooks.intuit import (
    ACCOUNTING,
    CALLBACK,
    CHALLENGE,
    CLIENT_ID,
    Intuit,
    Person,
    returned,
)

LINK = "/app/connect/oauth2/request"


async def test_a_person_logs_in_and_chooses_one_company_on_plain_pages(
    intuit: Intuit, person: Person
) -> None:
    logins = await intuit.ask()
    page = await intuit.ask(**{"as": person.id})

    assert logins.status_code == page.status_code == 200
    assert person.email in logins.text
    assert f"as={person.id}" in logins.text
    assert all(name in page.text for name in person.names)
    assert page.text.count('type="radio" name="company"') == 3
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_what_comes_from_outside_is_escaped(intuit: Intuit) -> None:
    evil = await intuit.populate(companies=1, names=["<script>1</script>"], user={"given_name": '"><b>'})

    page = await intuit.ask(**{"as": evil.id, "state": '"><script>'})

    assert "<script>" not in page.text
    assert '"><b>' not in page.text


async def test_allow_answers_with_a_code_the_state_and_the_company(intuit: Intuit, person: Person) -> None:
    answer = returned(await intuit.decide(person, person.realms[1]))

    assert (answer["state"], answer["realmId"]) == ("a state & more", person.realms[1])
    assert 30 < len(answer["code"]) <= 512
    assert set(answer) == {"code", "state", "realmId"}


async def test_deny_answers_access_denied(intuit: Intuit, person: Person) -> None:
    answer = returned(await intuit.decide(person, "", "deny"))

    assert answer == {"error": "access_denied", "state": "a state & more"}


async def test_a_consent_for_the_person_alone_names_no_company(intuit: Intuit, person: Person) -> None:
    assert "realmId" not in returned(await intuit.decide(person, person.realms[0], scope="openid email"))


@pytest.mark.parametrize(
    "address", ["http://localhost:5000/other", f"{CALLBACK}/", f"{CALLBACK}?x=1", "", "https://evil.invalid/"]
)
async def test_another_address_gets_a_page_and_no_redirect(intuit: Intuit, address: str) -> None:
    answer = await intuit.ask(redirect_uri=address)

    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"scope": f"{ACCOUNTING} com.intuit.everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_a_wrong_question_goes_back_as_an_error(
    intuit: Intuit, query: dict[str, str], error: str
) -> None:
    assert returned(await intuit.ask(**query)) == {"error": error, "state": "a state & more"}


async def test_nobody_connects_a_company_that_is_not_theirs_or_none(intuit: Intuit, person: Person) -> None:
    other = await intuit.populate(companies=1)

    assert (await intuit.decide(person, other.realms[0])).status_code == 400
    assert (await intuit.decide(person, "")).status_code == 400


async def test_the_link_preselects_its_company_and_no_other_can_be_chosen(
    intuit: Intuit, person: Person
) -> None:
    link = {"appId": CLIENT_ID, "realmId": person.realms[1], "mode": "reconnect"}
    form = {"user": person.id, "company": person.realms[1], "decision": "allow"}

    page = await intuit.ask(path=LINK, **link, **{"as": person.id})
    other = await intuit.ask("POST", path=LINK, form=form | {"company": person.realms[0]}, **link)
    answer = returned(await intuit.ask("POST", path=LINK, form=form, **link))

    assert page.text.count('type="radio"') == page.text.count(" checked>") == 1
    assert person.names[1] in page.text
    assert other.status_code == 400
    assert answer["realmId"] == person.realms[1]
    assert (await intuit.exchange(answer["code"])).status_code == 200


@pytest.mark.parametrize("wrong", [{"appId": "another"}, {"mode": "connect"}, {"realmId": ""}])
async def test_a_link_of_another_kind_gets_a_page(
    intuit: Intuit, person: Person, wrong: dict[str, str]
) -> None:
    link = {"appId": CLIENT_ID, "realmId": person.realms[0], "mode": "reconnect"} | wrong

    assert (await intuit.ask(path=LINK, **link)).status_code == 400


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:5000/cb", "http://example.invalid/cb", f"{CALLBACK}?x=1", "nonsense"]
)
async def test_addresses_to_return_to_follow_the_rules_of_the_portal(intuit: Intuit, address: str) -> None:
    path = f"/_control/quickbooks/apps/{CLIENT_ID}"

    assert (await intuit.http.put(path, json={"redirect_uris": [address]})).status_code == 400
