"""The books from above: edits as people make them at the provider, and everything as it is now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.responses import StreamingResponse

from tieline_sandbox.codec import Malformed, decode
from tieline_sandbox.control.endpoint import Asked, Handlers, Unknown
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero.books.edits import changed, created, removal
from tieline_sandbox.xero.books.kinds import BY_DATASET
from tieline_sandbox.xero.books.ledger import ledger_of
from tieline_sandbox.xero.books.reading import everything, shelf_of
from tieline_sandbox.xero.model import Dataset, Organisation
from tieline_sandbox.xero.organisations import shown
from tieline_sandbox.xero.wire import to_json

_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """Exactly one of `create`, or `id` with `change`, `archived` or `deleted`."""

    dataset: Dataset
    id: str | None = None
    change: dict[str, Any] | None = None
    create: dict[str, Any] | None = None
    archived: bool = False
    deleted: bool = False


def edit(sandbox: Sandbox, asked: Asked) -> Any:
    """Change, archive, delete or create a record; the answer is the record as the API shows it from now on."""
    wanted: _Edit = decode(_Edit, asked.body)
    ways = (wanted.change is not None, wanted.create is not None, wanted.archived, wanted.deleted)
    if sum(ways) != 1 or (wanted.id is None) != (wanted.create is not None):
        raise Malformed("", "must hold `create`, or `id` with one of `change`, `archived` and `deleted`")
    organisation = _organisation(sandbox, asked)
    kind, now = BY_DATASET[wanted.dataset], sandbox.clock.now()
    ledger, state = ledger_of(organisation), sandbox.state.xero
    edits = state.edits.setdefault(organisation.tenant_id, {}).setdefault(wanted.dataset, {})
    shelf = shelf_of(state, organisation, kind)
    if wanted.create is not None:
        made = created(kind, ledger, edits, wanted.create, now)
    else:
        before = shelf.find(wanted.id or "")
        if before is None:
            raise Unknown(f"record in {wanted.dataset}", wanted.id or "")
        id_ = before[kind.id_field]
        fields = wanted.change or removal(kind, before, archived=wanted.archived)
        made = changed(kind, ledger, edits.get(id_), id_, fields, now)
    edits[made.id] = made
    return json.loads(to_json({"record": shelf.find(made.id)}))


def books(sandbox: Sandbox, asked: Asked) -> StreamingResponse:
    """An object: the organisation, and each dataset with every record in full."""
    return StreamingResponse(_books(sandbox, _organisation(sandbox, asked)), media_type="application/json")


async def _books(sandbox: Sandbox, organisation: Organisation) -> AsyncIterator[bytes]:
    yield b'{"organisation":' + to_json(shown(organisation))
    for dataset, records in everything(sandbox.state.xero, organisation):
        yield f',"{dataset}":['.encode()
        joint = b""
        while some := [to_json(record) for record in islice(records, _AT_ONCE)]:
            yield joint + b",".join(some)
            joint = b","
            await asyncio.sleep(0)
        yield b"]"
    yield b"}"


def _organisation(sandbox: Sandbox, asked: Asked) -> Organisation:
    tenant_id = asked.path["tenant_id"].lower()
    found = sandbox.state.xero.organisations.get(tenant_id)
    if found is None:
        raise Unknown("organisation", tenant_id)
    return found


HANDLERS: Handlers = {
    ("POST", "/organisations/{tenant_id}/records"): edit,
    ("GET", "/organisations/{tenant_id}/books"): books,
}
