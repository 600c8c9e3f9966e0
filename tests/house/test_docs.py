"""The documents say what the code does: settings, errors, metrics, commands, limits, links."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pytest
import typer.main
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import tieline
import tieline_gateway
from tieline import cli, pages
from tieline.clients import service as clients
from tieline.errors import TielineError
from tieline.identity import tokens
from tieline.metrics import REGISTRY
from tieline.rates import Rate
from tieline.settings import Settings
from tieline_gateway import addresses, connections
from tieline_gateway.graphql.schema import print_schema
from tieline_gateway.graphql.user_errors import UserErrorCode
from tieline_gateway.metrics import Metrics
from tieline_gateway.routes import oauth, webhooks
from tieline_gateway.settings import GatewaySettings
from tieline_gateway.transport import (
    Limits,
    aside,
    documents,
    endpoint,
    errors,
    frames,
    http,
    incoming,
    sockets,
)
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CURRENT = [page for page in DOCS if page.name != "CHANGELOG.md"]  # that one also tells of what is gone

OTHER_VARIABLES = {
    "TIELINE_DATA",
    "TIELINE_REFRESH_CATALOG",
    "TIELINE_REFRESH_PERMISSIONS",
}  # of `up`, and of tests

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_CODE = re.compile(r"[A-Z][A-Z_]{4,}")
_CALL = re.compile(r"(?:^|\$\(|&& )(?:[A-Z_]+=\S+ )*(?:\S*/bin/)?(tieline [^)]+)")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", DOCS, ids=named)
every_current_page = pytest.mark.parametrize("page", CURRENT, ids=named)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, also of headers and rules."""
    return [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(text)]


def first_cells(text: str, form: str) -> list[str]:
    """What stands as code in the first cell of a row and has this form."""
    cells = [row[0] for row in rows(text)]
    return [cell.strip("`") for cell in cells if re.fullmatch(f"`{form}`", cell)]


def code_of(page: Path) -> Iterator[str]:
    """Every line of the page's blocks of code, continued lines joined, and every span of code."""
    text = page.read_text()
    for block in _FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from _SPAN.findall(_FENCE.sub("", text))


