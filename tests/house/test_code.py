"""The rules of the house that a reader of the source can check: what stands where, and how long it is.

A rule with exceptions keeps them here, each with its reason; an exception that is none any more fails, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from tests.support.catalog import COMMITTED
from tests.support.source import ROOT, Module, body_lines, everything, packages

SQL_ELSEWHERE = {
    "core/tieline/events/place.py": "where the feed stands, which every page of data tells in its own statement",
    "core/tieline/visibility.py": "the one condition that every query of what a caller may see is made with",
    "core/tieline/embedded/postgres.py": "makes the login and the database of the embedded server, above any of ours",
    "plugins/quickbooks/tieline_quickbooks/asking.py": "Intuit's query language looks like it",
}
REAL_TIME_IN_SQL = {
    "core/tieline/database/connect.py": "for how long a transaction is open, for the operator to read",
    "core/tieline/sign_ins/rounds/repository.py": "the claim of a code is liveness: two callbacks exchange it once",
    "core/tieline/sign_ins/checks/repository.py": "the lease of a check is liveness: one at a time renews what waits",
    "core/tieline/credentials/giving_back/repository.py": "who gives back and dies keeps nobody out for ever",
    "core/tieline/credentials/repository.py": "the lease of a refresh is liveness: one process at a time refreshes",
    "core/tieline/work/repository.py": "leases and rings are liveness: the database's real clock, shared by all",
    "core/tieline/database/migration.py": "when a migration was applied, for the operator to read",
    "core/tieline/diagnosis/repository.py": "the doctor compares the database's real clock with this machine's",
}
SYSTEM_SCOPE = {
    "core/tieline/sign_ins/returns.py": "the state that a browser brings back says which practice's sign-in it is",
    "core/tieline/webhooks/service.py": "the address that a webhook came to says which practice's app it is",
    "core/tieline/credentials/rotation/service.py": "seals every secret of the deployment anew",
    "core/tieline/identity/bearer.py": "a key or a subject says which practice is asking",
    "core/tieline/identity/standing.py": "asks whether those who are connected, of all practices, may stay",
    "core/tieline/practices/invitations/accepting.py": "the token of an invitation says which practice it is to",
    "core/tieline/practices/keys.py": "the operator's command line finds a key by its id",
    "core/tieline/practices/service.py": "the operator's command line finds a practice by its name",
    "core/tieline/readiness.py": "the figures of all jobs, for the operator",
    "core/tieline/diagnosis/access.py": "the doctor counts apps, seals and connections of all practices",
    "core/tieline/diagnosis/work.py": "the doctor counts syncs that are late, whoever's they are",
    "core/tieline/diagnosis/restored/service.py": "a whole database came out of a backup, with all practices",
    "core/tieline/work/unit.py": "defines system_work, and proves in a job's last act that the claim is held",
    "core/tieline/worker/outcomes.py": "writes down how jobs ended",
    "core/tieline/worker/runner.py": "claims jobs and renews their leases",
    "core/tieline/worker/scheduler.py": "looks for jobs that are due, whoever's they are",
    "core/tieline/worker/roster.py": "queues the jobs that recur for the whole deployment",
    "core/tieline/sync/scheduling.py": "looks for organisations that are due, whoever's they are",
    "core/tieline/events/actors.py": "sweeps old events of all practices",
    "core/tieline/sweeps/rounds.py": "looks for what time has run out for, and forgets what is old, in all practices",
    "core/tieline/connections/actors.py": "sweeps organisations of all practices that nobody reaches any more",
}
_SQL_HOMES = ("core/tieline/database/", "core/tieline/migrations/")
_CALENDAR = re.compile(
    r"\b(now|transaction_timestamp|statement_timestamp|timeofday)\s*\(|\b(current_(timestamp|date|time)|localtime(stamp)?)\b"
    r"|'(now|today|tomorrow|yesterday)'",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def test_every_module_opens_with_a_sentence() -> None:
    silent = [module.name for module in everything() if module.text.strip() and not _opens(module)]

    assert silent == []


def test_files_stay_small() -> None:
    lengths = {module.name: module.lines for module in everything()}

    assert {name: lines for name, lines in lengths.items() if lines > 500} == {}
    assert _share(lengths.values(), at_most=300) >= 0.9


def test_functions_stay_small() -> None:
    for modules in (packages(), everything()):
        lengths = {
            f"{module.name}:{function.lineno}": body_lines(function)
            for module in modules
            for function in module.functions()
        }

        assert {place: lines for place, lines in lengths.items() if lines > 60} == {}
        assert _share(lengths.values(), at_most=25) >= 0.9


def test_queries_are_written_in_repositories_of_the_core() -> None:
    elsewhere = {module.name: module.sql() for module in packages() if not _is_home_of_sql(module.name)}

    found = {name for name, lines in elsewhere.items() if lines}
    places = [f"{name}:{line}" for name in sorted(found - set(SQL_ELSEWHERE)) for line in elsewhere[name]]
    assert not places, f"Queries belong into a repository.py of the core: {', '.join(places)}."
    assert found == set(SQL_ELSEWHERE), "SQL_ELSEWHERE names a file that holds none."


def test_sql_gets_calendar_time_as_a_parameter_and_reads_real_time_for_liveness_only() -> None:
    calendar = [
        f"{module.name}:{node.lineno}"
        for module in packages()
        for node in module.strings()
        if _CALENDAR.search(str(node.value)) and " " in str(node.value)
    ]

    assert calendar == []
    assert _CALENDAR.findall(COMMITTED.read_text()) == []
    assert _holding("clock_timestamp") == set(REAL_TIME_IN_SQL)


def test_those_who_look_past_the_practices_are_few_and_named() -> None:
    callers = _calling("system_scope", "system_work", "as_system")

    assert callers == set(SYSTEM_SCOPE), "SYSTEM_SCOPE lists who may, with a reason each."


def test_only_the_database_package_opens_the_orm_and_the_global_fallback_is_in_one_place() -> None:
    opening = _where(lambda called: called == "Tortoise.init")
    fallback = sum(module.text.count("_enable_global_fallback") for module in packages())

    assert opening == {"core/tieline/database/connect.py", "core/tieline/database/migrate.py"}
    assert fallback == 1
    assert _calling("generate_schemas") == set()


def test_rows_of_the_orm_do_not_leave_the_core() -> None:
    outside = [module for module in packages() if not module.name.startswith("core/")]

    assert [
        module.name
        for module in outside
        if re.search(r"^\s*from tieline\.\w+\.models ", module.text, re.MULTILINE)
    ] == []


def test_nothing_is_printed_and_nothing_left_unfinished() -> None:
    this = PurePosixPath(__file__).relative_to(ROOT).as_posix()

    assert _where(lambda called: called == "print") == set()
    assert [
        module.name for module in everything() if module.name != this and _UNFINISHED.search(module.text)
    ] == []


def _opens(module: Module) -> bool:
    sentence = (ast.get_docstring(module.tree) or "").split("\n\n")[0].rstrip()
    return sentence.endswith((".", ":")) and len(sentence.split()) >= 3


def _share(lengths: Iterable[int], *, at_most: int) -> float:
    listed = list(lengths)
    return sum(length <= at_most for length in listed) / len(listed)


def _is_home_of_sql(name: str) -> bool:
    return (
        name.startswith(_SQL_HOMES) or re.fullmatch(r"core/tieline/(\w+/)+repository\.py", name) is not None
    )


def _holding(text: str) -> set[str]:
    return {module.name for module in packages() if any(text in str(node.value) for node in module.strings())}


def _calling(*names: str) -> set[str]:
    return _where(lambda called: called.rpartition(".")[2] in names)


def _where(matches: Callable[[str], bool]) -> set[str]:
    return {module.name for module in packages() if any(matches(called) for _, called in module.calls())}
