"""What the story is told with: two people at the API, the sandbox, and a console with a line for each thing seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from tieline.cli.story.api import Api
from tieline.cli.story.provider import Sandbox

_TITLE = 15


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`api` is the practice admin's, `colleague` another member's; `return_url` is where a front end would be.

    `sweep` looks at all of the admin's consents now.
    """

    api: Api
    colleague: Api
    sandbox: Sandbox
    console: Console
    return_url: str
    sweep: Callable[[], None]

    def say(self, number: int, title: str, text: str) -> None:
        """What a chapter begins with."""
        self.console.print(f"[bold]{number}  {title.ljust(_TITLE)}[/]{escape(text)}", soft_wrap=True)

    def more(self, text: str) -> None:
        self.console.print(f"   {' ' * _TITLE}{escape(text)}", soft_wrap=True)
