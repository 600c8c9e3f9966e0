"""What a request wants records to be like."""

from __future__ import annotations

from dataclasses import dataclass

from tieline_sandbox.books.values import Record, value_of
from tieline_sandbox.xero.books.filters import Where, holds
from tieline_sandbox.xero.books.kinds import Kind


@dataclass(frozen=True)
class Conditions:
    """What a record must be like; nothing set wants everything. `without` are statuses that are left out."""

    where: Where = ()
    statuses: frozenset[str] = frozenset()
    ids: frozenset[str] | None = None
    contact_ids: frozenset[str] | None = None
    numbers: frozenset[str] | None = None
    search: str = ""
    without: frozenset[str] = frozenset()

    def fields(self, kind: Kind) -> set[str]:
        """The fields that the answer depends on."""
        wanted = {condition.field for choice in self.where for condition in choice}
        wanted |= {kind.status_field} if self.statuses or self.without else set()
        wanted |= {"Contact"} if self.contact_ids is not None else set()
        return wanted | ({"*"} if self.search or self.numbers is not None else set())

    def hold(self, kind: Kind, record: Record) -> bool:
        status = record.get(kind.status_field)
        return (
            status not in self.without
            and (not self.statuses or status in self.statuses)
            and (self.contact_ids is None or value_of(record, "Contact.ContactID") in self.contact_ids)
            and (self.numbers is None or record.get("InvoiceNumber") in self.numbers)
            and (not self.search or _found(self.search, record))
            and holds(self.where, record)
        )


def _found(text: str, record: Record) -> bool:
    names = ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress", "InvoiceNumber", "Reference")
    return any(text.lower() in str(record.get(name, "")).lower() for name in names)
