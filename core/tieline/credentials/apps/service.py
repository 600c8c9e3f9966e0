"""A practice's apps at providers: added, listed and given new secrets by the operator; where each is spoken to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tieline.credentials.apps.repository import App, AppRepository, Environment
from tieline.credentials.models import ProviderAppRow
from tieline.database import scope
from tieline.errors import Invalid, NotFound, ProviderMisconfigured
from tieline.host import host
from tieline.ids import AppId, PracticeId, new_id
from tieline.plugins import Endpoints, Limit, Provider, receiver_of
from tieline.principal import Principal
from tieline.quota import Meter
from tieline.vault import Place, Secret
from tieline.work import retrying, unit_of_work

_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,200}")
_SECRET_LENGTH = 500
_ADDRESS_LENGTH = 300
_HIGHEST_PORT = 65_535
_ADDRESS = re.compile(
    r"(https://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)|http://(localhost|127\.0\.0\.1|\[::1\]))(:(?P<port>[1-9][0-9]{0,4}))?(/[\w.~/-]*)?",
    re.IGNORECASE | re.ASCII,
)
_FAULTS: Mapping[str, str] = {
    ProviderMisconfigured.code: "The provider does not accept this client id and secret: "
    "look there which are valid, then use 'tieline app rotate'.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewApp:
    """What the operator says of an app; `sandbox_url` is where a server that pretends to be the provider listens.

    `development_keys`: the client id and secret open the provider's own sandbox, and no real books. `webhook_secret` is
    what the provider signs its webhooks with.
    """

    provider: str
    client_id: str
    secret: Secret
    bulk_consent: bool = False
    tier: str | None = None
    sandbox_url: str | None = None
    development_keys: bool = False
    webhook_secret: Secret | None = None


def provider_of(app: App) -> Provider:
    """The plugin that knows this app's provider. Raises NotFound where it is no longer installed."""
    found = host().registry.get(app.provider)
    if found is None:
        raise NotFound("provider", app.provider)
    return found


def endpoints_of(app: App) -> Endpoints:
    """Where this app's provider is spoken to: its own addresses or those of its sandbox, moved to the app's base."""
    oauth = provider_of(app).oauth
    own = oauth.endpoints
    if app.environment is Environment.SANDBOX and oauth.sandbox_endpoints is not None:
        own = oauth.sandbox_endpoints
    return own if app.base_url is None else own.moved_to(app.base_url)


def meter_of(app: App) -> Meter:
    """Whose limits its calls spend: the client id's, at the place where it is spoken to."""
    place = "" if app.base_url is None else f"@{app.base_url}"
    return Meter(provider=app.provider, client_id=f"{app.client_id}{place}")


def limit_named(app: App, name: str) -> Limit | None:
    """The limit that its provider calls so, at the app's tier; None where it is not known."""
    provider = host().registry.get(app.provider)
    limits = provider.limits(app.tier) if provider else ()
    return next((limit for limit in limits if limit.name == name), None)


def secret_of(app: App, sealed: bytes) -> Secret:
    """Raises SealBroken."""
    return host().vault.open(sealed, _place(app.practice_id, app.id))


def webhook_secret_of(app: App, sealed: bytes) -> Secret:
    """Raises SealBroken."""
    return host().vault.open(sealed, _webhook_place(app.practice_id, app.id))


def fault_sentence(app: App) -> str | None:
    """What the operator has to mend; None where nothing is wrong."""
    if app.fault is None:
        return None
    return _FAULTS.get(app.fault, f"The provider refuses this app: {app.fault}.")


@retrying
async def add_app(practice_id: PracticeId, new: NewApp) -> App:
    """Give the practice an app at a provider. Raises Invalid."""
    provider = _installed(new.provider)
    app_id = AppId(new_id())
    async with unit_of_work(Principal.machine(practice_id)) as work:
        row = ProviderAppRow(
            id=app_id,
            practice_id=practice_id,
            provider=provider.info.slug,
            environment=_environment(provider, new),
            base_url=None if new.sandbox_url is None else _address(new.sandbox_url),
            client_id=_client_id(new.client_id),
            secret_sealed=host().vault.seal(_checked(new.secret), _place(practice_id, app_id)),
            webhook_secret_sealed=_sealed_for_webhooks(practice_id, app_id, provider, new.webhook_secret),
            bulk_consent=new.bulk_consent,
            tier=None if new.tier is None else _tier(provider, new.tier),
            created_at=work.now,
        )
        apps = AppRepository.of(practice_id)
        await apps.add(row)
        added = await apps.get(app_id)
    assert added is not None
    return added


@retrying
async def rotate_secret(practice_id: PracticeId, provider: str, secret: Secret) -> App:
    """Give an app a new secret, at once for all that is done with it. Raises Invalid."""
    _installed(provider)
    checked = _checked(secret)
    async with unit_of_work(Principal.machine(practice_id)):
        apps = AppRepository.of(practice_id)
        app = await _added(apps, provider)
        await apps.set_secret(app.id, host().vault.seal(checked, _place(practice_id, app.id)))
    return app


