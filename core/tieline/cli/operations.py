"""`tieline doctor`, `plugins` and `keys`: is this deployment fit; what it can connect to; the ring of its keys."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tieline.cli.rotation import rotate


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
    app.command("plugins")(plugins)
    keys = typer.Typer(no_args_is_help=True, help="The ring of encryption keys.")
    keys.command("generate")(generate)
    keys.command("rotate")(rotate)
    app.add_typer(keys, name="keys")


def doctor() -> None:
    """Check the deployment and say what to do; exit 1 when something must be mended."""
    from tieline.cli.diagnosis import diagnose
    from tieline.settings import load_settings

    findings = asyncio.run(diagnose(load_settings()))
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.fine else 'MEND'}  {finding.what}: {finding.said}")
        for line in finding.remedy:
            typer.echo(f"      {line}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def plugins() -> None:
    """List the providers' plugins that are loaded: slug, name, distribution, version, version of the contract."""
    from tieline import plugins as provided
    from tieline.settings import PluginSettings, load

    loaded = provided.load(load(PluginSettings).allowed_plugins).plugins
    for one in loaded:
        typer.echo(
            f"{one.slug}  {one.name}  {one.distribution} {one.version}  contract {one.contract_version}"
        )
    if not loaded:
        typer.echo(
            "None is installed. Install one, such as tieline-xero: without it, nothing can be connected."
        )


def generate(
    key_id: Annotated[str, typer.Argument(help="A short name for the key, such as the month.")] = "k1",
) -> None:
    """Print a fresh entry for TIELINE_ENCRYPTION_KEYS; put it first, keep the old ones behind it."""
    from tieline.vault import Vault, generate_key

    entry = generate_key(key_id)
    Vault.from_text(entry)
    typer.echo(entry)
