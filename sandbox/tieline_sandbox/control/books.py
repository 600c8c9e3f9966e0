"""The books from above: edits as people make them at the provider, and everything as it is now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import StreamingResponse

from tieline_sandbox.books.edits import changed, created
from tieline_sandbox.books.values import Record, to_json
from tieline_sandbox.codec import Malformed, decode
from tieline_sandbox.control.endpoint import Asked, Handlers, Unknown
from tieline_sandbox.control.streaming import streamed
from tieline_sandbox.notices import Notice
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero.books.kinds import BY_DATASET
from tieline_sandbox.xero.books.ledger import ledger_of
from tieline_sandbox.xero.books.reading import everything, shelf_of
from tieline_sandbox.xero.model import Dataset, Organisation
from tieline_sandbox.xero.organisations import shown


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
        fields = wanted.change or kind.removal(before, archived=wanted.archived)
        made = changed(kind, ledger, edits.get(id_), id_, fields, now)
    edits[made.id] = made
    record = shelf.find(made.id)
    _tell(sandbox, organisation, wanted, made.id, record or {})
    return json.loads(to_json({"record": record}))


def _tell(sandbox: Sandbox, organisation: Organisation, wanted: _Edit, id_: str, record: Record) -> None:
    sandbox.xero_outbox.add(
        Notice(
            organisation=organisation.tenant_id,
            dataset=wanted.dataset,
            id=id_,
            what="created" if wanted.create is not None else "updated",
            at=sandbox.clock.now(),
            data={name: str(record.get(name)) for name in ("Type", "Status")},
        )
    )


def books(sandbox: Sandbox, asked: Asked) -> StreamingResponse:
    """An object: the organisation, and each dataset with every record in full."""
    organisation = _organisation(sandbox, asked)
    return streamed("organisation", shown(organisation), everything(sandbox.state.xero, organisation))


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
