"""What each of Xero's answers means, in every shape in which it has been seen."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.plugins import Fault, LimitScope, faults
from tieline_xero import Xero

HTML = b"<!DOCTYPE html><html><body>Access Denied</body></html>"
XML = b'<?xml version="1.0"?><Error><Detail>%s</Detail></Error>'
NOT_FOUND = b"The resource you're looking for cannot be found"


def classify(status: int, body: object = b"", **headers: str) -> Fault | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Xero().classify(httpx.Response(status, headers=named, content=content))


def problem(detail: str, *, status: int, lower: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Type": None,
        "Title": "Refused",
        "Status": status,
        "Detail": detail,
        "Extensions": {},
    }
    return {name.lower(): value for name, value in body.items()} if lower else body


def invalid(*messages: str) -> dict[str, Any]:
    return {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": message}]} for message in messages],
    }


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (200, b""), (200, b"[]"), (200, XML % b"fine"), (201, b"{}"), (204, b""), (304, b"")],
)
def test_what_was_asked_for_is_no_fault(status: int, body: bytes) -> None:
    assert classify(status, body) is None


@pytest.mark.parametrize(
    "body",
    [
        problem("TokenExpired: token expired at 11/03/2026 09:30:00", status=401),
        problem("tokenexpired", status=401, lower=True),
        XML % b"TokenExpired",
        {},
        [],
        b"",
        b"Unauthorized",
        b"\xff\xfe",
    ],
)
def test_401_is_an_expired_token_even_unexplained(body: object) -> None:
    assert classify(401, body) == faults.TokenExpired()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "body",
    [
        problem("AuthorizationUnsuccessful", status=401),
        problem("authorizationunsuccessful", status=401, lower=True),
        XML % b"AuthorizationUnsuccessful",
    ],
)
def test_authorization_unsuccessful_is_a_scope_that_is_missing(status: int, body: object) -> None:
    assert classify(status, body) == faults.ScopeMissing()


@pytest.mark.parametrize(
    "body",
    [
        problem("AuthenticationUnsuccessful", status=403),
        problem("AuthenticationUnsuccessful", status=403, lower=True),
        XML % b"AuthenticationUnsuccessful",
    ],
)
def test_403_with_authentication_unsuccessful_is_access_that_was_lost(body: object) -> None:
    assert classify(403, body) == faults.AccessLost()


@pytest.mark.parametrize("body", [b"", b"Forbidden", problem("Something else", status=403), {}])
def test_403_for_a_reason_we_do_not_know_takes_no_connection_away(body: object) -> None:
    assert classify(403, body) == faults.Broken(message="the status was 403, without a reason we know")


@pytest.mark.parametrize("body", [NOT_FOUND, b"", {}, b'{"Detail": "gone"}'])
def test_404_is_missing(body: object) -> None:
    assert classify(404, body) == faults.Missing()


@pytest.mark.parametrize(
    ("said", "limit", "scope"),
    [
        ("minute", "minute", LimitScope.ORGANISATION),
        ("Minute", "minute", LimitScope.ORGANISATION),
        (" DAY ", "day", LimitScope.ORGANISATION),
        ("Daily", "day", LimitScope.ORGANISATION),
        ("concurrent", "concurrent", LimitScope.ORGANISATION),
        ("appminute", "app_minute", LimitScope.APP),
        ("", "app_minute", LimitScope.APP),
        (None, "app_minute", LimitScope.APP),
    ],
)
@pytest.mark.parametrize("body", [b"", b"rate limit exceeded", HTML, b'{"Detail": "limit"}'])
def test_429_is_the_limit_that_its_header_names(
    said: str | None, limit: str, scope: LimitScope, body: bytes
) -> None:
    headers = {} if said is None else {"X_Rate_Limit_Problem": said}

    fault = classify(429, body, Retry_After="17", **headers)

    assert fault == faults.Throttled(limit=limit, scope=scope, retry_after=timedelta(seconds=17))


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("0", timedelta(0)),
        (" 66975 ", timedelta(seconds=66975)),
        ("999999999", timedelta(days=2)),
        ("9" * 400, None),
        ("-5", None),
        ("1.5", None),
        ("Tue, 03 Nov 2026 09:30:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_the_wait_is_what_xero_says_or_unknown(said: str | None, wait: timedelta | None) -> None:
    headers = {} if said is None else {"retry_after": said}

    fault = classify(429, b"", x_rate_limit_problem="day", **headers)

    assert fault == faults.Throttled(limit="day", scope=LimitScope.ORGANISATION, retry_after=wait)


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", HTML, b"{}", b"offline"])
def test_faults_of_the_server_are_over_in_a_moment(status: int, body: bytes) -> None:
    assert isinstance(classify(status, body), faults.Transient)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 412])
@pytest.mark.parametrize(
    ("body", "kind"),
    [(HTML, ""), (b"\r\n <HTML lang=en>", "text/plain"), (b"anything", "Text/HTML; charset=utf-8")],
)
def test_a_web_page_means_nothing_about_what_was_asked(status: int, body: bytes, kind: str) -> None:
    fault = classify(status, body, content_type=kind)

    assert fault == faults.Transient(message=f"a web page came with the status {status}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (invalid("Please enter a unique Name."), "Please enter a unique Name."),
        (invalid("One.", "Two.", "One."), "One. Two."),
        (invalid(" Broken\n over lines. "), "Broken over lines."),
        (invalid(), "A validation exception occurred"),
        ({"elements": [{"validationErrors": [{"message": "Lower."}]}]}, "Lower."),
        ({"ValidationErrors": [{"Message": "On top."}], "Message": "Whole."}, "On top."),
        ({"Type": "QueryParseException", "Message": "No property"}, "No property"),
        (problem("The header is missing", status=400), "The header is missing"),
        ({"Elements": [7, None, {"ValidationErrors": "x"}, {"ValidationErrors": [3]}], "Message": "M"}, "M"),
        (invalid("x" * 600), "x" * 500),
    ],
)
def test_a_refusal_keeps_xeros_sentences(body: object, message: str) -> None:
    assert classify(400, body) == faults.Rejected(message=message)


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"7", {"Message": 7}, XML % b"bad", b"[" * 100_000])
def test_400_without_a_sentence_is_broken(body: object) -> None:
    assert classify(400, body) == faults.Broken(message="the status was 400, without a reason we know")


@pytest.mark.parametrize("status", [301, 302, 402, 405, 409, 412, 415, 422])
def test_any_other_status_is_broken(status: int) -> None:
    assert isinstance(classify(status, b"{}"), faults.Broken)


_KEYS = ["Elements", "ValidationErrors", "Message", "Detail", "title", "message", "x"]
_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "date", "retry-after", "x-rate-limit-problem"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12),
    ),
)
def test_every_answer_has_a_meaning(status: int, body: bytes, headers: dict[str, str]) -> None:
    response = httpx.Response(
        status,
        headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        content=body,
    )

    fault = Xero().classify(response)

    assert fault is not None or response.is_success or status == 304
