"""Goods and services by name.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/item
"""

from __future__ import annotations

from tieline.canonical import Item, ItemSide
from tieline_quickbooks.wire import Entry, amount, flag, is_active, ref, text


def item(id: str, entry: Entry) -> Item:
    """A category is an item, too, and neither sold nor bought."""
    return Item(
        id=id,
        code=text(entry, "Sku"),
        name=text(entry, "FullyQualifiedName") or text(entry, "Name"),
        type=text(entry, "Type"),
        sale=_side(entry, "Description", "UnitPrice", "SalesTaxCodeRef", ("IncomeAccountRef",)),
        purchase=_side(
            entry,
            "PurchaseDesc",
            "PurchaseCost",
            "PurchaseTaxCodeRef",
            ("ExpenseAccountRef", "COGSAccountRef"),
        ),
        is_tracked=flag(entry, "TrackQtyOnHand"),
        quantity=amount(entry, "QtyOnHand"),
        stock_account_id=ref(entry, "AssetAccountRef"),
        stock_account_code=None,
        parent_id=ref(entry, "ParentRef"),
        status=text(entry, "status"),
        active=is_active(entry),
    )


def _side(entry: Entry, words: str, price: str, tax: str, accounts: tuple[str, ...]) -> ItemSide | None:
    """A price of nothing stands on every item; an account, or a price, says that there is this side."""
    account = next((found for field in accounts if (found := ref(entry, field))), None)
    unit = amount(entry, price)
    if account is None and not unit:
        return None
    return ItemSide(
        description=text(entry, words),
        unit_price=unit,
        account_id=account,
        account_code=None,
        tax_code=ref(entry, tax),
    )
