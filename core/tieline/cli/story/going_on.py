"""How to go on from the story: addresses, the key, queries to paste, other commands."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tieline.cli.story.cast import YOU

_QUERY = (
    "{ connectionBoard(product: DATA_HEALTH, first: 5) { counts { connected mismatch expired } "
    "nodes { client { name } statuses remedy } } }"
)
_SIGN_IN = (
    'mutation {{ startSignIn(input: {{provider: "{provider}", purpose: BULK_CONNECT, products: [DATA_HEALTH], '
    'returnUrl: "{return_url}"}}) {{ signIn {{ id }} authorizationUrl errors {{ message }} }} }}'
)


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """What a person needs to go on; `sandbox` is None where there is none."""

    data: Path
    api: str
    key: str
    sandbox: str | None
    return_url: str


def show_how_to_go_on(console: Console, place: Whereabouts) -> None:
    known = {
        "API": f"{place.api}/graphql (POST, and graphql-transport-ws)",
        "Demo key": place.key,
        "Health": f"{place.api}/readyz   {place.api}/metrics",
        "Sandbox": place.sandbox,
        "Logs": str(place.data / "logs"),
    }
    console.print()
    for name, value in known.items():
        if value is not None:
            console.print(f"[bold]{name:<10}[/]{value}", soft_wrap=True)
    _paste(console, "Ask for the board:", _curl(place, _QUERY))
    if place.sandbox is not None:
        _show_how_to_sign_in(console, place)
    environment = place.data / "environment"
    _paste(
        console, "Other commands, in another shell:", f"set -a; . {environment}; set +a; {_tieline()} doctor"
    )
    console.print("\nCtrl-C stops everything; the data stays.", style="dim")


def _show_how_to_sign_in(console: Console, place: Whereabouts) -> None:
    console.print(
        f"\n[bold]Sign in by hand, as {YOU[0].name} ({YOU[0].email}, no password): open the authorizationUrl that this "
        "answers. Where a front end would be, the address has the proof for completeSignIn:[/]",
        soft_wrap=True,
    )
    for person in YOU:
        query = _SIGN_IN.format(provider=person.at.slug, return_url=place.return_url)
        console.print(f"[dim]# {person.at.name}[/]")
        console.print(_curl(place, query), soft_wrap=True, markup=False)


def _paste(console: Console, what_for: str, command: str) -> None:
    console.print(f"\n[bold]{what_for}[/]", soft_wrap=True)
    console.print(command, soft_wrap=True, markup=False)


def _curl(place: Whereabouts, query: str) -> str:
    body = json.dumps({"query": query})
    return (
        f"curl -s {place.api}/graphql -H 'Authorization: Bearer {place.key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _tieline() -> str:
    """How this very program is called from anywhere."""
    program = Path(sys.argv[0]).resolve()
    return str(program) if program.name == "tieline" else f"{sys.executable} -m tieline"
