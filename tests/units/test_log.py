"""What reaches the log of an error: where it happened, never what the rows held."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError

from tests.support.logged import logging_to
from tieline import log


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    gc.collect()  # what earlier tests left is told before
    with logging_to() as stream:
        yield stream


def break_with(error: Exception) -> None:
    raise error


def fail(error: Exception) -> None:
    try:
        break_with(error)
    except Exception as cause:
        raise IntegrityError(cause) from cause


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("duplicate key\nDETAIL:  Key (name)=(hunter2) already exists."),
        asyncpg.DataError("invalid input for query argument $1: 'hunter2' (expected str)"),
        asyncpg.DataError("invalid input for query argument $1: 'a\n\nhunter2' (expected str)"),
    ],
)
def test_a_drivers_error_leaves_its_class_and_place_in_the_log_and_no_value(
    written: io.StringIO, error: Exception
) -> None:
    try:
        fail(error)
    except IntegrityError:
        log.get_logger("test").exception("it.failed", client_id="c1")

    line = json.loads(written.getvalue())
    assert (line["event"], line["client_id"]) == ("it.failed", "c1")
    assert "hunter2" not in written.getvalue()
    assert f"asyncpg.exceptions.{type(error).__name__}: …" in line["exception"]
    assert "tortoise.exceptions.IntegrityError: …" in line["exception"]
    assert "in fail" in line["exception"]


def test_a_drivers_error_in_a_group_keeps_its_values_to_itself_too(written: io.StringIO) -> None:
    error = asyncpg.UniqueViolationError("duplicate key\nDETAIL:  Key (name)=(hunter2) already exists.")
    try:
        break_with(ExceptionGroup("several", [error, LookupError("kept")]))
    except ExceptionGroup:
        log.get_logger("test").exception("it.failed")

    trace = json.loads(written.getvalue())["exception"]
    assert "hunter2" not in trace
    assert "LookupError: kept" in trace


def test_other_errors_keep_their_words(written: io.StringIO) -> None:
    try:
        break_with(LookupError("which one"))
    except LookupError:
        log.get_logger("test").exception("it.failed")

    assert "LookupError: which one" in json.loads(written.getvalue())["exception"]


def test_every_line_carries_the_correlation_id(written: io.StringIO) -> None:
    log.correlate("abcdefgh-1")

    log.get_logger("test").info("it.happened")
    logging.getLogger("some.library").warning("as libraries do")

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["correlation_id"] for line in lines] == ["abcdefgh-1", "abcdefgh-1"]


async def test_a_connection_that_is_lost_while_it_is_made_and_nobody_waits_for_is_no_error(
    written: io.StringIO,
) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for steps in range(30):
            asking = asyncio.create_task(asyncpg.connect(host="127.0.0.1", port=port, user="a", password="b"))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            with suppress(asyncio.CancelledError, OSError, asyncpg.PostgresError):
                await asking
            del asking
            gc.collect()
            await asyncio.sleep(0)

    assert written.getvalue() == ""


def test_other_errors_that_nobody_waited_for_are_told(written: io.StringIO) -> None:
    error = ConnectionError("refused")

    logging.getLogger("asyncio").error("Future exception was never retrieved", exc_info=error)

    assert json.loads(written.getvalue())["event"] == "Future exception was never retrieved"
