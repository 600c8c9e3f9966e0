"""What a practice may settle about a connection, as its provider declares it."""

from __future__ import annotations

import strawberry

from tieline.plugins import ConnectionSetting as Declared
from tieline.plugins import Product, SettingChoice, SettingKind

strawberry.enum(Product, description="What a practice uses a connection for.")
strawberry.enum(
    SettingKind,
    name="ConnectionSettingKind",
    description="What the values of a setting are: SWITCH true or false, CHOICE one of a few words, RECORD the "
    "externalId of a record of the organisation's books.",
)


@strawberry.type(description="One of the words that a CHOICE takes.")
class ConnectionSettingChoice:
    value: str = strawberry.field(description="What to send.")
    label: str = strawberry.field(description="What people read, in English.")

    @classmethod
    def of(cls, choice: SettingChoice) -> ConnectionSettingChoice:
        return cls(value=choice.value, label=choice.label)


@strawberry.type(description="Something that a practice may settle about a connection.")
class ConnectionSetting:
    name: str = strawberry.field(description="What `updateSettings` calls it.")
    kind: SettingKind
    label: str = strawberry.field(description="Its name for people, in English.")
    meaning: str = strawberry.field(description="A sentence for people, in English.")
    default: str | None = strawberry.field(
        description="Its value until somebody settles it; null for a RECORD, which names none until then."
    )
    choices: list[ConnectionSettingChoice] = strawberry.field(description="Of a CHOICE; else none.")
    dataset: str | None = strawberry.field(
        description="Of a RECORD: the list whose records it names, such as accounts or tax_rates."
    )
    products: list[Product] = strawberry.field(description="Connections of these products have it.")

    @classmethod
    def of(cls, setting: Declared) -> ConnectionSetting:
        return cls(
            name=setting.name,
            kind=setting.kind,
            label=setting.label,
            meaning=setting.meaning,
            default=setting.default,
            choices=[ConnectionSettingChoice.of(choice) for choice in setting.choices],
            dataset=setting.dataset,
            products=list(setting.products),
        )
