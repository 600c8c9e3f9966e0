"""Records of an organisation, written straight into the table, and the lists of a connection read to their end."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.books import Books
from tieline.connections.repository import Connection
from tieline.ids import OrganisationId
from tieline.ledger import datasets as known
from tieline.ledger.datasets import DATASET_OF, Dataset, LedgerDocumentKind, PaymentKind
from tieline.ledger.reading.repository import LedgerRecord
from tieline.ledger.service import list_documents, list_payments, list_records
from tieline.pages import Page
from tieline.principal import Principal

DOCUMENTS = tuple(known.DOCUMENTS)
PAYMENTS = tuple(known.PAYMENTS)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A record as its sync would have left it."""

    dataset: Dataset
    external_id: str
    sort_key: str = ""
    active: bool = True
    deleted: bool = False
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, str]:
        return self.sort_key, self.external_id, self.dataset


async def put(books: Books, organisation_id: OrganisationId, rows: Iterable[Row]) -> None:
    at = datetime.now(UTC)
    await books.sql.executemany(
        "INSERT INTO ledger_record (practice_id, organisation_id, dataset, external_id, sort_key, active, data, "
        "source_updated_at, hash, generation, changed_at, deleted_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 1, $8, $9)",
        [
            (
                books.practice_id,
                organisation_id,
                row.dataset,
                row.external_id,
                row.sort_key,
                row.active,
                json.dumps(row.data),
                at,
                at if row.deleted else None,
            )
            for row in rows
        ],
    )


async def put_aside(books: Books, organisation_id: OrganisationId, ids: Iterable[str]) -> None:
    """What could not be read, each of these ids a minute after the one before."""
    await books.sql.execute(
        "INSERT INTO record_set_aside (practice_id, organisation_id, dataset, external_id, feed, why, at) "
        "SELECT $1, $2, 'contacts', n.id, 'contacts', 'It is bad.', $3::timestamptz + n.nth * interval '1 minute' "
        "FROM unnest($4::text[]) WITH ORDINALITY AS n (id, nth)",
        books.practice_id,
        organisation_id,
        datetime.now(UTC),
        list(ids),
    )


async def connected(books: Books, name: str = "Acme") -> Connection:
    """A client of this name, connected to an organisation of its own."""
    return await books.connected(await books.client(name), await books.organisation(name))


async def read(
    principal: Principal,
    connection: Connection,
    *datasets: Dataset,
    first: int = 200,
    active: bool | None = None,
) -> list[LedgerRecord]:
    """A list to its end, page by page; its total is what it holds."""
    found: list[LedgerRecord] = []
    after = None
    while True:
        page = await page_of(principal, connection, *datasets, first=first, active=active, after=after)
        found += page.rows
        if not page.has_next:
            assert page.total == len(found)
            return found
        assert len(page.rows) == first
        after = page.cursors[-1]


async def page_of(
    principal: Principal, connection: Connection, *datasets: Dataset, **more: Any
) -> Page[LedgerRecord]:
    """One dataset is read by itself, unless it holds documents or payments; those of all kinds are read together."""
    if datasets and datasets[0] in PAYMENTS:
        kinds = [kind for kind in PaymentKind if DATASET_OF[kind] in datasets]
        return await list_payments(principal, connection.id, kinds=kinds, **more)
    if datasets and datasets[0] not in DOCUMENTS:
        return await list_records(principal, connection.id, datasets[0], **more)
    documents = [kind for kind in LedgerDocumentKind if DATASET_OF[kind] in datasets]
    return await list_documents(principal, connection.id, kinds=documents, **more)


def some_rows(seed: int, *datasets: Dataset, count: int) -> list[Row]:
    """Records with few keys and few ids, so that many are equal in one or the other, and some are deleted."""
    dice = random.Random(seed)  # noqa: S311 - the same rows each time
    keys = ["", "a", "a b", "ab", "b", "é", "山", "2031-01-01", "2031-01-02"]
    made = {}
    for _ in range(count):
        row = Row(
            dataset=dice.choice(datasets),
            external_id=f"{dice.randrange(count):03}",
            sort_key=dice.choice(keys),
            active=dice.random() < 0.7,
            deleted=dice.random() < 0.2,
        )
        made[row.dataset, row.external_id] = row
    return list(made.values())
