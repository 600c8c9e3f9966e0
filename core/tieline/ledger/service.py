"""Reading what was synced of a connection's books: lists by name, documents with the newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tieline.database import scope
from tieline.ids import ConnectionId
from tieline.ledger.datasets import DATASET_OF, DATED, Dataset, LedgerDocumentKind, PaymentKind
from tieline.ledger.reading.places import decode_place
from tieline.ledger.reading.repository import LedgerListing, LedgerQuery, LedgerRecord, RecordSetAside
from tieline.pages import Direction, Page, list_of, page_size
from tieline.principal import Principal

MOST_SET_ASIDE = 100


async def list_records(
    principal: Principal,
    connection_id: ConnectionId,
    dataset: Dataset,
    *,
    active: bool | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[LedgerRecord]:
    """A page of one dataset: by name, or the newest first where it is `DATED`.

    Raises NotFound, OrganisationInUse, Invalid and CursorInvalid.
    """
    direction = Direction.DESC if dataset in DATED else Direction.ASC
    query = LedgerQuery(connection_id=connection_id, datasets=(dataset,), direction=direction, active=active)
    return await _read(principal, query, first=first, after=after)


async def find_single(
    principal: Principal, connection_id: ConnectionId, dataset: Dataset
) -> LedgerRecord | None:
    """Of a dataset with one record, such as the organisation; None where it has none. Raises as `list_records` does."""
    page = await list_records(principal, connection_id, dataset, first=1)
    return page.rows[0] if page.rows else None


async def list_documents(
    principal: Principal,
    connection_id: ConnectionId,
    *,
    kinds: Collection[LedgerDocumentKind] = (),
    active: bool | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[LedgerRecord]:
    """A page of documents of these kinds, or of all, the newest first. Raises as `list_records` does."""
    query = _together(connection_id, kinds or LedgerDocumentKind, active=active)
    return await _read(principal, query, first=first, after=after)


async def list_payments(
    principal: Principal,
    connection_id: ConnectionId,
    *,
    kinds: Collection[PaymentKind] = (),
    active: bool | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[LedgerRecord]:
    """A page of payments of these kinds, or of all, the newest first. Raises as `list_records` does."""
    query = _together(connection_id, kinds or PaymentKind, active=active)
    return await _read(principal, query, first=first, after=after)


async def list_set_aside(principal: Principal, connection_id: ConnectionId) -> list[RecordSetAside]:
    """What could not be read, the latest first, `MOST_SET_ASIDE` at most. Raises NotFound and OrganisationInUse."""
    async with scope(principal.practice_id):
        return await LedgerListing.visible_to(principal).set_aside(connection_id, most=MOST_SET_ASIDE)


def _together(
    connection_id: ConnectionId,
    kinds: Iterable[LedgerDocumentKind | PaymentKind],
    *,
    active: bool | None,
) -> LedgerQuery:
    datasets = tuple(sorted({DATASET_OF[kind] for kind in kinds}))
    return LedgerQuery(
        connection_id=connection_id, datasets=datasets, direction=Direction.DESC, active=active
    )


async def _read(
    principal: Principal, query: LedgerQuery, *, first: int | None, after: str | None
) -> Page[LedgerRecord]:
    listed = list_of("ledger", principal.practice_id, query.connection_id, *query.datasets, query.active)
    size, start = page_size(first), decode_place(listed, after)
    async with scope(principal.practice_id):
        return await LedgerListing.visible_to(principal).page(query, after=start, first=size, listed=listed)
