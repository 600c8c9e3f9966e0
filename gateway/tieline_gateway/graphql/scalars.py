"""Scalars that say more, or say it more exactly, than the library's own."""

from __future__ import annotations

from decimal import Decimal

import strawberry
from strawberry.types.scalar import ScalarDefinition


def _digits(value: Decimal) -> str:
    return f"{value:f}"


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact number as text, every digit of it and never an exponent: "1200.5". '
        "Do not read it as a floating-point number.",
        serialize=_digits,
        parse_value=Decimal,
    )
}
