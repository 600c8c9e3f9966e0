"""What a person may say of a client, read and refused by field; an empty text is as good as none."""

from __future__ import annotations

import re
from collections.abc import Callable

from tieline.errors import Invalid
from tieline.names import clean_name

_CODE_LENGTH = 64


def legal_name(value: str | None) -> str | None:
    """Raises Invalid, as all of these do."""
    return _optional(clean_name, value, field="legalName")


def practice_code(value: str | None) -> str | None:
    """Any printable text; case counts."""
    return _optional(read_code, value, field="practiceCode")


def country(value: str | None) -> str | None:
    """ISO 3166 alpha-2."""
    return _optional(_country, value, field="country")


def currency(value: str | None) -> str | None:
    """ISO 4217."""
    return _optional(_currency, value, field="currency")


def read_code(value: str, *, field: str) -> str:
    """The practice's own code for a client, without white space around it."""
    code = value.strip()
    if not code or len(code) > _CODE_LENGTH or not code.isprintable():
        raise Invalid(f"A practice code has 1 to {_CODE_LENGTH} printable characters.", field=field)
    return code


def _optional(read: Callable[..., str], value: str | None, *, field: str) -> str | None:
    """Nothing for an empty value, as forms send it."""
    return read(value, field=field) if value is not None and value.strip() else None


def _country(value: str, *, field: str) -> str:
    code = value.strip().upper()
    if not re.fullmatch("[A-Z]{2}", code):
        raise Invalid("A country is its two letters of ISO 3166, such as GB.", field=field)
    return code


def _currency(value: str, *, field: str) -> str:
    code = value.strip().upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise Invalid("A currency is its three letters of ISO 4217, such as GBP.", field=field)
    return code
