"""What a practice may settle about a connection to Xero.

What is read is switched here; what documents are published as is kept until there is publishing.
https://developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

from tieline.plugins import ConnectionSetting, Product, SettingChoice, SettingKind

SETTINGS = (
    ConnectionSetting(
        name="read_items",
        kind=SettingKind.SWITCH,
        label="Read items",
        meaning="Whether the list of products and services is read; each reading of it costs a call.",
        products=(Product.BOOKKEEPING, Product.DATA_HEALTH),
        default="true",
        feeds=("items",),
    ),
    ConnectionSetting(
        name="read_journals",
        kind=SettingKind.SWITCH,
        label="Read manual journals",
        meaning="Whether manual journals are read; of some organisations these are more calls than all else.",
        products=(Product.DATA_HEALTH,),
        default="true",
        feeds=("journals",),
    ),
    ConnectionSetting(
        name="bill_status",
        kind=SettingKind.CHOICE,
        label="Publish bills as",
        meaning="How far a published bill is along at Xero, once bills are published.",
        products=(Product.BOOKKEEPING,),
        default="DRAFT",
        choices=(
            SettingChoice(value="DRAFT", label="Drafts"),
            SettingChoice(value="SUBMITTED", label="Awaiting approval"),
            SettingChoice(value="AUTHORISED", label="Awaiting payment"),
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
