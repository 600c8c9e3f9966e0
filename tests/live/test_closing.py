"""Ending while Redis is mute: clients are closed without waiting for it to say so, as TLS would have it."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from tests.support.own_redis import OwnRedis
from tests.support.relay import Relay, relaying
from tieline.live.client import closing, connected
from tieline.quota.process import make_client
from tieline.settings import Settings

SOON = 15.0  # half of what TLS would wait; on a machine that has much else to do


def certified(folder: Path) -> ssl.SSLContext:
    """A server's, by a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = made.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + signed.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
async def line(own_redis: OwnRedis, tmp_path: Path) -> AsyncIterator[Relay]:
    """The way to a Redis that speaks TLS."""
    async with relaying(own_redis.port, tls=certified(tmp_path)) as server, relaying(server.port) as relay:
        yield relay


@pytest.fixture
def secured(own_redis: OwnRedis, line: Relay) -> Settings:
    address = f"rediss://127.0.0.1:{line.port}/0?ssl_cert_reqs=none&ssl_check_hostname=false"
    return own_redis.settings.model_copy(update={"redis_url": SecretStr(address)})


@pytest.mark.parametrize("whose", ["hints", "quota"])
async def test_a_client_of_a_mute_redis_is_closed_soon(line: Relay, secured: Settings, whose: str) -> None:
    quota = closing(make_client(secured.redis_url.get_secret_value()))
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            connected(secured, connections=8) if whose == "hints" else quota
        )
        answered = await client.ping()

        with line.hushed():
            begun = time.monotonic()
            await stack.aclose()
            took = time.monotonic() - begun

    assert answered
    assert took < SOON
