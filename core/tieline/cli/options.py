"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from tieline.principal import Permission

PracticeOption = Annotated[str, typer.Option("--practice", help="The practice's name or id.")]
PermissionsOption = Annotated[
    list[Permission] | None, typer.Option("--permission", help="Repeat for several; admins hold all.")
]
