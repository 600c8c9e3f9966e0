"""How many calls are under way at once is bounded, and what is cut off in its midst takes no place with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product

import httpx
import pytest

from tests.plugins.pretending import pretending, said
from tieline.plugins.places import provider_client
from tieline.plugins.transport import exchange

PATIENCE = 60.0  # seconds; nothing here takes as long
PLACES = 8
MOMENTS = 24  # turns of the event loop; within these a call here is asked, answered and closed


class Provider:
    """`/silent` says nothing, `/half` half of its answer, `/held` waits for `open`; the rest is answered at once."""

    def __init__(self) -> None:
        self.url = ""
        self.lines = 0
        self.writers: set[asyncio.StreamWriter] = set()
        self.hung_up = asyncio.Event()
        self.held: asyncio.Queue[str] = asyncio.Queue()
        self.open = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines += 1
        self.writers.add(writer)
        try:
            while True:
                await self._answer_one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller hung up
        finally:
            writer.close()
            self.writers.discard(writer)
            self.hung_up.set()

    async def lets_go_of_all_but(self, most: int) -> None:
        while len(self.writers) > most:
            self.hung_up.clear()
            await self.hung_up.wait()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        if target == "/held":
            self.held.put_nowait(target)
            await self.open.wait()
        if target != "/silent":
            length = 200 if target == "/half" else 2
            writer.write(b"HTTP/1.1 200 Said\r\ncontent-length: %d\r\n\r\n{}" % length)
            await writer.drain()


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    far = Provider()
    server = await asyncio.start_server(far.answer, "127.0.0.1", 0)
    far.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield far


async def called(client: httpx.AsyncClient, url: str) -> int:
    request = httpx.Request("GET", url)
    answer = await exchange(client, request, provider="abacus", seconds=PATIENCE, max_bytes=1000)
    return answer.status_code


async def cut_off(client: httpx.AsyncClient, url: str, *, after: int) -> bool:
    """Whether the call was still under way `after` so many turns of the event loop; it is cancelled then."""
    call = asyncio.create_task(called(client, url))
    for _ in range(after):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    return call.cancelled()


async def cut_off_many(client: httpx.AsyncClient, far: Provider) -> int:
    """How many calls were cut off: at every moment, wherever the answer was, half of them without a place."""
    cut = 0
    for after, path in product(range(MOMENTS), ("", "/silent", "/half")):
        calls = [cut_off(client, far.url + path, after=after) for _ in range(2 * PLACES)]
        cut += sum(await asyncio.gather(*calls))
    return cut


async def test_calls_that_are_cut_off_leave_every_place_free_and_no_socket_open() -> None:
    async with (
        provider() as far,
        provider_client(places=PLACES) as client,
        asyncio.timeout(PATIENCE),
        asyncio.TaskGroup() as group,
    ):
        assert await cut_off_many(client, far) >= 1000

        await far.lets_go_of_all_but(PLACES)
        calls = [group.create_task(called(client, f"{far.url}/held")) for _ in range(PLACES)]
        for _ in range(PLACES):
            await far.held.get()
        with pytest.raises(httpx.PoolTimeout):
            await client.get(far.url, timeout=httpx.Timeout(PATIENCE, pool=0.01))
        calls.append(group.create_task(called(client, f"{far.url}/held")))
        far.open.set()
        assert await asyncio.gather(*calls) == [200] * (PLACES + 1)

        lines = far.lines
        assert [await called(client, far.url) for _ in range(5)] == [200] * 5
        assert far.lines <= lines + 1, "connections are used again"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_gives_its_place_back_once_however_often_it_is_closed(*, stream: bool) -> None:
    async with provider() as far, provider_client(places=1) as client:
        answer = await client.send(client.build_request("GET", far.url), stream=stream)
        await answer.aread()
        await answer.aclose()
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        await answer.stream.aclose()

        async with client.stream("GET", f"{far.url}/half"):
            with pytest.raises(httpx.PoolTimeout):
                await client.get(far.url, timeout=httpx.Timeout(PATIENCE, pool=0.01))

        assert await called(client, far.url) == 200


async def test_calls_go_by_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALL_PROXY", "NO_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with pretending() as proxy:
        proxy.will(said({}))
        monkeypatch.setenv("http_proxy", proxy.url)

        async with provider_client() as client:
            assert await called(client, "http://provider.invalid/books") == 200

    assert proxy.asked == ["GET http://provider.invalid/books"]
