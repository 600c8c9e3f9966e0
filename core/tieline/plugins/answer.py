"""An answer that was asked for, as a plugin reads it: money stays exact, and nothing in it shows by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

import httpx

from tieline.errors import ProviderBroken, ProviderError


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`headers` are read without regard to case; `reference` is what the provider calls it, for its support."""

    provider: str
    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)
    reference: str | None = None

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        """The JSON object, its fractions as Decimal. Raises ProviderBroken when there is none."""
        value = self._parsed()
        if not isinstance(value, dict):
            raise self._broken("the answer is no JSON object")
        return value

    def json_list(self) -> list[Any]:
        """The JSON array, its fractions as Decimal. Raises ProviderBroken when there is none."""
        value = self._parsed()
        if not isinstance(value, list):
            raise self._broken("the answer is no JSON array")
        return value

    def _parsed(self) -> object:
        try:
            return json.loads(self.content, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, ArithmeticError, RecursionError):
            raise self._broken("the answer is no JSON") from None  # the cause quotes it

    def _broken(self, what: str) -> ProviderError:
        return ProviderBroken(self.provider, what).referring(self.reference)


def _no_number(_name: str) -> NoReturn:
    raise ValueError("JSON knows no such number")
