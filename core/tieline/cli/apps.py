"""`tieline app`: a practice's apps at providers, whose secrets come from a file or standard input only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tieline.cli.opened import with_database
from tieline.cli.options import PracticeOption
from tieline.cli.quotas import quota_lines

if TYPE_CHECKING:
    from tieline.credentials.apps.repository import App
    from tieline.quota import QuotaTold
    from tieline.vault import Secret

_LONGEST = 10_000  # of what is read; a secret is far shorter

ProviderOption = Annotated[str, typer.Option("--provider", help="The provider's slug, such as xero.")]
SecretFileOption = Annotated[
    Path | None,
    typer.Option("--secret-file", help="A file that holds the secret; without it, standard input."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="A practice's apps at providers.")
    group.command("add")(add_app)
    group.command("list")(list_apps)
    group.command("rotate")(rotate_app)
    group.command("tier")(change_tier)
    group.command("quota")(show_quota)
    group.command("webhook")(set_webhook_secret)
    app.add_typer(group, name="app")


def add_app(
    *,
    practice: PracticeOption,
    provider: ProviderOption,
    client_id: Annotated[str, typer.Option(help="The app's id at the provider.")],
    secret_file: SecretFileOption = None,
    bulk_consent: Annotated[
        bool, typer.Option("--bulk-consent", help="One consent of this app may grant several organisations.")
    ] = False,
    tier: Annotated[
        str | None, typer.Option(help="The app's tier at the provider; without it, the smallest limits hold.")
    ] = None,
    sandbox_url: Annotated[
        str | None, typer.Option(help="Speak to a server that pretends to be the provider, at this address.")
    ] = None,
    development_keys: Annotated[
        bool, typer.Option("--development-keys", help="The keys are for the provider's own sandbox.")
    ] = False,
    webhook_secret_file: Annotated[
        Path | None,
        typer.Option(
            help="A file that holds what the provider signs webhooks with; see 'tieline app webhook'."
        ),
    ] = None,
) -> None:
    """Give a practice its app at a provider, and print the addresses to register there."""
    from tieline.credentials.apps import service as apps
    from tieline.practices import service

    secret = _read_secret(secret_file)
    webhook_secret = None if webhook_secret_file is None else _read_secret(webhook_secret_file)

    async def run() -> tuple[App, list[str]]:
        new = apps.NewApp(
            provider=provider,
            client_id=client_id,
            secret=secret,
            bulk_consent=bulk_consent,
            tier=tier,
            sandbox_url=sandbox_url,
            development_keys=development_keys,
            webhook_secret=webhook_secret,
        )
        added = await apps.add_app(await service.locate_practice(practice), new)
        webhooks = _webhooks_of(added)
        return added, [f"callback {_callback_of(added)}", *([f"webhooks {webhooks}"] if webhooks else [])]

    added, addresses = with_database(run)
    typer.echo("\n".join([f"app      {added.id}", *addresses]))
    typer.echo("Register the callback address at the provider, letter by letter.", err=True)


def list_apps(*, practice: PracticeOption) -> None:
    """List a practice's apps: what each is, its addresses, whether it takes webhooks, what is wrong."""
    from tieline.credentials.apps import service as apps
    from tieline.practices import service

    async def run() -> list[tuple[App, str, str | None]]:
        practice_id = await service.locate_practice(practice)
        found, taking = await apps.list_apps(practice_id), await apps.taking_webhooks(practice_id)
        return [(app, _callback_of(app), _webhooks_line(app, is_taking=app.id in taking)) for app in found]

    for app, callback, webhooks in with_database(run):
        bulk = "bulk consent" if app.bulk_consent else "one organisation a consent"
        typer.echo(
            f"{app.provider}  {app.client_id}  {app.environment}  {app.tier or 'no tier'}  {bulk}  {callback}"
        )
        if webhooks is not None:
            typer.echo(f"      {webhooks}")
        fault = apps.fault_sentence(app)
        if fault is not None:
            typer.echo(f"      MEND  {fault}")