def default_of(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    shown = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    return f"`{shown}`" if shown else "empty"


def values_of(field: FieldInfo) -> str:
    """What a setting may be, where the code bounds it."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    least = most = ""
    for bound in field.metadata:
        least = f"{bound.ge}" if hasattr(bound, "ge") else least
        least = f"above {bound.gt}" if hasattr(bound, "gt") else least
        most = f" to {bound.le}" if hasattr(bound, "le") else most
    return least + most


def row_of(name: str, field: FieldInfo) -> list[str]:
    return [f"`TIELINE_{name.upper()}`", default_of(field), values_of(field), field.description or ""]


def rows_of_plugins() -> list[list[str]]:
    """The rows of what Tieline's own plugins declare."""
    return [
        [f"`{each.variable(info.slug)}`", f"`{each.default}`".lower(), each.values, each.meaning]
        for info in (QuickBooks().info, Xero().info)
        for each in info.settings
    ]


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__") and ".migrations." not in found.name:
            yield importlib.import_module(found.name)


def kinds_of(error: type[TielineError]) -> set[type[TielineError]]:
    return {error}.union(*(kinds_of(kind) for kind in error.__subclasses__()))


def codes_of_core() -> set[str]:
    for package in (tieline, tieline_gateway):
        assert list(modules(package))
    return {kind.code for kind in kinds_of(TielineError) if kind.__module__.startswith("tieline")}


def codes_of_transport() -> set[str]:
    """The words in capitals that the transport's modules hold as strings."""
    folder = Path(str(errors.__file__)).parent
    trees = [ast.parse(file.read_text()) for file in folder.glob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and _CODE.fullmatch(text)}


@cache
def command_line() -> Any:
    """Typer's tree of commands; it publishes no type for it."""
    return typer.main.get_command(cli.build())


def misspelt(line: str) -> str | None:
    """What of a line that calls `tieline` does not exist, or None."""
    words = shlex.split(line, comments=True)
    command, spoken = command_line(), "tieline"
    while (children := getattr(command, "commands", None)) and words[1:] and words[1] != "--help":
        spoken = f"{spoken} {words.pop(1)}"
        command = children.get(spoken.rpartition(" ")[2])
        if command is None:
            return spoken
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    given = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
    return f"{spoken} {min(given - known)}" if given - known else None


def anchors(page: Path) -> set[str]:
    """How a page's headings are linked to."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


def test_every_setting_stands_in_the_table_as_the_code_has_it() -> None:
    fields = {**Settings.model_fields, **GatewaySettings.model_fields}

    table = [row for row in rows(read("docs/settings.md")) if row[0].startswith("`TIELINE_")]

    expected = [row_of(name, field) for name, field in fields.items()] + rows_of_plugins()
    said = [row for row in table if row[0] != "`TIELINE_DATA`"]
    assert said == expected, "docs/settings.md should hold:\n" + "\n".join(
        f"| {' | '.join(row)} |" for row in expected
    )


@every_current_page
def test_every_variable_that_a_page_names_is_one_that_the_code_reads(page: Path) -> None:
    fields = {**Settings.model_fields, **GatewaySettings.model_fields}
    known = {f"TIELINE_{name.upper()}" for name in fields} | OTHER_VARIABLES
    known |= {row[0].strip("`") for row in rows_of_plugins()}

    mentioned = set(re.findall(r"\bTIELINE_[A-Z]+(?:_[A-Z]+)*\b", page.read_text()))

    assert mentioned - known == set()


@pytest.mark.parametrize("variable", sorted(OTHER_VARIABLES))
def test_a_variable_beside_the_settings_is_read_somewhere(variable: str) -> None:
    sources = [*ROOT.glob("core/**/*.py"), *ROOT.glob("tests/**/*.py")]

    assert any(variable in file.read_text() for file in sources if file != Path(__file__))


def test_every_error_code_stands_in_the_page_of_errors_once_and_no_other() -> None:
    said = first_cells(read("docs/errors.md"), "[A-Z_]+")

    codes = codes_of_core() | codes_of_transport() | {code.value for code in UserErrorCode}
    assert set(said) == codes


def test_the_codes_that_mutations_answer_with_have_a_table_of_their_own() -> None:
    section = read("docs/errors.md").partition("## Refusals of mutations")[2].partition("\n## ")[0]

    assert first_cells(section, "[A-Z_]+") == [code.value for code in UserErrorCode]


def test_every_close_code_of_sockets_stands_in_the_page_of_errors() -> None:
    said = first_cells(read("docs/errors.md"), r"\d{4}")

    trees = [ast.parse(Path(str(module.__file__)).read_text()) for module in (sockets, frames)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args]
    sent = {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "close"
        and isinstance(call.args[0], ast.Constant)
    }
    assert sorted(said) == sorted(re.findall(r"\b[14]\d{3}\b", sockets.__doc__ or ""))
    assert sent <= set(said)


def test_every_metric_stands_in_the_page_of_operations_and_no_other() -> None:
    section = read("docs/operations.md").partition("\n## Metrics\n")[2].partition("\n## ")[0]
    said = first_cells(section, "tieline_[a-z_]+")

    families = [REGISTRY.collect(), Metrics().registry.collect()]
    assert said == [
        family.name + ("_total" if family.type == "counter" else "")
        for family in chain.from_iterable(families)
        if not family.name.endswith("_created")
    ]


def test_alerts_are_made_of_metrics_that_there_are() -> None:
    section = read("docs/operations.md").partition("\n## Alerts worth having\n")[2].partition("\n## ")[0]
    named_there = set(re.findall(r"\btieline_[a-z_]+", section))

    families = chain(REGISTRY.collect(), Metrics().registry.collect())
    known = {family.name: family.type for family in families}
    endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    samples = {name + ending for name, kind in known.items() for ending in endings[kind]}
    assert len(named_there) >= 6
    assert named_there - samples == set()


def test_the_limits_in_the_page_for_front_ends_are_the_codes() -> None:
    limits, in_development = Limits(), Limits().for_development()
    gateway = GatewaySettings.model_construct()

    def at_once(path: str) -> str:
        return flows(addresses.GUARDS[path].rate)

    def flows(rate: Rate) -> str:
        return f"{rate.per_second:g} a second, {rate.burst:g} at once"

    table = rows(read("docs/frontends.md").partition("\n## Limits\n")[2])
    said = {what: limit for what, limit, _ in table[2:]}

    assert said == {
        "A request body": f"{http.MAX_BODY_BYTES:,} bytes",
        "The time a body may take to arrive": f"{http.BODY_SECONDS:g} s",
        "A frame of a socket": f"{frames.MAX_FRAME_BYTES:,} bytes",
        "Frames that one socket sends": f"{frames.FRAMES.per_second:g} a second, {frames.FRAMES.burst:,} at once; "
        f"one more for each {frames.BYTES_A_FRAME:,} bytes",
        "Characters of a frame before `connection_ack`": f"{incoming.LONG:,}",
        "Long bodies, frames and documents of one caller that wait to be read": f"{aside.MOST_OF_ONE:,}",
        "Values in one body or frame": f"{incoming.MAX_JSON_VALUES:,}",
        "Values in the variables of one operation": f"{incoming.MAX_VARIABLE_VALUES:,}",
        "Digits of a whole number in one body or frame": f"{incoming.MAX_DIGITS:,}",
        "Levels of JSON in one body or frame": f"{incoming.MAX_JSON_DEPTH:,}",
        "Levels of fields": f"{limits.max_depth:,} ({in_development.max_depth:,} in development)",
        "Fields": f"{limits.max_fields:,} ({in_development.max_fields:,} in development)",
        "Aliases": f"{limits.max_aliases:,}",
        "Directives": f"{limits.max_directives:,}",
        "Operations of a document": f"{limits.max_operations:,}",
        "Comparisons": f"{limits.max_comparisons:,}",
        "Uses of variables by all operations of a document": f"{limits.max_uses:,}",
        "Values in the lists and objects of a document": f"{limits.max_values:,}",
        "Tokens": f"{limits.max_tokens:,}",
        "Cost": f"{limits.max_cost:,}",
        "Cost of all that one caller asks": f"{gateway.rate_cost:,.0f} a second, {gateway.rate_burst:,.0f} at once",
        "Wrong tokens from one address, each counted once": at_once(addresses.GRAPHQL_LABEL),
        "Requests and sockets with the same wrong token": at_once(addresses.GRAPHQL_LABEL),
        "Sign-ins that begin, or go on, from one address": flows(addresses.SIGN_INS.rate),
        "Consents that come back to one address": at_once(oauth.CALLBACK_LABEL),
        "Deliveries to one webhook that are refused": at_once(webhooks.WEBHOOK_LABEL),
        "Webhooks that are not there, called from one address, each counted once": at_once(
            webhooks.WEBHOOK_LABEL
        ),
        "Sockets of one caller in one process": f"{gateway.sockets_per_caller:,}",
        "Connections of one process, requests and sockets together": f"{connections._MOST:,}",
        "The time a query or mutation may take": f"{endpoint.OPERATION_SECONDS:g} s",
        "Operations under way on one socket": f"{sockets.MAX_OPERATIONS:,}",
        "The time until `connection_init`": f"{sockets.INIT_SECONDS:g} s",
        "Rows a page": f"{pages.MAX_PAGE:,} ({pages.DEFAULT_PAGE:,} when not said)",
        "Characters of a search": f"{clients._SEARCH_LENGTH:,}",
        "Words of a search": f"{clients._SEARCH_WORDS:,}",
        "Providers or teams of a filter": f"{pages.MAX_FILTER:,}",
        "Errors about one document": f"{documents.MAX_ERRORS:,}",
        "Characters of an error's message": f"{errors.MAX_MESSAGE_CHARS:,}",
        "The time until a request's head is there": f"{connections.HEAD_SECONDS:g} s",
        "A request's head": f"{connections.MAX_HEAD_BYTES:,} bytes",
        "Characters of a token": f"{tokens.MAX_TOKEN_CHARS:,}",
        "The time a reader of a socket may take nothing": f"{connections.STALLED_SECONDS:g} s",
    }
    assert limits.max_page == pages.MAX_PAGE


@every_current_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([.\w/-]+):(?!=)", read("Makefile"), re.MULTILINE)) - {".PHONY"}

    calls = [line.split() for line in code_of(page)]
    called = [words[words.index("make") + 1 :] for words in calls if "make" in words]
    named_ones = {word for words in called for word in words[:1] if "=" not in word}

    assert named_ones - targets == set()


@every_current_page
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    calls = [call for line in code_of(page) for call in _CALL.findall(line)]

    assert [wrong for call in calls if (wrong := misspelt(call))] == []


def test_a_command_or_option_that_does_not_exist_would_be_found() -> None:
    assert misspelt("tieline practice destroy x") == "tieline practice destroy"
    assert misspelt("tieline up --twice") == "tieline up --twice"
    assert misspelt("tieline worker --queues=interactive") is None


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(_FENCE.sub("", page.read_text())) if "://" not in link]

    broken = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/decisions/*.md")), ids=named)
def test_a_decision_says_its_context_and_consequences_and_is_linked(page: Path) -> None:
    headings = _HEADING.findall(page.read_text())

    assert headings[1:] == ["Context", "Decision", "Consequences"]
    assert f"(decisions/{page.name})" in read("docs/architecture.md")


def test_the_schema_in_the_repository_is_the_codes() -> None:
    assert read("schema.graphql") == print_schema()
