"""How Intuit says no, row by row, as its pages and those who met it tell, and what people are told then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.faults import SUCCEEDED, Row, Shown, failed, lost
from tieline.plugins import LimitScope, faults

PAGE = "<!DOCTYPE html><html><body>QuickBooks is down for maintenance</body></html>"
AWAY = "quickbooks did not answer as it should; nothing has changed here, try again later."
RENEWED = (
    "quickbooks answered in a way we do not know: an access token that was just renewed counts as expired."
)
NO_ACCESS = (
    "This login at quickbooks no longer reaches the organisation, or may not do this in it: "
    "ask for access there, or reassign the connection."
)
TOO_OFTEN = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
XML = (
    '<?xml version="1.0" encoding="UTF-8"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" '
    'time="2026-11-03T01:30:00.000-08:00"><Fault type="{}"><Error code="{}"><Message>{}</Message></Error></Fault>'
    "</IntuitResponse>"
)


def fault(code: str, message: str, detail: str = "", type_: str = "ValidationFault") -> dict[str, Any]:
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return {"Fault": {"Error": [error], "type": type_}, "time": "2026-11-03T01:30:00.000-08:00"}


def gateway(code: str, message: str, type_: str) -> dict[str, Any]:
    error = {"message": message, "detail": None, "code": code, "element": None}
    return {"warnings": None, "fault": {"error": [error], "type": type_}, "time": 1533811101733}


def refused(code: str, message: str, detail: str) -> Row:
    """What is wrong with what was asked or sent: its sentence is for people."""
    return Row(
        name=f"400 {code} {message}",
        status=400,
        body=fault(code, message, detail),
        fault=faults.Rejected(message=detail or message),
    )


def limited(seconds: int) -> faults.Throttled:
    wait = timedelta(seconds=seconds)
    return faults.Throttled(limit="minute", scope=LimitScope.ORGANISATION, retry_after=wait)


OLD_TOKEN = gateway(
    "3200", "message=AuthenticationFailed; errorCode=003200; statusCode=401", "AUTHENTICATION"
)
REMOVED = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode={}"
LAPSED = fault("6190", "Invalid Company Status", "The subscription period has ended.")
TWO = fault("2020", "Required param missing", "Name it.")
TWO["Fault"]["Error"].append({"Message": "Invalid Reference Id", "code": "2500"})
WAITING = Shown(state="QUEUED", message=AWAY)
PAUSED = Shown(
    state="PAUSED",
    limit="minute",
    message="What syncs may use of the organisation's minute at QuickBooks Online is used up. "
    "0 of 3 parts are read, and it goes on from there by itself.",
)

OF_THE_LOGIN = [
    Row(
        name="401 an access token that grew old, from the gateway",
        status=401,
        body=OLD_TOKEN,
        fault=faults.TokenExpired(),
        shown=SUCCEEDED,
        times=1,
    ),
    Row(
        name="401 again, though it was just renewed",
        status=401,
        body=OLD_TOKEN,
        fault=faults.TokenExpired(),
        shown=failed(RENEWED),
    ),
    Row(
        name="401 in XML, though JSON was asked for",
        status=401,
        body=XML.format("AuthenticationFault", "100", "General Authentication Error"),
        kind="application/xml",
        fault=faults.TokenExpired(),
        shown=SUCCEEDED,
        times=1,
    ),
    Row(
        name="403 3100 the company does not have the app",
        status=403,
        body=gateway("3100", REMOVED.format(403), "SERVICE"),
        fault=faults.AppRemoved(),
        shown=lost(
            "REVOKED_AT_PROVIDER",
            "RECONNECT",
            "The app was removed from the organisation at quickbooks: a person must sign in again.",
        ),
    ),
    Row(
        name="500 3100 the same",
        status=500,
        body=gateway("3100", REMOVED.format(500), "SERVICE"),
        fault=faults.AppRemoved(),
    ),
    Row(
        name="401 120 the person lost their rights in the company",
        status=401,
        body=fault("120", "AuthorizationFailure", "-11014: You do not have access.", "AuthorizationFault"),
        fault=faults.AccessLost(),
        shown=lost("ACCESS_LOST", "ASK_FOR_ACCESS", NO_ACCESS),
    ),
    Row(
        name="400 6190 a subscription that lapsed",
        status=400,
        body=LAPSED,
        fault=faults.SubscriptionLapsed(),
        shown=lost(
            "SUBSCRIPTION_LAPSED",
            "RENEW_SUBSCRIPTION",
            "The organisation's subscription at quickbooks has ended: renew it there.",
        ),
    ),
    Row(name="200 6190 within a success", status=200, body=LAPSED, fault=faults.SubscriptionLapsed()),
    Row(
        name="200 an authorization's fault, spelt as the schema does",
        status=200,
        body=fault("99", "No", type_="AuthorizatonFault"),
        fault=faults.AccessLost(),
    ),
    Row(
        name="200 an authentication's fault, without a code that is known",
        status=200,
        body=gateway("", "General Authentication Error", "AUTHENTICATION"),
        fault=faults.TokenExpired(),
    ),
]
OF_LIMITS = [
    Row(
        name="429 in XML, though JSON was asked for",
        status=429,
        body=XML.format("SERVICE", "3001", TOO_OFTEN),
        kind="application/xml",
        fault=limited(60),
        shown=PAUSED,
    ),
    Row(name="403 3001", status=403, body=fault("003001", TOO_OFTEN, type_="SERVICE"), fault=limited(60)),
    Row(
        name="429 with Retry-After",
        status=429,
        body=TOO_OFTEN,
        headers={"Retry-After": "120"},
        fault=limited(120),
    ),
    Row(name="429 with a page", status=429, body=PAGE, kind="text/html", fault=limited(60)),
]
IN_PASSING = [
    Row(
        name="200 a page of its maintenance",
        status=200,
        body=PAGE,
        kind="text/html",
        fault=faults.Transient(message="a web page came with the status 200"),
        shown=WAITING,
    ),
    Row(
        name="403 a page of its maintenance",
        status=403,
        body=PAGE,
        kind="text/html",
        fault=faults.Transient(message="a web page came with the status 403"),
    ),
    Row(
        name="200 a fault of its system within a success",
        status=200,
        body=fault("10000", "An application error has occurred", type_="SystemFault"),
        fault=faults.Transient(message="a fault of its system came with the status 200"),
        shown=WAITING,
    ),
    Row(name="408 empty", status=408, fault=faults.Transient(message="the status was 408")),
    Row(name="504 empty", status=504, fault=faults.Transient(message="the status was 504"), shown=WAITING),
]
OF_WHAT_WAS_ASKED = [
    Row(
        name="400 several at once, each with its sentence",
        status=400,
        body=TWO,
        fault=faults.Rejected(message="Name it. Invalid Reference Id"),
        shown=failed("quickbooks refused this: Name it. Invalid Reference Id"),
    ),
    Row(
        name="200 instead of a query's records",
        status=200,
        body={"QueryResponse": fault("4000", "Error parsing query", "Unknown entity.")},
        fault=faults.Rejected(message="Unknown entity."),
        shown=failed("quickbooks refused this: Unknown entity."),
    ),
    Row(
        name="200 beside what was answered of the changes",
        status=200,
        body={"CDCResponse": [{"QueryResponse": [{"Bill": []}]}, fault("4000", "No", "No such entity.")]},
        fault=faults.Rejected(message="No such entity."),
    ),
    Row(
        name="200 within what was answered of the changes",
        status=200,
        body={"CDCResponse": [{"QueryResponse": [{"Bill": []}, fault("4000", "No", "Not now.")]}]},
        fault=faults.Rejected(message="Not now."),
    ),
    Row(
        name="400 in XML, with a sentence",
        status=400,
        body=XML.format("ValidationFault", "4001", "Bad &amp; ugly"),
        kind="application/xml",
        fault=faults.Rejected(message="Bad & ugly"),
    ),
    Row(
        name="400 610 it is not there",
        status=400,
        body=fault("610", "Object Not Found", "Something you're trying to use has been made inactive."),
        fault=faults.Missing(),
        shown=failed("quickbooks does not have what was asked for."),
    ),
    Row(name="404 empty", status=404, fault=faults.Missing()),
    Row(name="403 empty", status=403, fault=faults.AccessLost()),
    Row(
        name="418 empty",
        status=418,
        fault=faults.Broken(message="the status was 418, without a reason we know"),
        shown=failed(
            "quickbooks answered in a way we do not know: the status was 418, without a reason we know."
        ),
    ),
    refused("6240", "Duplicate Name Exists Error", "The name supplied already exists."),
    refused("6140", "Duplicate Document Number Error", "TxnType=Bill and TxnId=7 has it."),
    refused("2500", "Invalid Reference Id", "Names element id 9 not found"),
    refused("2050", "String length", "The text is too long."),
    refused("2170", "Invalid Enumeration", ""),
    refused("2210", "Date cannot be parsed", ""),
    refused("6000", "A business validation error has occurred", "The amounts do not fit."),
    refused("6210", "Account Period Closed", "The books are closed."),
    refused("5010", "Stale Object Error", "You and somebody else were working on this."),
    refused("620", "Transaction cannot be linked", "It is linked already."),
    refused("6540", "Deposited Transaction cannot be changed", "Delete the deposit first."),
]
ROWS = [*OF_THE_LOGIN, *OF_LIMITS, *IN_PASSING, *OF_WHAT_WAS_ASKED]