def rotate_app(
    *,
    practice: PracticeOption,
    provider: ProviderOption,
    secret_file: SecretFileOption = None,
    client_id: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Give an app a new secret, valid at once for every process."""
    from tieline.credentials.apps import service as apps
    from tieline.practices import service

    if client_id is not None:
        raise typer.BadParameter("An app's client id stays: consents belong to it, and end with it.")
    secret = _read_secret(secret_file)

    async def run() -> None:
        await apps.rotate_secret(await service.locate_practice(practice), provider, secret)

    with_database(run)
    typer.echo("rotated")


def set_webhook_secret(
    *,
    practice: PracticeOption,
    provider: ProviderOption,
    secret_file: SecretFileOption = None,
    remove: Annotated[bool, typer.Option("--remove", help="The app takes no webhooks any more.")] = False,
) -> None:
    """Say what the provider signs an app's webhooks with, and print the address to register there."""
    from tieline.credentials.apps import service as apps
    from tieline.practices import service

    if remove and secret_file is not None:
        raise typer.BadParameter(
            "Enter a secret or take it away: --secret-file and --remove do not go together."
        )
    secret = None if remove else _read_secret(secret_file, "Webhook secret")

    async def run() -> str | None:
        practice_id = await service.locate_practice(practice)
        return _webhooks_of(await apps.set_webhook_secret(practice_id, provider, secret))

    address = with_database(run)
    typer.echo("removed" if remove else f"webhooks {address}")


def change_tier(
    *,
    practice: PracticeOption,
    provider: ProviderOption,
    tier: Annotated[str, typer.Argument(help="The app's tier at the provider from now on.")],
) -> None:
    """Change an app's tier: what begins from now on keeps to its limits, in every process."""
    from tieline.credentials.apps import service as apps
    from tieline.practices import service

    async def run() -> None:
        await apps.change_tier(await service.locate_practice(practice), provider, tier)

    with_database(run)
    typer.echo(tier)


def show_quota(*, practice: PracticeOption, provider: ProviderOption) -> None:
    """Show what is left of the limits that all calls of an app share."""
    from tieline.connections.quotas.service import quota_of_app
    from tieline.practices import service

    async def run() -> QuotaTold:
        return await quota_of_app(await service.locate_practice(practice), provider)

    typer.echo("\n".join(quota_lines(with_database(run))))


def _callback_of(app: App) -> str:
    from tieline.host import host

    return host().callback_url(app.provider, app.id)


def _webhooks_of(app: App) -> str | None:
    """Where its provider is to tell of changes; None where its plugin takes no webhooks."""
    from tieline.host import host
    from tieline.plugins import receiver_of

    takes_any = receiver_of(host().registry.get(app.provider)) is not None
    return host().webhook_url(app.provider, app.id) if takes_any else None


def _webhooks_line(app: App, *, is_taking: bool) -> str | None:
    address = _webhooks_of(app)
    if address is None:
        return None
    return f"webhooks  {address}  {'secret set' if is_taking else 'no secret, so none are taken'}"


def _read_secret(file: Path | None, asked: str = "Client secret") -> Secret:
    """From the file, a prompt that shows nothing, or standard input; never from the command's own words."""
    import sys

    from tieline.errors import Invalid
    from tieline.vault import Secret

    try:
        if file is not None:
            with file.open("rb") as opened:
                return Secret(opened.read(_LONGEST).decode())
        if sys.stdin.isatty():
            return Secret(typer.prompt(asked, hide_input=True, err=True))
        return Secret(sys.stdin.buffer.read(_LONGEST).decode())
    except OSError as unreadable:
        raise Invalid(f"The secret file cannot be read: {unreadable.strerror}.", field="secretFile") from None
    except UnicodeDecodeError:
        raise Invalid("The secret is not text in UTF-8.", field="secret") from None
