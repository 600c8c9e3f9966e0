"""Intuit's ways to say no, in the shapes that were seen: `Fault` and `fault` in JSON, XML, and OAuth's errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from xml.etree import ElementTree as ET

from starlette.responses import JSONResponse, Response

from tieline_sandbox.answers import Answer, json_answer, text_answer
from tieline_sandbox.faults import FaultError
from tieline_sandbox.quickbooks.wire import answered_at, milliseconds

Form = Literal["json", "lower", "xml"]
PARSE_ERROR = "4000"
NOT_FOUND = "610"
_NAMESPACE = "http://schema.intuit.com/finance/v3"


@dataclass(frozen=True, kw_only=True)
class Said:
    """A fault, whatever it is written as: mostly one error, sometimes `more` after it."""

    type: str
    code: str
    message: str
    detail: str = ""
    more: tuple[FaultError, ...] = ()

    @property
    def _errors(self) -> tuple[FaultError, ...]:
        return (FaultError(code=self.code, message=self.message, detail=self.detail), *self.more)

    def written(self, form: Form, status: int, now: datetime) -> Answer:
        """`json` is the API's own envelope, `lower` the gateway's, `xml` what came where JSON was asked for."""
        if form == "xml":
            return text_answer(status, self._xml(now), "application/xml")
        if form == "lower":
            errors = [
                {"message": one.message, "detail": one.detail, "code": one.code, "element": None}
                for one in self._errors
            ]
            fault = {"fault": {"error": errors, "type": self.type}, "time": milliseconds(now)}
            nothing = dict.fromkeys(("warnings", "intuitObject", "report", "queryResponse", "requestId"))
            return json_answer(status, nothing | fault)
        return json_answer(status, self.content() | {"time": answered_at(now)})

    def content(self) -> dict[str, Any]:
        """What stands in the API's own envelope."""
        errors = [
            {"Message": one.message, "Detail": one.detail, "code": one.code, "element": ""}
            for one in self._errors
        ]
        return {"Fault": {"Error": errors, "type": self.type}}

    def response(self, status: int, now: datetime, form: Form = "json") -> Response:
        answer = self.written(form, status, now)
        return Response(answer.body, answer.status, dict(answer.headers))

    def _xml(self, now: datetime) -> str:
        root = ET.Element("IntuitResponse", {"xmlns": _NAMESPACE, "time": answered_at(now)})
        fault = ET.SubElement(root, "Fault", {"type": self.type})
        for one in self._errors:
            error = ET.SubElement(fault, "Error", {"code": one.code})
            ET.SubElement(error, "Message").text = one.message
            if one.detail:
                ET.SubElement(error, "Detail").text = one.detail
        return ET.tostring(root, encoding="unicode", xml_declaration=True)


def throttled(retry_after: int | None, now: datetime) -> Answer:
    """Over a limit, whichever: XML, also where JSON was asked for; a spent month says the same."""
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    answer = Said(type="SERVICE", code="3001", message=message).written("xml", 429, now)
    return answer.with_headers({} if retry_after is None else {"Retry-After": str(retry_after)})


def token_expired(detail: str) -> Said:
    return Said(
        type="AUTHENTICATION",
        code="3200",
        message="message=AuthenticationFailed; errorCode=003200; statusCode=401",
        detail=detail,
    )


def not_for_this_company() -> Said:
    """The token is good, but not here: another company's, or the app was disconnected."""
    return Said(
        type="SERVICE",
        code="3100",
        message="message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
    )


def no_access() -> Said:
    """The person who connected has no rights in the company any more."""
    return Said(
        type="AuthorizationFault",
        code="120",
        message="AuthorizationFailure",
        detail="AuthorizationFailure: -11014, You do not have access to this company.",
    )


def suspended() -> Said:
    return invalid("6190", "Invalid Company Status", "The company's subscription period has ended.")


def unsupported(operation: str) -> Said:
    return invalid("500", "Unsupported Operation", f"Operation {operation} is not supported.")


def not_understood(error: Exception) -> Said:
    """A statement that cannot be read, or asks for what is not there."""
    return invalid(PARSE_ERROR, "Error parsing query", f"QueryParserError: {error}")


def invalid(code: str, message: str, detail: str = "") -> Said:
    return Said(type="ValidationFault", code=code, message=message, detail=detail)


def oauth_error(error: str, description: str | None = None) -> Response:
    """What the token and revocation endpoints say."""
    body: dict[str, Any] = {"error": error}
    if description is not None:
        body["error_description"] = description
    status = 401 if error == "invalid_client" else 400
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})
