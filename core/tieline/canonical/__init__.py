"""The ledger in words of no provider: what plugins turn their providers' records into, and everybody else reads.

    lists       what documents refer to: organisation, accounts, contacts, items, tax rates, tracking categories, terms,
                payment methods, currencies
    documents   invoices, bills, credit notes and bank transactions, with their lines; payments, transfers, journals
    data        a record as JSON that is exact and that a database can keep

An id is the provider's own. An amount is exact, and in the `currency` of the record it stands in; None for a
currency means the organisation's. A day of a document is a date without a zone. `status` and the other words that
providers choose are kept as they come, words nobody has heard of too; `active` is what we make of them.
"""

from tieline.canonical.data import JSON, JSONObject, storable, to_data
from tieline.canonical.documents import (
    AccountRef,
    Advance,
    Allocation,
    BankTransaction,
    BankTransfer,
    ContactRef,
    Direction,
    Document,
    DocumentKind,
    Journal,
    JournalLine,
    Line,
    Payment,
    TaxBasis,
    Tracked,
)
from tieline.canonical.lists import (
    LISTS,
    Account,
    Address,
    BrandingTheme,
    Contact,
    Currency,
    Item,
    ItemSide,
    Organisation,
    PaymentMethod,
    Phone,
    Preferences,
    TaxAgency,
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
    "Advance",
    "Allocation",
    "BankTransaction",
    "BankTransfer",
    "BrandingTheme",
    "Contact",
    "ContactRef",
    "Currency",
    "Direction",
    "Document",
    "DocumentKind",
    "Item",
    "ItemSide",
    "JSONObject",
    "Journal",
    "JournalLine",
    "Line",
    "Organisation",
    "Payment",
    "PaymentMethod",
    "Phone",
    "Preferences",
    "TaxAgency",
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
