"""An answer of many records, written as they are made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice

from starlette.responses import StreamingResponse

from tieline_sandbox.books.values import Record, to_json

_AT_ONCE = 250


def streamed(
    name: str, record: Record, datasets: Iterable[tuple[str, Iterator[Record]]]
) -> StreamingResponse:
    """An object: one record by its name, and each dataset with every record."""
    return StreamingResponse(_parts(name, record, datasets), media_type="application/json")


async def _parts(
    name: str, record: Record, datasets: Iterable[tuple[str, Iterator[Record]]]
) -> AsyncIterator[bytes]:
    yield f'{{"{name}":'.encode() + to_json(record)
    for dataset, records in datasets:
        yield f',"{dataset}":['.encode()
        joint = b""
        while some := [to_json(one) for one in islice(records, _AT_ONCE)]:
            yield joint + b",".join(some)
            joint = b","
            await asyncio.sleep(0)
        yield b"]"
    yield b"}"
