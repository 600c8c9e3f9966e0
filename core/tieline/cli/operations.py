"""`tieline doctor`, `plugins` and `keys`: is this deployment fit; what it can connect to; the ring of its keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tieline.cli.opened import with_database
from tieline.cli.rotation import rotate

if TYPE_CHECKING:
    from tieline.diagnosis.finding import Finding
    from tieline.settings import Settings

_OLD_ONE_IS_GONE = (
    "The events of all practices are deleted next, for good: what front ends hold is refused with CURSOR_EXPIRED, and "
    "they load their pages again. Tokens are renewed, which ends the consents of a deployment that still uses them. "
    "Is the one that was backed up stopped for good?"
)


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
    app.command("plugins")(plugins)
    keys = typer.Typer(no_args_is_help=True, help="The ring of encryption keys.")
    keys.command("generate")(generate)
    keys.command("rotate")(rotate)
    app.add_typer(keys, name="keys")


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for monitoring.")] = False,
    after_restore: Annotated[
        bool,
        typer.Option(
            "--after-restore", help="First make a database that came out of a backup fit to start from."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --after-restore: the old deployment is gone for good.")
    ] = False,
) -> None:
    """Check the deployment and say what to do; exit 1 when something must be mended."""
    from tieline import log
    from tieline.diagnosis.environment import read_environment
    from tieline.diagnosis.finding import Grade
    from tieline.diagnosis.service import diagnose
    from tieline.settings import load_settings

    environment = read_environment()
    log.configure(format=environment.settings.log_format, level="ERROR")  # findings say it
    if after_restore:
        _begin_anew(load_settings(), is_sure=yes)
    findings = asyncio.run(diagnose(environment))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _show(findings)
    if any(finding.grade is Grade.MEND for finding in findings):
        raise typer.Exit(1)


def _show(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{finding.grade:<4}  {finding.what}: {finding.said}")
        for line in finding.remedy:
            typer.echo(f"      {line}")


def _begin_anew(settings: Settings, *, is_sure: bool) -> None:
    from tieline.diagnosis.finding import counted
    from tieline.diagnosis.restored.service import begin_anew, refuse_while_running

    asyncio.run(refuse_while_running(settings))
    if not is_sure:
        typer.confirm(_OLD_ONE_IS_GONE, abort=True, err=True)
    done = with_database(begin_anew)
    typer.echo(
        f"A new feed of events has begun, without {counted(done.events, 'event')} of before. "
        f"{counted(done.jobs, 'job')} freed. The tokens of {counted(done.logins, 'login')} are to be renewed "
        "within 10 minutes: start the workers.",
        err=True,
    )


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
