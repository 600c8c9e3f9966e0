"""What each of Intuit's answers means, in every shape in which it has been seen."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.plugins import Fault, LimitScope, faults
from tieline_quickbooks import QuickBooks

HTML = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
THROTTLED = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" '
    b'time="2026-11-03T01:30:00.000-08:00"><Fault type="%s"><Error code="%s"><Message>%s</Message></Error></Fault>'
    b"</IntuitResponse>"
)


def classify(status: int, body: object = b"", **headers: str) -> Fault | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return QuickBooks().classify(httpx.Response(status, headers=named, content=content))


def fault(code: object, message: str = "Refused", detail: str = "", element: str = "") -> dict[str, Any]:
    error = {"Message": message, "Detail": detail, "code": code, "element": element}
    return {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2026-11-03T01:30:00.000-08:00"}


def lower(code: str, message: str, detail: str = "") -> dict[str, Any]:
    """The gateway's envelope."""
    error = {"message": message, "detail": detail, "code": code, "element": None}
    return {"warnings": None, "fault": {"error": [error], "type": "AUTHENTICATION"}, "time": 1533811101733}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"QueryResponse":{}}',
        b'{"CDCResponse":[{"QueryResponse":[{}]}]}',
        XML[:38] + b"<a/>",
    ],
)
def test_what_was_asked_for_is_no_fault(body: bytes) -> None:
    assert classify(200, body) is None


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
@pytest.mark.parametrize(
    "body",
    [XML % (b"SERVICE", b"3001", THROTTLED.encode()), fault("3001"), fault("003001"), lower("", THROTTLED)],
)
def test_a_limit_is_told_by_its_code_whatever_the_status_and_form(status: int, body: object) -> None:
    assert classify(status, body) == faults.Throttled(
        limit="minute", scope=LimitScope.ORGANISATION, retry_after=timedelta(seconds=60)
    )


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("17", 17), ("", 60), ("soon", 60), ("-1", 60), ("999999999", 172_800), ("9" * 40, 60)],
)
@pytest.mark.parametrize("body", [b"", HTML, b"slow down"])
def test_429_waits_as_long_as_it_says_or_a_minute(said: str, seconds: int, body: bytes) -> None:
    told = classify(429, body, Retry_After=said)

    assert told == faults.Throttled(
        limit="minute", scope=LimitScope.ORGANISATION, retry_after=timedelta(seconds=seconds)
    )


@pytest.mark.parametrize(
    "body",
    [
        lower("3200", "message=AuthenticationFailed; errorCode=003200; statusCode=401", "Token expired: x"),
        XML % (b"AuthenticationFault", b"100", b"General Authentication Error"),
        b"",
        {},
        b"Unauthorized",
    ],
)
def test_401_is_an_expired_token_even_unexplained(body: object) -> None:
    assert classify(401, body) == faults.TokenExpired()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b""),
        (401, fault("120", "AuthorizationFailure", "AuthorizationFailure: -11014, You do not have access.")),
    ],
)
def test_who_may_not_enter_the_company_has_lost_it(status: int, body: object) -> None:
    assert classify(status, body) == faults.AccessLost()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, lower("3100", "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403")),
        (500, lower("3100", "message=AuthorizationFailed; errorCode=003100; statusCode=500")),
    ],
)
def test_a_company_that_does_not_have_the_app_is_told_from_one_that_its_person_lost(
    status: int, body: object
) -> None:
    assert classify(status, body) == faults.AppRemoved()


def test_a_company_whose_subscription_lapsed_is_told_from_a_lost_one() -> None:
    assert classify(400, fault("6190", "Invalid Company Status")) == faults.SubscriptionLapsed()


@pytest.mark.parametrize(("status", "body"), [(404, b""), (404, {}), (400, fault("610", "Object Not Found"))])
def test_what_is_not_there_is_missing(status: int, body: object) -> None:
    assert classify(status, body) == faults.Missing()


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"upstream", fault("10000", "An application error has occurred")]
)
def test_faults_of_the_server_are_over_in_a_moment(status: int, body: object) -> None:
    assert isinstance(classify(status, body), faults.Transient)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 503])
@pytest.mark.parametrize(
    ("body", "kind"), [(HTML, ""), (b"\r\n <HTML lang=en>", "text/plain"), (b"x", "Text/HTML")]
)
def test_a_web_page_means_nothing_about_what_was_asked(status: int, body: bytes, kind: str) -> None:
    assert classify(status, body, content_type=kind) == faults.Transient(
        message=f"a web page came with the status {status}"
    )


@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_keeps_intuits_sentences_also_inside_of_a_success(status: int) -> None:
    body = fault("6240", "Duplicate Name Exists Error", " The name is\n taken. ", "DisplayName")
    body["Fault"]["Error"].append({"Message": "Required param missing", "code": "2020"})

    assert classify(status, body) == faults.Rejected(
        message="The name is taken. Required param missing", fields={"DisplayName": "The name is taken."}
    )


def test_a_fault_in_one_of_several_answers_is_found() -> None:
    assert classify(200, {"CDCResponse": [fault("3200"), {}]}) == faults.TokenExpired()


@pytest.mark.parametrize("note", ["x", 'says "Fault" and "fault":'])
def test_a_fault_beside_much_data_is_found_and_much_data_alone_is_none(note: str) -> None:
    many = [{"Bill": [{"Id": str(number), "PrivateNote": note * 40} for number in range(2_000)]}]

    assert classify(200, {"CDCResponse": [{"QueryResponse": many}, fault("3200")]}) == faults.TokenExpired()
    assert classify(200, {"CDCResponse": [{"QueryResponse": many}]}) is None


def test_a_fault_is_not_taken_for_data_that_says_so() -> None:
    body = {"QueryResponse": {"Bill": [{"Id": "1", "PrivateNote": "Fault errorCode=003001"}]}}

    assert classify(200, body) is None


@pytest.mark.parametrize("status", [301, 302, 400, 402, 409, 415])
def test_any_other_status_is_broken(status: int) -> None:
    assert classify(status, b"{}") == faults.Broken(
        message=f"the status was {status}, without a reason we know"
    )


_KEYS = ["Fault", "fault", "Error", "error", "code", "Message", "Detail", "element", "CDCResponse", "x"]
_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=200)
    | _json.map(lambda value: json.dumps(value).encode())
    | st.just(b"[" * 50_000),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "retry-after"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12),
    ),
)
def test_every_answer_has_a_meaning(status: int, body: bytes, headers: dict[str, str]) -> None:
    response = httpx.Response(
        status,
        headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        content=body,
    )

    told = QuickBooks().classify(response)

    assert told is not None or response.is_success
