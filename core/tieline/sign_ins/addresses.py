"""Where a browser may be sent back to: checked when a sign-in starts, put together when it is over."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from tieline.errors import Invalid
from tieline.settings import as_sent

MAX_LENGTH = 2_000
# Only what RFC 3986 knows, less the fragment: browsers read backslashes, spaces and line ends in their own ways.
_ADDRESS = re.compile(r"(?i:https?)://([A-Za-z0-9.\-\[\]:]+)([/?][A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]*)?")
_FIELD = "returnUrl"
_ANSWERS = frozenset({"signIn", "proof", "error"})


def checked_return_url(address: str, origins: Collection[str]) -> str:
    """The address, if browsers may be sent there. `origins` are as browsers send them. Raises Invalid."""
    if len(address) > MAX_LENGTH:
        raise Invalid(f"An address to return to has at most {MAX_LENGTH:,} characters.", field=_FIELD)
    if "#" in address:
        raise Invalid(
            "An address to return to has no fragment: leave out '#' and what follows.", field=_FIELD
        )
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise Invalid(
            "An address to return to is a whole one, such as https://app.example/done, "
            "of ASCII characters and without a name or password.",
            field=_FIELD,
        )
    scheme = address.partition("://")[0]
    if as_sent(f"{scheme}://{match[1]}") not in origins:
        raise Invalid(
            "Browsers may not be sent to this address: its origin is not in TIELINE_ALLOWED_ORIGINS.",
            field=_FIELD,
        )
    return address


def with_answer(return_url: str, answer: Mapping[str, str]) -> str:
    """The address with these parameters after its own, less those that an earlier sign-in left there."""
    parts = urlsplit(return_url)
    own = [part for part in parts.query.split("&") if part and _name(part) not in _ANSWERS]
    query = "&".join([*own, urlencode(answer)])
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def _name(parameter: str) -> str:
    return unquote_plus(parameter.partition("=")[0])
