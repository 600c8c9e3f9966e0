"""Bodies in HTTP as nobody should send them, and a line that sends bytes as they are and reads what comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.mutating import Mutator

ANSWER_SECONDS = 60.0
_HEAD_ENDS = b"\r\n\r\n"
_TYPES = (
    *(
        b"application/json; charset=utf-8",
        b"application/json;charset=utf-16",
        b"APPLICATION/JSON",
        b"text/plain",
        b"",
    ),
    *(
        b"application/graphql",
        b"application/json; charset",
        b'application/json; charset="utf-8"',
        b"multipart/form-data",
    ),
    *(b"\xff\xfe", b";;;=", b"application/json, application/json", b"application/x-www-form-urlencoded"),
)
_ACCEPTED = (
    *(
        b"application/graphql-response+json",
        b"application/json",
        b"*/*",
        b"",
        b"text/html",
        b"application/*;q=0",
    ),
    *(
        b"application/json;q=high",
        b"application/json;q=1e400",
        b"*/*;q=-1, ;",
        b"\xe9",
        b"application/json;q=nan",
        b"," * 500,
    ),
)
_BEARERS = (
    b"",
    b"Bearer",
    b"Bearer  ",
    b"Basic YTpi",
    b"Bearer \xff",
    b"Bearer " + b"x" * 9_000,
    b"Bearer a b",
    b"bearer x.y.z",
)
_PRACTICES = (b"", b"x", b"\xff", b"00000000-0000-0000-0000-000000000000", b"-" * 400)


@dataclass(frozen=True, kw_only=True)
class Request:
    """`answers`: how many have to come. None where HTTP itself is broken: then it may be let go without one."""

    raw: bytes
    answers: int | None = 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True)
class Sender:
    """Wraps what a mutator makes. The caller's key is there, unless it is what is wrong."""

    mutator: Mutator
    key: str = field(repr=False)

    def request(self) -> Request:
        draws, body = self.mutator.draws, self.mutator.mutated()
        if draws.random() < 0.6:
            return Request(raw=self._head(b"POST", _length(body)) + body)
        return draws.choice(self._ways())(draws, body)

    def _ways(self) -> Sequence[Callable[[random.Random, bytes], Request]]:
        return (
            self._headers,
            self._headers,
            self._pieces,
            self._twice,
            self._method,
            self._lies,
            self._broken,
        )

    def _headers(self, draws: random.Random, body: bytes) -> Request:
        wrong = {
            b"content-type": _TYPES,
            b"accept": _ACCEPTED,
            b"authorization": _BEARERS,
            b"tieline-practice": _PRACTICES,
            b"content-encoding": (b"gzip", b"identity", b""),
            b"x-correlation-id": (b"\xff" * 20, b"x" * 5_000),
            b"expect": (b"100-continue", b"nothing"),
            b"origin": (b"null", b"https://else.example", b"\xff"),
        }
        name = draws.choice(sorted(wrong))
        value = draws.choice(wrong[name])
        more = [(name, value)] * draws.choice((1, 1, 2))
        return Request(raw=self._head(b"POST", [*_length(body), *more], without=name) + body)

    def _pieces(self, draws: random.Random, body: bytes) -> Request:
        pieces, rest = b"", body
        while rest:
            long = draws.randint(1, max(1, len(body)))
            pieces += b"%x;a=b\r\n%b\r\n" % (len(rest[:long]), rest[:long])
            rest = rest[long:]
        head = self._head(b"POST", [(b"transfer-encoding", b"chunked")])
        return Request(raw=head + pieces + b"0\r\nx-trailer: 1\r\n\r\n")

    def _twice(self, draws: random.Random, body: bytes) -> Request:
        del draws
        return Request(raw=(self._head(b"POST", _length(body)) + body) * 2, answers=2)

    def _method(self, draws: random.Random, body: bytes) -> Request:
        method = draws.choice((b"GET", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"))
        return Request(raw=self._head(method, _length(body)) + body)

    def _lies(self, draws: random.Random, body: bytes) -> Request:
        long, chunked = len(body), (b"transfer-encoding", b"chunked")
        said = draws.choice(
            (
                [(b"content-length", b"%d" % (long + draws.randint(1, 99)))],
                [(b"content-length", b"%d" % max(0, long - draws.randint(1, 99)))],
                [
                    (
                        b"content-length",
                        draws.choice((b"-1", b"x", b"1e3", b"9" * 18, b"9" * 40, b"0x10", b"+5")),
                    )
                ],
                [(b"content-length", b"%d" % long), (b"content-length", b"%d" % (long + 1))],
                [*_length(body), chunked],
                [chunked],
                [(b"transfer-encoding", b"gzip, chunked")],
                [],
            )
        )
        return Request(raw=self._head(b"POST", said) + body, answers=None)

    def _broken(self, draws: random.Random, body: bytes) -> Request:
        """A few bytes of the head are others."""
        head = bytearray(self._head(b"POST", _length(body)))
        for _ in range(draws.randint(1, 4)):
            head[draws.randrange(len(head))] = draws.choice(
                (0, 9, 10, 13, 32, 58, 127, 255, draws.randrange(256))
            )
        return Request(raw=bytes(head) + body, answers=None)

    def _head(self, method: bytes, more: Sequence[tuple[bytes, bytes]], *, without: bytes = b"") -> bytes:
        own = (
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"authorization", b"Bearer " + self.key.encode()),
        )
        lines = [b"%b: %b" % pair for pair in (*(one for one in own if one[0] != without), *more)]
        return b"\r\n".join([method + b" /graphql HTTP/1.1", *lines, b"", b""])


@dataclass
class Line:
    """A connection that is kept, and opened anew where it was closed.

    `hung` is how often neither an answer nor an end came.
    """

    port: int
    hung: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: Request) -> list[Answer]:
        """The answers, as many as came; fewer than have to come where the other end let go."""
        reader, writer = self._streams or await asyncio.open_connection("127.0.0.1", self.port)
        self._streams = reader, writer
        got: list[Answer] = []
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(request.raw)
                if request.answers is None:
                    writer.write_eof()
                while request.answers is None or len(got) < request.answers:
                    got.append(await _answer(reader))
                return got
        except TimeoutError:  # which is an OSError, too
            self.hung += 1
        except (OSError, asyncio.IncompleteReadError):
            pass
        self.close()
        return got

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    while True:
        first, *lines = (await reader.readuntil(_HEAD_ENDS)).lower().split(b"\r\n")
        status = int(first.split(b" ")[1])
        if status >= 200:
            break
    said = dict(line.split(b": ", 1) for line in lines if line)
    long = int(said.get(b"content-length", 0))
    return Answer(status=status, body=await reader.readexactly(long))


def _length(body: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", b"%d" % len(body))]
