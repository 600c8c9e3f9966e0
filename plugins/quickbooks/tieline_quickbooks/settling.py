"""What a practice may settle about a connection to a company at QuickBooks Online.

What is read is switched here; what documents are published as is kept until there is publishing.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/bill
"""

from __future__ import annotations

from tieline.plugins import ConnectionSetting, Product, SettingChoice, SettingKind
from tieline_quickbooks.feeds import TAX_RATES

SETTINGS = (
    ConnectionSetting(
        name="read_tax_rates",
        kind=SettingKind.SWITCH,
        label="Read tax rates",
        meaning="Whether tax rates and agencies are read; companies that charge no tax need neither.",
        products=(Product.BOOKKEEPING, Product.DATA_HEALTH),
        default="true",
        feeds=(TAX_RATES.name,),
    ),
    ConnectionSetting(
        name="bill_amounts",
        kind=SettingKind.CHOICE,
        label="Amounts of bills",
        meaning="Whether the lines of a published bill hold the tax, once bills are published.",
        products=(Product.BOOKKEEPING,),
        default="TaxExcluded",
        choices=(
            SettingChoice(value="TaxExcluded", label="Without tax"),
            SettingChoice(value="TaxInclusive", label="With tax"),
            SettingChoice(value="NotApplicable", label="No tax at all"),
        ),
    ),
    ConnectionSetting(
        name="purchase_account",
        kind=SettingKind.RECORD,
        label="Account of purchases",
        meaning="What a published bill is entered to where nothing else says, once bills are published.",
        products=(Product.BOOKKEEPING,),
        dataset="accounts",
    ),
)
