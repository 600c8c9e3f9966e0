"""Commands of `tieline` as processes that are forked from one in which its code is loaded already.

Loading takes seconds of a core, and tests start hundreds of commands. Such a process is like one that
`python -m tieline` starts, but for the command line that the process list shows.
"""

from __future__ import annotations

import atexit
import math
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from threading import Lock

from tieline.cli import main

_LOADED = (
    "anyio._backends._asyncio",
    "tests.support.forked",
    "tieline_gateway.commands",
    "tieline_gateway.graphql.schema",
    "tieline_gateway.serve",
    "tieline_quickbooks",
    "tieline_xero",
    "tieline.diagnosis.service",
    "tieline.sync.models",
    "tieline.worker.process",
    "tests.support.frozen",
)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_PAUSE_SECONDS = 0.01
_one_at_a_time = Lock()  # the library reads an exit code once, and starting a process looks at all others

_context = get_context("forkserver")
_context.set_forkserver_preload(list(_LOADED))


class Forked(subprocess.Popen[bytes]):
    """Held, asked and struck like any process that a test has started.

    `prepare`, a function of a module, is called in it before the command is.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        said: Path,
        output: Path,
        errors: Path,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self.args = list(arguments)
        self.returncode = None
        self.stdin = self.stdout = self.stderr = None
        self._process = _context.Process(
            target=_become,
            args=(self.args, dict(environment), str(said), str(output), str(errors), prepare),
            daemon=True,
        )
        with _one_at_a_time:
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with _one_at_a_time:
            if self.returncode is None:
                self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + timeout if timeout is not None else math.inf
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(_PAUSE_SECONDS)
        return code


def run_forked(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    said: bytes = b"",
    seconds: float,
    prepare: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with this on its standard input."""
    with tempfile.TemporaryDirectory(prefix="tieline-command-") as name:
        given, output, errors = (Path(name) / part for part in ("given", "output", "errors"))
        given.write_bytes(said)
        process = Forked(arguments, environment, said=given, output=output, errors=errors, prepare=prepare)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, code, output.read_text(), errors.read_text())


def _become(
    arguments: list[str],
    environment: dict[str, str],
    said: str,
    output: str,
    errors: str,
    prepare: Callable[[], None] | None,
) -> None:
    """What a fresh interpreter does with a command."""
    os.setsid()
    for number, path, flags in ((0, said, os.O_RDONLY), (1, output, _WRITE), (2, errors, _WRITE)):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - multiprocessing has closed the one before
    sys.argv = ["tieline", *arguments]
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("default")
    try:
        if prepare is not None:
            prepare()
        main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out
