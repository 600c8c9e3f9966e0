"""Frames of a socket as nobody should send them, and the end that comes of it, read byte by byte.

A talk is a handful of frames: messages that are mutated, or that stand in the wrong place, as text, in pieces, as
binary data, or in frames that are none, and sound ones between them. After each that is no ping itself comes one: the
pong says that the gateway got so far. The last one is no JSON, so that every socket is closed by the gateway.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.chaos.mutating import Mutator
from tests.support.sockets import UPGRADE

ANSWER_SECONDS = 60.0
_FINAL, _MASKED = 0x80, 0x80
_MORE, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_RESERVED = 0x40
_SHORT, _MEDIUM, _LONG = 126, 2**16, 127
_THE_END = b"the end"
_IS_PING, _IS_INIT, _IS_SUBSCRIBE = (
    re.compile(rb'"type":\s*"%s"' % kind) for kind in (b"ping", b"connection_init", b"subscribe")
)
_MASK = b"\x00\x00\x00\x00"
_MOST, _SOUND = 4, 1 / 5


@dataclass(frozen=True, kw_only=True)
class Talk:
    """`malformed` says of each frame whether it is not as it should be."""

    raw: bytes
    malformed: Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a socket ended: `code` is None where no close frame came; `opened` whether it was one at all.

    `passed` is how many of the frames it got past.
    """

    opened: bool
    code: int | None
    passed: int


@dataclass(frozen=True)
class Talker:
    """`mutator` makes messages of `sound` ones; the caller's key is in the first, where that is acknowledged."""

    mutator: Mutator
    sound: Sequence[bytes]
    key: str = field(repr=False)

    def talk(self) -> Talk:
        draws = self.mutator.draws
        init = _message(type="connection_init", payload={"authorization": f"Bearer {self.key}"})
        begun = framed(_TEXT, init) if draws.random() < 0.9 else b""
        ping, said, malformed = framed(_TEXT, _message(type="ping")), begun, []
        for _ in range(draws.randint(1, _MOST)):
            if is_sound := draws.random() < _SOUND:
                message = draws.choice(self.sound)
                is_sound = (_IS_INIT if begun else _IS_SUBSCRIBE).search(message) is None
                frame = framed(_TEXT, message)
            else:
                frame = self._odd(draws)
            malformed.append(not is_sound)
            said += frame if _IS_PING.search(frame) else frame + ping
        return Talk(raw=said + framed(_TEXT, _THE_END), malformed=malformed)

    def _odd(self, draws: random.Random) -> bytes:
        match draws.randrange(2, 10):
            case 2:
                return framed(_TEXT, self._of_the_server(draws))
            case 3:
                return b"".join(_in_pieces(draws, self.mutator.mutated()))
            case 4:
                return _no_frame(draws, self.mutator.mutated())
            case 5:
                return framed(_BINARY, self.mutator.mutated())
            case _:
                return framed(_TEXT, self.mutator.mutated())

    def _of_the_server(self, draws: random.Random) -> bytes:
        kind = draws.choice(
            ("next", "error", "connection_ack", "start", "stop", "connection_terminate", "ka")
        )
        return _message(type=kind, id="1", payload={})


def framed(
    opcode: int, payload: bytes, *, final: bool = True, says: int | None = None, masked: bool = True
) -> bytes:
    """One frame. `says` is the length that it claims to have, where that is not its own."""
    long = len(payload) if says is None else says
    first, mask = opcode | (_FINAL if final else 0), _MASKED if masked else 0
    if long < _SHORT:
        head = struct.pack("!BB", first, mask | long)
    elif long < _MEDIUM:
        head = struct.pack("!BBH", first, mask | _SHORT, long)
    else:
        head = struct.pack("!BBQ", first, mask | _LONG, long)
    return head + (_MASK if masked else b"") + payload


def _in_pieces(draws: random.Random, payload: bytes) -> Iterator[bytes]:
    """Of one message, with pings between them, and at times with one that does not belong there."""
    opcode, long = _TEXT, draws.randint(1, max(1, len(payload)))
    for at in range(0, len(payload), long):
        yield framed(opcode, payload[at : at + long], final=at + long >= len(payload))
        opcode = draws.choice((_MORE, _MORE, _MORE, _TEXT))
        if draws.random() < 0.2:
            yield framed(_PING, payload[:20])


def _no_frame(draws: random.Random, payload: bytes) -> bytes:
    return draws.choice(
        (
            framed(_TEXT | _RESERVED, payload),
            framed(draws.choice((3, 7, 11, 15)), payload),
            framed(_TEXT, payload, masked=False),
            framed(_PING, payload[:50], final=False),
            framed(_PONG, b"x" * 200),
            framed(_MORE, payload),
            framed(_TEXT, payload, says=2**63 + 5),
            framed(_TEXT, payload, says=2**40),
            framed(_TEXT, payload, says=max(0, len(payload) - 9)),
            framed(_CLOSE, b"\x03"),
            framed(_CLOSE, struct.pack("!H", draws.choice((0, 999, 1005, 1006, 1015, 5000))) + payload[:20]),
            framed(_CLOSE, struct.pack("!H", 4000) + b"\xff\xfe"),
            bytes([draws.randrange(256), _MASKED | 14, *(draws.randrange(256) for _ in range(18))]),
        )
    )


async def ending(port: int, talk: Talk) -> Ending:
    """Say it all on a socket of its own, and read until the other end closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    opened, code, passed = False, None, 0
    try:
        with suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(UPGRADE)
                opened = b" 101 " in (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]
                writer.write(talk.raw)
                while code is None:
                    opcode, payload = await _frame(reader)
                    if opcode == _CLOSE:
                        [code] = struct.unpack("!H", payload[:2])
                    elif opcode == _TEXT:
                        passed += json.loads(payload)["type"] == "pong"
    finally:
        writer.close()
    return Ending(opened=opened, code=code, passed=passed)


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, long = await reader.readexactly(2)
    if long == _SHORT:
        (long,) = struct.unpack("!H", await reader.readexactly(2))
    elif long == _LONG:
        (long,) = struct.unpack("!Q", await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(long)


def _message(**parts: object) -> bytes:
    return json.dumps(parts).encode()
