"""The ledger in words of no provider: what plugins turn their providers' records into, and everybody else reads.

    lists       what documents refer to: organisation, accounts, contacts, tax rates, tracking categories
    documents   invoices, bills and bank transactions, with their lines
    data        a record as JSON that is exact and that a database can keep

An id is the provider's own. An amount is exact, and in the `currency` of the record it stands in; None for a
currency means the organisation's. A day of a document is a date without a zone. `status` and the other words that
providers choose are kept as they come, words nobody has heard of too; `active` is what we make of them.
"""

from tieline.canonical.data import JSON, JSONObject, storable, to_data
from tieline.canonical.documents import (
    AccountRef,
    BankTransaction,
    ContactRef,
    Direction,
    Document,
    DocumentKind,
    Line,
    TaxBasis,
    Tracked,
)
from tieline.canonical.lists import (
    Account,
    Address,
    Contact,
    Organisation,
    Phone,
    TaxComponent,
    TaxRate,
    TrackingCategory,
    TrackingOption,
)

__all__ = [
    "JSON",
    "Account",
    "AccountRef",
    "Address",
    "BankTransaction",
    "Contact",
    "ContactRef",
    "Direction",
    "Document",
    "DocumentKind",
    "JSONObject",
    "Line",
    "Organisation",
    "Phone",
    "TaxBasis",
    "TaxComponent",
    "TaxRate",
    "Tracked",
    "TrackingCategory",
    "TrackingOption",
    "storable",
    "to_data",
]