@retrying
async def set_webhook_secret(practice_id: PracticeId, provider: str, secret: Secret | None) -> App:
    """Say what an app's webhooks are signed with, at once for all that come; None: it takes none. Raises Invalid."""
    installed = _installed(provider)
    async with unit_of_work(Principal.machine(practice_id)):
        apps = AppRepository.of(practice_id)
        app = await _added(apps, provider)
        sealed = _sealed_for_webhooks(practice_id, app.id, installed, secret)
        await apps.set_webhook_secret(app.id, sealed)
    return app


@retrying
async def change_tier(practice_id: PracticeId, provider: str, tier: str) -> None:
    """Say which tier an app has now; every session opened from then on keeps to its limits. Raises Invalid."""
    checked = _tier(_installed(provider), tier)
    async with unit_of_work(Principal.machine(practice_id)):
        apps = AppRepository.of(practice_id)
        await apps.set_tier((await _added(apps, provider)).id, checked)


async def list_apps(practice_id: PracticeId) -> list[App]:
    """The practice's apps by provider, without their secrets."""
    async with scope(practice_id):
        return await AppRepository.of(practice_id).all()


async def taking_webhooks(practice_id: PracticeId) -> frozenset[AppId]:
    """Those of the practice's apps that have a secret for webhooks."""
    async with scope(practice_id):
        return await AppRepository.of(practice_id).with_webhook_secret()


def _sealed_for_webhooks(
    practice_id: PracticeId, app_id: AppId, provider: Provider, secret: Secret | None
) -> bytes | None:
    if secret is None:
        return None
    if receiver_of(provider) is None:
        raise Invalid(f"The plugin of {provider.info.name} takes no webhooks.", field="webhookSecret")
    return host().vault.seal(_checked(secret, "webhook secret"), _webhook_place(practice_id, app_id))


def _webhook_place(practice_id: PracticeId, app_id: AppId) -> Place:
    return Place(practice_id=practice_id, table="provider_app", row_id=app_id, column="webhook_secret_sealed")


def _place(practice_id: PracticeId, app_id: AppId) -> Place:
    return Place(practice_id=practice_id, table="provider_app", row_id=app_id, column="secret_sealed")


def _installed(slug: str) -> Provider:
    found = host().registry.get(slug)
    if found is None:
        known = ", ".join(provider.info.slug for provider in host().registry)
        raise Invalid(
            f"There is no provider {slug!r}; installed: {known or 'none, install a plugin first'}.",
            field="provider",
        )
    return found


async def _added(apps: AppRepository, provider: str) -> App:
    app = await apps.of_provider(provider)
    if app is None:
        raise Invalid(
            f"This practice has no app at {provider} yet: 'tieline app add' adds it.", field="provider"
        )
    return app


def _environment(provider: Provider, new: NewApp) -> Environment:
    if not new.development_keys:
        return Environment.LIVE if new.sandbox_url is None else Environment.SANDBOX
    if new.sandbox_url is not None:
        raise Invalid(
            "Development keys are for the provider's own sandbox, not for a server at another address.",
            field="developmentKeys",
        )
    if provider.oauth.sandbox_endpoints is None:
        raise Invalid(
            f"{provider.info.name} has no sandbox of its own, and so no development keys.",
            field="developmentKeys",
        )
    return Environment.SANDBOX


def _tier(provider: Provider, tier: str) -> str:
    tiers = provider.info.tiers
    if tier in tiers:
        return tier
    raise Invalid(
        f"{provider.info.name} has the tiers {', '.join(tiers)}."
        if tiers
        else f"{provider.info.name} has no tiers.",
        field="tier",
    )


def _client_id(text: str) -> str:
    trimmed = text.strip()
    if not _CLIENT_ID.fullmatch(trimmed):
        raise Invalid("A client id has 1 to 200 characters of ASCII, none of them a space.", field="clientId")
    return trimmed


def _checked(secret: Secret, what: str = "client secret") -> Secret:
    trimmed = secret.reveal().strip()
    if not 0 < len(trimmed) <= _SECRET_LENGTH or not trimmed.isprintable():
        raise Invalid(
            f"A {what} has 1 to {_SECRET_LENGTH} printable characters, on one line.", field="secret"
        )
    return Secret(trimmed)


def _address(url: str) -> str:
    address = url.strip().rstrip("/")
    found = _ADDRESS.fullmatch(address) if len(address) <= _ADDRESS_LENGTH else None
    if found is None or int(found["port"] or 0) > _HIGHEST_PORT:
        raise Invalid(
            "A sandbox's address is https://host[:port][/prefix], or http:// on localhost, and nothing more.",
            field="sandboxUrl",
        )
    return address
