"""What a sign-in may be started for: what needs no provider to answer is checked here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tieline.clients.repository import ClientRepository
from tieline.connections.moving.repository import BrokenRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.credentials.apps.repository import App, AppRepository
from tieline.database import scope
from tieline.errors import BulkConnectUnsupported, Invalid, NotFound, ProviderNotConfigured
from tieline.host import host
from tieline.ids import ConnectionId
from tieline.plugins import Product, Provider
from tieline.principal import Permission, Principal
from tieline.sign_ins.addresses import checked_return_url
from tieline.sign_ins.rights import require_some_client
from tieline.sign_ins.states import Purpose

_SLUG_LENGTH = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSignIn:
    """What a person wants to sign in for. `connection_id` belongs to RECONNECT.

    RECONNECT and RECONNECT_ALL may leave products out: they take those of what is to be reconnected.
    """

    provider: str
    purpose: Purpose
    products: tuple[Product, ...] = ()
    connection_id: ConnectionId | None = None
    return_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A sign-in that may be started. `mends` is what it has to reach, None for what is no reconnecting."""

    app: App
    provider: Provider
    products: tuple[Product, ...]
    mends: tuple[Connection, ...] | None


async def plan_of(principal: Principal, new: NewSignIn) -> Plan:
    """What may be started.

    Raises Forbidden, Invalid, NotFound (provider, connection), ProviderNotConfigured and BulkConnectUnsupported.
    """
    provider = provider_named(new.provider)
    if new.return_url is not None:
        checked_return_url(new.return_url, host().origins)
    if new.connection_id is None and new.purpose is Purpose.RECONNECT:
        raise Invalid(
            "Say which connection to reconnect: name it, or choose RECONNECT_ALL.", field="connectionId"
        )
    if new.connection_id is not None and new.purpose is not Purpose.RECONNECT:
        raise Invalid(
            "A connection is named for RECONNECT alone: leave it out, or choose RECONNECT.",
            field="connectionId",
        )
    async with scope(principal.practice_id):
        mends = await _mends(principal, new)
        app = await AppRepository.of(principal.practice_id).of_provider(new.provider)
    products = _products(new, provider, mends)
    if app is None:
        raise ProviderNotConfigured(provider.info.name)
    if new.purpose is Purpose.BULK_CONNECT and not (app.bulk_consent or provider.info.guided_queue):
        raise BulkConnectUnsupported(provider.info.name)
    return Plan(app=app, provider=provider, products=products, mends=mends)


async def _mends(principal: Principal, new: NewSignIn) -> tuple[Connection, ...] | None:
    """What is to be reconnected, if the caller may; None for what is no reconnecting."""
    if new.connection_id is not None:
        return (await connection_meant(principal, new.provider, new.connection_id),)
    await require_some_client(principal)
    if new.purpose is not Purpose.RECONNECT_ALL:
        return None
    return tuple(await BrokenRepository.managed_by(principal).of_provider(new.provider))


async def connection_meant(principal: Principal, provider: str, connection_id: ConnectionId) -> Connection:
    """The current connection to this provider that the caller manages. Raises Forbidden, Invalid and NotFound."""
    connection = await ConnectionRepository.visible_to(principal).get(connection_id)
    if connection is None:
        raise NotFound("connection", connection_id, field="connectionId")
    client = await ClientRepository.visible_to(principal).get(connection.client_id)
    principal.require(Permission.MANAGE_CONNECTIONS, administers=client is not None and client.administered)
    if connection.provider != provider:
        raise Invalid("This connection is to another provider.", field="connectionId")
    if connection.ended_at is not None:
        raise Invalid("This connection has ended: connect the client anew.", field="connectionId")
    return connection


def _products(
    new: NewSignIn, provider: Provider, mends: Collection[Connection] | None
) -> tuple[Product, ...]:
    products = tuple(dict.fromkeys(new.products))
    if not products and mends is not None:
        broken = {each.product for each in mends}
        products = tuple(each for each in provider.info.products if not broken or each in broken)
    if not products or not set(products) <= set(provider.info.products):
        offered = ", ".join(provider.info.products)
        raise Invalid(f"Name one or more products of {provider.info.name}: {offered}.", field="products")
    return products


def provider_named(slug: str, *, field: str = "provider") -> Provider:
    """The plugin. Raises NotFound."""
    provider = host().registry.get(slug)
    if provider is None:
        shown = slug[:_SLUG_LENGTH].encode("ascii", "replace").decode()
        raise NotFound("provider", shown, field=field)
    return provider
