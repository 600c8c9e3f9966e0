"""Requests that are much to take in or to answer: bodies as long as they may be, and pages as wide."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

_IDS = "query($v: [ID!]) { connections(teamIds: $v) { totalCount } }"
_CODES = "mutation($v: SetPracticeCodesInput!) { setPracticeCodes(input: $v) { errors { code } } }"
_OWN = (
    "id name legalName practiceCode country currency taxNumber registrationNumber createdAt team { id name }"
)

WIDE = (
    f"{{ clients(first: 200) {{ totalCount eventCursor nodes {{ {_OWN} }} }} }}",
    f"{{ clients(first: 200) {{ edges {{ cursor node {{ {_OWN} connections {{ id reason statuses }} }} }} }} }}",
    f"{{ clients(first: 200) {{ nodes {{ {_OWN} }} edges {{ cursor node {{ {_OWN} connections {{ id }} }} }} }} }}",
    f"{{ connectionBoard(product: BOOKKEEPING, first: 200) {{ nodes {{ statuses client {{ {_OWN} }} }} }} }}",
)


def long_bodies() -> dict[str, bytes]:
    """By what they have much of; of some it is too much, and they are refused."""
    rows = [{"clientId": str(UUID(int=number)), "practiceCode": f"C{number}"} for number in range(1_000)]
    held: dict[str, Any] = {
        "ids": [f"{number:018}" for number in range(19_000)],
        "too many ids": [f"{number:018}" for number in range(45_000)],
        "small objects": [{"a": f"{number:08}"} for number in range(24_000)],
        "fractions": [number + 0.123456789012345 for number in range(19_000)],
        "nothing": [None] * 19_000,
        "keys": {f"k{number:08}": "1" for number in range(19_000)},
        "a long text": "é" * 160_000,
    }
    bodies = {what: _body(_IDS, v) for what, v in held.items()}
    bodies["deep lists"] = _body(_IDS, "?").replace(
        b'"?"', b"[" + b",".join([b"[" * 30 + b"]" * 30] * 1_600) + b"]"
    )
    bodies["long numbers"] = _body(_IDS, "?").replace(b'"?"', b"[" + b",".join([b"9" * 4_200] * 230) + b"]")
    bodies["rows"] = _body(_CODES, {"rows": rows})
    return bodies


def _body(query: str, value: Any) -> bytes:
    return json.dumps({"query": query, "variables": {"v": value}}).encode()
