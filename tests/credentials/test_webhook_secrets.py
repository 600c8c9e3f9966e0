"""What webhooks are signed with: entered by the operator, sealed, listed as there or not, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.credentials.test_apps import SECRET, add, practice_id, tieline
from tests.support.books import Books, pretending
from tests.support.deployment import Deployment
from tieline.credentials.apps.service import NewApp, add_app, list_apps, set_webhook_secret, taking_webhooks
from tieline.errors import Invalid
from tieline.ids import AppId, PracticeId
from tieline.vault import Place, Secret, Vault

__all__ = ["practice_id"]

OTHER = "another-secret-that-is-shown-nowhere"


@pytest.fixture
async def app_id(practice_id: PracticeId) -> AppId:
    return (await add_app(practice_id, NewApp(provider="xero", client_id="ABC123", secret=Secret(OTHER)))).id


async def opened_secret(opened: Deployment, practice_id: PracticeId, app_id: AppId) -> str | None:
    """What stands sealed for webhooks."""
    connection = await opened.connect()
    sealed = await connection.fetchval("SELECT webhook_secret_sealed FROM provider_app WHERE id = $1", app_id)
    await connection.close()
    if sealed is None:
        return None
    place = Place(
        practice_id=practice_id, table="provider_app", row_id=app_id, column="webhook_secret_sealed"
    )
    ring = Vault.from_text(opened.environment["TIELINE_ENCRYPTION_KEYS"])
    assert SECRET.encode() not in sealed
    return ring.open(sealed, place).reveal()


async def test_the_command_sets_lists_and_takes_away(
    opened: Deployment, practice_id: PracticeId, app_id: AppId
) -> None:
    whose = ("--practice", str(practice_id))
    address = f"{opened.settings.public_url}/webhooks/xero/{app_id}"

    told = tieline(opened, "app", "webhook", *whose, "--provider", "xero", said=f" {SECRET}\n")
    sealed = await opened_secret(opened, practice_id, app_id)
    listed = tieline(opened, "app", "list", *whose)
    removed = tieline(opened, "app", "webhook", *whose, "--provider", "xero", "--remove")

    assert (told.returncode, told.stdout) == (0, f"webhooks {address}\n")
    assert sealed == SECRET
    assert listed.stdout.splitlines()[1] == f"      webhooks  {address}  secret set"
    assert (removed.returncode, removed.stdout) == (0, "removed\n")
    assert await opened_secret(opened, practice_id, app_id) is None
    assert await taking_webhooks(practice_id) == frozenset()


async def test_it_may_be_entered_with_the_app(
    opened: Deployment, practice_id: PracticeId, tmp_path: Path
) -> None:
    file = tmp_path / "webhooks"
    file.write_text(f"{SECRET}\n")

    told = add(opened, practice_id, said=OTHER, webhook_secret_file=str(file))

    assert told.returncode == 0, told.stderr
    (app,) = await list_apps(practice_id)
    assert await opened_secret(opened, practice_id, app.id) == SECRET
    assert await taking_webhooks(practice_id) == {app.id}


async def test_what_does_not_fit_is_refused_in_one_sentence(
    opened: Deployment, practice_id: PracticeId
) -> None:
    whose = ("--practice", str(practice_id), "--provider")

    none = tieline(opened, "app", "webhook", *whose, "xero")
    unknown = tieline(opened, "app", "webhook", *whose, "sage")
    await add_app(practice_id, NewApp(provider="xero", client_id="ABC123", secret=Secret(OTHER)))
    empty = tieline(opened, "app", "webhook", *whose, "xero", said=" \n")
    both = tieline(opened, "app", "webhook", *whose, "xero", "--remove", "--secret-file", __file__)

    assert {told.returncode for told in (none, unknown, empty)} == {1}
    assert both.returncode == 2
    assert "Enter a secret or take it away" in both.stderr
    assert none.stderr == "tieline: This practice has no app at xero yet: 'tieline app add' adds it.\n"
    assert unknown.stderr.startswith("tieline: There is no provider 'sage'; installed: ")
    assert empty.stderr == "tieline: A webhook secret has 1 to 500 printable characters, on one line.\n"


async def test_a_provider_whose_plugin_takes_none_gets_none(books: Books) -> None:
    with pretending(), pytest.raises(Invalid, match="The plugin of Pretend takes no webhooks"):
        await set_webhook_secret(books.practice_id, "pretend", Secret(SECRET))
