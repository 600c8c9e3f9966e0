"""Items: what is bought or sold by name.

https://developer.xero.com/documentation/api/accounting/items — a line names an item by its `Code`. Items have no
status: one that was deleted is not listed any more.
"""

from __future__ import annotations

from tieline.canonical import Item, ItemSide
from tieline_xero.mapping.lists import is_active
from tieline_xero.wire import Entry, amount, flag, guid, part, text


def item(id: str, entry: Entry) -> Item:
    status = text(entry, "Status")
    return Item(
        id=id,
        code=text(entry, "Code"),
        name=text(entry, "Name"),
        type=None,
        sale=_side(entry, "IsSold", "Description", "SalesDetails"),
        purchase=_side(entry, "IsPurchased", "PurchaseDescription", "PurchaseDetails"),
        is_tracked=flag(entry, "IsTrackedAsInventory"),
        quantity=amount(entry, "QuantityOnHand"),
        stock_account_id=None,
        stock_account_code=text(entry, "InventoryAssetAccountCode"),
        parent_id=None,
        status=status,
        active=is_active(status),
    )


def _side(entry: Entry, wanted: str, description: str, details: str) -> ItemSide | None:
    """None where Xero says that it is not sold, or not bought."""
    found = part(entry, details) or {}
    if entry.get(wanted) is False:
        return None
    return ItemSide(
        description=text(entry, description),
        unit_price=amount(found, "UnitPrice"),
        account_id=guid(found, "AccountID"),
        account_code=text(found, "AccountCode") or text(found, "COGSAccountCode"),
        tax_code=text(found, "TaxType"),
    )
