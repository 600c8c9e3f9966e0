"""The command line: `tieline`, its commands gathered through the entry-point group `tieline.commands`."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer

from tieline.errors import TielineError

GROUP = "tieline.commands"


def build() -> typer.Typer:
    """The command line with what every installed distribution adds to it."""
    app = typer.Typer(
        name="tieline",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Connects an accounting practice to all of its clients' ledgers.",
    )
    for entry in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        entry.load()(app)
    return app


def main() -> None:
    """Run a command; what is refused is one sentence on standard error and exit code 1."""
    try:
        build()()
    except TielineError as refused:
        sys.exit(f"tieline: {refused}")
