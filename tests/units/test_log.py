"""What reaches the log of an error: where it happened, never what the rows held."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import ssl
from collections.abc import Iterator

import asyncpg
import pytest
from asyncpg.connect_utils import TLSUpgradeProto
from tortoise.exceptions import IntegrityError

from tests.support.logged import logging_to
from tieline import log


@pytest.fixture
def written() -> Iterator[io.StringIO]:
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


async def test_a_connection_given_up_while_it_opens_is_nothing_to_tell_and_other_faults_that_nobody_asks_for_are(
    written: io.StringIO,
) -> None:
    loop = asyncio.get_running_loop()
    opening = TLSUpgradeProto(loop, "localhost", 5432, ssl.create_default_context(), ssl_is_advisory=True)
    opening.connection_lost(None)
    other = loop.create_future()
    other.set_exception(ConnectionError("gone"))

    del opening, other
    gc.collect()

    [line] = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (line["level"], line["exception"]) == ("error", "ConnectionError: gone")
