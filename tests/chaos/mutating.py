"""Bodies and messages as nobody should write them, made of sound ones by chance that can be repeated.

    bytes    a bit turned, a piece lost, doubled, moved in from elsewhere, or no UTF-8
    values   anything in the place of anything: numbers too large, the wrong type, odd text, deep lists, keys lost

Either may happen up to three times. `requests.py` and `frames.py` put them into HTTP and into frames of a socket.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SPLINTERS = (
    *(
        b"\\u0000",
        b"\\ud800",
        b"\\",
        b'"',
        b"[[[[",
        b"}}",
        b"{",
        b"null",
        b"1e999",
        b"NaN",
        b"-Infinity",
        b"9" * 400,
    ),
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\xe2\x80\xa8", b" ", b"\n", b"\t"),
    *(
        b"...",
        b"...F",
        b"$v",
        b"@skip",
        b"@include(if:true)",
        b"#",
        b'"""',
        b"__typename ",
        b"fragment F on Query{viewer{role}}",
    ),
)
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, -(2**31) - 1, 2**53 + 1, 2**64, 10**300, 0.1, -1e308, 1e-320),
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\x00" * 3,
        "a\ud800",
        "\udfff",
        "\u2028",
        "%",
        "_\\",
        "'; --",
        "x" * 3_000,
        "é" * 500,
        "0",
        "-0",
        "NaN",
        "null",
        "1e5",
    ),
    *(
        "2026-13-01",
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:59.999999-23:59",
        "2026-02-28T10:00:00",
        "+010000-01-01",
    ),
    *(
        "00000000-0000-0000-0000-000000000000",
        "{urn:uuid}",
        "MDE5YQ==",
        "eyJhIjoxfQ",
        "xero",
        "connection",
        "a,b\n1,2\n",
    ),
    *([], {}, [[]], {"": ""}, [None], {"__proto__": 1}, ["x"] * 300, {"a": {"b": {"c": []}}}),
)
_TIMES = (1, 1, 1, 1, 2, 3)


@dataclass(frozen=True)
class Mutator:
    """`sound` are JSON objects that mean something to who reads them."""

    draws: random.Random
    sound: Sequence[bytes]

    def mutated(self) -> bytes:
        """One of the sound, which is not what it was."""
        body = sound = self.draws.choice(self.sound)
        while _meaning(body) == _meaning(sound):
            for _ in range(self.draws.choice(_TIMES)):
                body = self._in_its_values(body) if self.draws.random() < 0.5 else self._in_its_bytes(body)
        return body

    def _in_its_bytes(self, body: bytes) -> bytes:
        draws, changed = self.draws, bytearray(body)
        at, long = draws.randint(0, len(changed)), draws.randint(1, 40)
        match draws.randrange(7):
            case 0 if changed:
                changed[at - 1] ^= 1 << draws.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                del changed[at : at + long]
            case 3:
                changed[at:at] = changed[at : at + long]
            case 4:
                other = draws.choice(self.sound)
                changed[at:at] = other[draws.randrange(len(other)) :][:long]
            case 5:
                changed[at : at + 1] = bytes([draws.randrange(256)])
            case _:
                changed[at:at] = draws.choice(_SPLINTERS)
        return bytes(changed)

    def _in_its_values(self, body: bytes) -> bytes:
        """Anything that is no JSON any more is left to its bytes."""
        try:
            held = [json.loads(body)]
        except (ValueError, RecursionError):
            return self._in_its_bytes(body)
        around, key = self.draws.choice(
            _places(_inner(held[0]) or held) if self.draws.randrange(3) else _places(held)
        )
        match self.draws.randrange(9):
            case 0 if isinstance(around, dict):
                around[self._odd_of_its_kind("")] = around.pop(key)
            case 1 if isinstance(around, dict):
                del around[key]
            case 2:
                around[key] = [around[key]]
            case 3:
                around[key] = _nested(self.draws.choice((5, 62, 70, 2_000)), of=self.draws.choice("[{"))
            case 4:
                around[key] = self.draws.choice(_ODD)
            case _:
                around[key] = self._odd_of_its_kind(around[key])
        return _dumped(held[0] if held else None, plain=self.draws.random() < 0.5)

    def _odd_of_its_kind(self, value: Any) -> Any:
        """What a type may well let through."""
        return self.draws.choice([odd for odd in _ODD if type(odd) is type(value)] or _ODD)


@dataclass(frozen=True)
class _Nested:
    text: str


def _meaning(body: bytes) -> Any:
    """What it says; of what is no JSON, the bytes."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _nested(levels: int, *, of: str) -> _Nested:
    opened, closed = ("[", "]") if of == "[" else ('{"a":', "}")
    return _Nested(opened * levels + "1" + closed * levels)


def _inner(value: Any) -> list[Any]:
    """The variables, of what has some: types and services look at those, others at the rest."""
    around = value.get("payload", value) if isinstance(value, dict) else None
    inner = around.get("variables") if isinstance(around, dict) else None
    return [inner] if inner and isinstance(inner, dict) else []


def _places(held: list[Any]) -> list[tuple[Any, Any]]:
    """Every container with every key or index in it, from the outermost on."""
    found: list[tuple[Any, Any]] = []
    pending: list[Any] = [held]
    while pending:
        around = pending.pop()
        pairs = around.items() if isinstance(around, dict) else enumerate(around)
        for key, value in pairs:
            found.append((around, key))
            if isinstance(value, dict | list):
                pending.append(value)
    return found


def _dumped(value: Any, *, plain: bool) -> bytes:
    """As JSON; what is nested too deep for its writer stands in it as text does, without the quotes."""
    nested: list[str] = []

    def named(one: Any) -> str:
        assert isinstance(one, _Nested)
        nested.append(one.text)
        return f"<nested {len(nested) - 1}>"

    text = json.dumps(value, ensure_ascii=plain, default=named)
    for number, one in enumerate(nested):
        text = text.replace(f'"<nested {number}>"', one)
    return text.encode(errors="surrogatepass")
