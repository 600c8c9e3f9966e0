"""Records that could not be read, each with its sentence."""

from __future__ import annotations

from datetime import datetime

import strawberry

from tieline.ledger.reading import repository


@strawberry.type(description="A record of the provider's that could not be read.")
class RecordSetAside:
    dataset: str = strawberry.field(description="The list that it belongs to, such as invoices.")
    external_id: str = strawberry.field(
        description="The provider's id; empty where that could not be read either."
    )
    why: str = strawberry.field(description="A sentence for people, in English.")
    at: datetime = strawberry.field(description="When it last came.")

    @classmethod
    def of(cls, record: repository.RecordSetAside) -> RecordSetAside:
        return cls(dataset=record.dataset, external_id=record.external_id, why=record.why, at=record.at)
