"""The ledger in words of no provider: what plugins turn their providers' records into, and everybody else reads.

    lists       what documents refer to: organisation, accounts, contacts, tax rates, tracking categories, terms,
                payment methods
    documents   invoices, bills and bank transactions, with their lines, and payments
    data        a record as JSON that is exact and that a database can keep

An id is the provider's own. An amount is exact, and in the `currency` of the record it stands in; None for a
currency means the organisation's. A day of a document is a date without a zone. `status` and the other words that
providers choose are kept as they come, words nobody has heard of too; `active` is what we make of them.
"""

from tieline.canonical.data import JSON, JSONObject, storable, to_data
from tieline.canonical.documents import (
    AccountRef,
    Allocation,
    BankTransaction,
    ContactRef,
    Direction,
    Document,
    DocumentKind,
    Line,
    Payment,
    TaxBasis,
    Tracked,
)
from tieline.canonical.lists import (
    LISTS,
    Account,
    Address,
    Contact,
    Organisation,
    PaymentMethod,
    Phone,
    TaxComponent,
    TaxRate,
    Term,
    TrackingCategory,
    TrackingOption,
    TrackingValue,
)

__all__ = [
    "JSON",
    "LISTS",
    "Account",
    "AccountRef",
    "Address",
    "Allocation",
    "BankTransaction",
    "Contact",
    "ContactRef",
    "Direction",
    "Document",
    "DocumentKind",
    "JSONObject",
    "Line",
    "Organisation",
    "Payment",
    "PaymentMethod",
    "Phone",
    "TaxBasis",
    "TaxComponent",
    "TaxRate",
    "Term",
    "Tracked",
    "TrackingCategory",
    "TrackingOption",
    "TrackingValue",
    "storable",
    "to_data",
]
