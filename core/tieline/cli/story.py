"""What `tieline up` shows: the list of clients as the API answers it, and how to go on from there."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tieline.cli.children import Family
from tieline.cli.demo import Demo
from tieline.errors import StartRefused

READY_SECONDS = 45.0
_SHOWN = 12
QUERY = """query Clients($first: Int!, $search: String) {
  viewer { practice { name plan } person { name } }
  clients(first: $first, search: $search) {
    totalCount
    nodes { id name practiceCode }
    pageInfo { hasNextPage endCursor }
  }
}"""


def wait_until_ready(url: str, family: Family) -> None:
    """Wait for `/readyz`. Raises StartRefused with a child's last words when one of them ended."""
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(f"{url}/readyz"):
        for child in family.children:
            if not child.alive():
                raise StartRefused(f"'tieline {child.name}' ended: {child.last_words()} (see {child.log}).")
        if time.monotonic() > deadline:
            raise StartRefused(f"The gateway was not ready after {READY_SECONDS:.0f} seconds.")
        time.sleep(0.05)


def tell(console: Console, url: str, demo: Demo) -> int:
    """Ask the API as a front end would and show its answer; 0 when it is what the demo should be, else 1."""
    answer = ask(url, demo.key, QUERY, {"first": _SHOWN})
    if "errors" in answer or not answer["data"]["clients"]["totalCount"]:
        console.print_json(json.dumps(answer))
        return 1
    viewer, page = answer["data"]["viewer"], answer["data"]["clients"]
    console.print(
        f"\n[bold]{viewer['practice']['name']}[/]: {page['totalCount']} clients, as the API lists them"
    )
    table = Table()
    table.add_column("Code")
    table.add_column("Client")
    for node in page["nodes"]:
        table.add_row(node["practiceCode"], node["name"])
    if page["pageInfo"]["hasNextPage"]:
        table.add_row("…", f"and {page['totalCount'] - len(page['nodes'])} more")
    console.print(table)
    return 0


def show_help(console: Console, url: str, demo: Demo, *, data: Path) -> None:
    body = json.dumps({"query": "{ clients(first: 5) { totalCount nodes { id name } } }"})
    console.print(f"\n[bold]API[/]       {url}/graphql (POST, and graphql-transport-ws)")
    console.print(f"[bold]Health[/]    {url}/readyz   {url}/metrics")
    console.print(f"[bold]Demo key[/]  {demo.key}", soft_wrap=True)
    console.print("\nTry it:", style="bold")
    console.print(
        f"curl -s {url}/graphql -H 'Authorization: Bearer {demo.key}' "
        f"-H 'Content-Type: application/json' -d '{body}'",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
    console.print("\nOther commands, in another shell:", style="bold")
    console.print(
        f"set -a; . {data / 'environment'}; set +a; {_tieline()} doctor",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
    console.print(f"\nLogs are in {data / 'logs'}. Ctrl-C stops everything.", style="dim")


def _tieline() -> str:
    """How this very program is called from anywhere."""
    program = Path(sys.argv[0]).resolve()
    return str(program) if program.name == "tieline" else f"{sys.executable} -m tieline"


def ask(url: str, key: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """POST a GraphQL query; the answer's JSON."""
    request = urllib.request.Request(  # noqa: S310 - our own gateway
        f"{url}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=15) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
    return answer


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own gateway
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP's word for fine
    except (urllib.error.URLError, OSError):
        return False
