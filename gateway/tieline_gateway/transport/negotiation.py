"""Which media type is read and which is answered, from the headers of one request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from starlette.datastructures import Headers

from tieline_gateway.transport.errors import RequestRefused

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"


def negotiate(headers: Headers) -> str:
    """The media type to answer with; `application/json` where the caller says nothing definite.

    Of two that are liked equally, the one named outright wins over a wildcard, and
    `application/graphql-response+json` over `application/json`.
    """
    accept = ",".join(headers.getlist("accept")).strip()
    if not accept:
        return JSON
    ranges = dict(_ranges(accept))
    liked = max((RESPONSE_JSON, JSON), key=lambda media: _liking(media, ranges))
    if _liking(liked, ranges)[0] <= 0:
        raise RequestRefused.because(
            "NOT_ACCEPTABLE", f"Answers are {RESPONSE_JSON} or {JSON}; accept one of them.", status=406
        )
    return liked


def check_content_type(headers: Headers) -> None:
    """Refuse bodies that do not say they are JSON in UTF-8."""
    values = headers.getlist("content-type")
    media, parameters = _parsed(values[0]) if len(values) == 1 else ("", {})
    charset = parameters.get("charset", "utf-8").lower()
    if media != JSON or charset not in {"utf-8", "utf8"} or "content-encoding" in headers:
        raise RequestRefused.because(
            "UNSUPPORTED_MEDIA_TYPE", f"Send the body as {JSON} in UTF-8, not compressed.", status=415
        )


def _liking(media: str, ranges: dict[str, float]) -> tuple[float, int]:
    """How much `media` is wanted (q), and how outright it is named."""
    for outright, name in ((3, media), (1 if media == RESPONSE_JSON else 2, "application/*")):
        if name in ranges:
            return ranges[name], outright
    return ranges.get("*/*", 0.0), 1 if media == RESPONSE_JSON else 2


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(","):
        media, parameters = _parsed(part)
        if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            continue
        with suppress(ValueError):
            yield media, float(parameters.get("q", "1"))


def _parsed(value: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case, and its parameters."""
    media, *rest = value.split(";")
    pairs = (part.partition("=") for part in rest)
    return media.strip().lower(), {name.strip().lower(): text.strip().strip('"') for name, _, text in pairs}
