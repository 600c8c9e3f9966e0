"""`tieline app`: what an operator gives and is told; the secret is shown nowhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import Deployment
from tests.support.forked import run_forked
from tests.support.polling import wait_until
from tieline.credentials.apps.service import NewApp, add_app, change_tier, endpoints_of, list_apps
from tieline.database import scope
from tieline.errors import Invalid
from tieline.host import host
from tieline.ids import PracticeId, new_id
from tieline.practices.service import NewMember, create_practice
from tieline.principal import Role
from tieline.vault import Place, Secret

SECRET = "s3cret-of-the-app-that-is-shown-nowhere"
TIERS = "Xero has the tiers starter, core, plus, advanced, enterprise."


async def practice() -> PracticeId:
    admin = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    return (await create_practice(f"Firm {new_id()}", admin=admin)).id


@pytest.fixture
async def practice_id(opened: Deployment) -> AsyncIterator[PracticeId]:
    """A practice; what has been added to it is free for others when the test is over."""
    made = await practice()
    yield made
    connection = await opened.connect()
    await connection.execute("DELETE FROM provider_app WHERE practice_id = $1", made)
    await connection.close()


def tieline(
    deployment: Deployment, *arguments: str, said: str | bytes = SECRET, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with this on its standard input; nothing of it may come back."""
    given = said if isinstance(said, bytes) else said.encode()
    told = run_forked(arguments, deployment.environment | more, said=given, seconds=60)
    assert SECRET not in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    return told


def add(
    deployment: Deployment, practice_id: PracticeId, *more: str, said: str | bytes = SECRET, **options: str
) -> subprocess.CompletedProcess[str]:
    wanted = {"practice": str(practice_id), "provider": "xero", "client-id": "ABC123"} | {
        name.replace("_", "-"): value for name, value in options.items()
    }
    arguments = [part for name, value in wanted.items() for part in (f"--{name}", value)]
    return tieline(deployment, "app", "add", *arguments, *more, said=said)


async def test_an_app_is_added_and_its_callback_address_told(
    opened: Deployment, practice_id: PracticeId
) -> None:
    told = add(opened, practice_id, "--bulk-consent", said=f"  {SECRET}\n")

    assert told.returncode == 0, told.stderr
    (app,) = await list_apps(practice_id)
    assert told.stdout.splitlines() == [
        f"app      {app.id}",
        f"callback {opened.settings.public_url}/oauth/xero/{app.id}/callback",
        f"webhooks {opened.settings.public_url}/webhooks/xero/{app.id}",
    ]
    assert (app.client_id, app.environment, app.base_url, app.bulk_consent) == ("ABC123", "LIVE", None, True)
    assert await _secret(opened, practice_id, app.id) == SECRET


async def test_a_sandbox_is_another_place_and_so_another_environment(
    opened: Deployment, practice_id: PracticeId
) -> None:
    told = add(opened, practice_id, sandbox_url="http://localhost:9100/xero/")

    assert told.returncode == 0, told.stderr
    (app,) = await list_apps(practice_id)
    assert (app.environment, app.base_url, app.bulk_consent) == (
        "SANDBOX",
        "http://localhost:9100/xero",
        False,
    )


async def test_development_keys_speak_to_the_providers_own_sandbox_and_production_keys_do_not(
    opened: Deployment, practice_id: PracticeId
) -> None:
    other_id = await practice()
    development = add(opened, practice_id, "--development-keys", provider="quickbooks", client_id="DEV1")
    production = add(opened, other_id, provider="quickbooks", client_id="PROD1")
    listed = tieline(opened, "app", "list", "--practice", str(practice_id))

    assert (development.returncode, production.returncode) == (0, 0), development.stderr + production.stderr
    ((sandbox,), (live,)) = await list_apps(practice_id), await list_apps(other_id)
    assert (sandbox.environment, sandbox.base_url, live.environment) == ("SANDBOX", None, "LIVE")
    assert endpoints_of(sandbox).api == "https://sandbox-quickbooks.api.intuit.com"
    assert endpoints_of(live).api == "https://quickbooks.api.intuit.com"
    assert "sandbox-accounts.platform.intuit.com" in str(endpoints_of(sandbox).userinfo)
    assert endpoints_of(sandbox).token == endpoints_of(live).token
    assert listed.stdout.startswith("quickbooks  DEV1  SANDBOX  no tier  ")
    connection = await opened.connect()
    await connection.execute("DELETE FROM provider_app WHERE practice_id = $1", other_id)
    await connection.close()


async def test_the_secret_may_come_from_a_file(
    opened: Deployment, practice_id: PracticeId, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")

    told = add(opened, practice_id, secret_file=str(file), said="not this one")

    assert told.returncode == 0, told.stderr
    (app,) = await list_apps(practice_id)
    assert await _secret(opened, practice_id, app.id) == SECRET


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"provider": "sage"}, "There is no provider 'sage'; installed: .*xero"),
    ({"practice": "Nobody & Sons"}, "There is no practice 'Nobody & Sons'"),
    ({"client_id": "two words"}, "A client id has 1 to 200 characters"),
    ({"said": ""}, "A client secret has 1 to 500 printable characters"),
    ({"said": b"\xff\xfe" + SECRET.encode()}, "The secret is not text in UTF-8"),
    ({"secret_file": "/nowhere/at/all"}, "The secret file cannot be read: No such file"),
    ({"secret_file": "/"}, "The secret file cannot be read: Is a directory"),
    ({"sandbox_url": "http://sandbox.example"}, "A sandbox's address is https://"),
    ({"more": ("--development-keys",)}, "Xero has no sandbox of its own, and so no development keys"),
    (
        {"more": ("--development-keys",), "provider": "quickbooks", "sandbox_url": "http://localhost:9100"},
        "Development keys are for the provider's own sandbox, not for a server at another address",
    ),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG)
async def test_what_does_not_fit_is_refused_in_one_sentence(
    opened: Deployment, practice_id: PracticeId, options: dict[str, Any], sentence: str
) -> None:
    more, given = options.get("more", ()), {name: options[name] for name in options if name != "more"}

    told = add(opened, practice_id, *more, **given)

    assert told.returncode == 1
    assert told.stdout == ""
    assert re.fullmatch(rf"tieline: {sentence}.*\.\n", told.stderr), told.stderr
    assert await list_apps(practice_id) == []


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"client_id": "  "}, "clientId"),
    ({"client_id": "x" * 201}, "clientId"),
    ({"client_id": "caf\u00e9"}, "clientId"),
    ({"secret": Secret(" \n ")}, "secret"),
    ({"secret": Secret("x" * 501)}, "secret"),
    ({"secret": Secret(f"{SECRET}\nsecond line")}, "secret"),
    ({"secret": Secret(f"{SECRET}\x00")}, "secret"),
    ({"sandbox_url": ""}, "sandboxUrl"),
    ({"sandbox_url": "ftp://localhost"}, "sandboxUrl"),
    ({"sandbox_url": "http://localhost:9100/x?y=1"}, "sandboxUrl"),
    ({"sandbox_url": "http://localhost/#x"}, "sandboxUrl"),
    ({"sandbox_url": "http://localhost@evil.example"}, "sandboxUrl"),
    ({"sandbox_url": "http://localhost.evil.example"}, "sandboxUrl"),
    ({"sandbox_url": "https://user:word@sandbox.example"}, "sandboxUrl"),
    ({"sandbox_url": "http://localhost:99999"}, "sandboxUrl"),
    ({"sandbox_url": "http://localhost:0"}, "sandboxUrl"),
    ({"sandbox_url": "https://s.example/" + "x" * 300}, "sandboxUrl"),
]


@pytest.mark.parametrize(("values", "field"), MISFITS)
async def test_each_value_is_checked(practice_id: PracticeId, values: dict[str, Any], field: str) -> None:
    fitting: dict[str, Any] = {"provider": "xero", "client_id": "ABC123", "secret": Secret(SECRET)}

    with pytest.raises(Invalid) as refused:
        await add_app(practice_id, NewApp(**fitting | values))

    assert refused.value.field == field
    assert SECRET not in str(refused.value)
    assert await list_apps(practice_id) == []


FITTING = [
    "http://localhost:9100/xero/",
    "http://127.0.0.1:1",
    "http://[::1]:65535",
    "https://sandbox.example",
    "https://sandbox.example:8443/a-b/c_d.e",
]


@pytest.mark.parametrize("url", FITTING)
async def test_the_providers_addresses_move_to_the_sandbox(practice_id: PracticeId, url: str) -> None:
    new = NewApp(provider="xero", client_id="ABC123", secret=Secret(SECRET), sandbox_url=url)

    endpoints = endpoints_of(await add_app(practice_id, new))

    assert endpoints.token == url.rstrip("/") + "/connect/token"


async def test_a_practice_has_one_app_at_a_provider(opened: Deployment, practice_id: PracticeId) -> None:
    assert add(opened, practice_id).returncode == 0

    told = add(opened, practice_id, client_id="DEF456")

    assert told.returncode == 1
    assert told.stderr == (
        "tieline: This practice has an app at xero already: 'tieline app list' shows it, "
        "'tieline app rotate' gives it a new secret.\n"
    )
    assert [app.client_id for app in await list_apps(practice_id)] == ["ABC123"]


async def test_a_client_id_is_one_practices_at_one_place(opened: Deployment, practice_id: PracticeId) -> None:
    other_id, third_id = await practice(), await practice()
    assert add(opened, practice_id).returncode == 0

    told = add(opened, other_id)
    at_a_sandbox = add(opened, other_id, sandbox_url="http://localhost:9100/xero")
    at_the_same = add(opened, third_id, sandbox_url="http://localhost:9100/xero")

    assert (told.returncode, at_a_sandbox.returncode, at_the_same.returncode) == (1, 0, 1)
    assert told.stderr == at_the_same.stderr
    assert told.stderr == (
        "tieline: This client id is another practice's app already: each practice needs an app of its own.\n"
    )
    assert await list_apps(third_id) == []
    connection = await opened.connect()
    await connection.execute("DELETE FROM provider_app WHERE practice_id = $1", other_id)
    await connection.close()


async def test_the_list_tells_everything_but_the_secret(opened: Deployment, practice_id: PracticeId) -> None:
    add(opened, practice_id, "--bulk-consent")
    (app,) = await list_apps(practice_id)
    callback = f"{opened.settings.public_url}/oauth/xero/{app.id}/callback"

    told = tieline(opened, "app", "list", "--practice", str(practice_id))
    connection = await opened.connect()
    await connection.execute("UPDATE provider_app SET fault = 'PROVIDER_MISCONFIGURED' WHERE id = $1", app.id)
    await connection.close()
    refused = tieline(opened, "app", "list", "--practice", str(practice_id))

    webhooks = f"{opened.settings.public_url}/webhooks/xero/{app.id}"
    assert told.stdout.splitlines() == [
        f"xero  ABC123  LIVE  no tier  bulk consent  {callback}",
        f"      webhooks  {webhooks}  no secret, so none are taken",
    ]
    assert refused.stdout.splitlines()[2] == (
        "      MEND  The provider does not accept this client id and secret: "
        "look there which are valid, then use 'tieline app rotate'."
    )


async def test_a_tier_is_one_of_the_providers(opened: Deployment, practice_id: PracticeId) -> None:
    refused = add(opened, practice_id, tier="platinum")
    done = add(opened, practice_id, tier="core")

    assert (refused.returncode, refused.stderr.strip()) == (1, f"tieline: {TIERS}")
    assert done.returncode == 0, done.stderr
    assert [app.tier for app in await list_apps(practice_id)] == ["core"]


async def test_a_tier_is_changed_to_another_of_the_providers(
    opened: Deployment, practice_id: PracticeId
) -> None:
    whose = ("--practice", str(practice_id), "--provider", "xero")
    with pytest.raises(Invalid, match="no app at xero yet: 'tieline app add' adds it"):
        await change_tier(practice_id, "xero", "core")
    await add_app(practice_id, NewApp(provider="xero", client_id="ABC123", secret=Secret(SECRET)))

    refused = tieline(opened, "app", "tier", *whose, "platinum")
    done = tieline(opened, "app", "tier", *whose, "core")

    assert (refused.returncode, refused.stderr.strip()) == (1, f"tieline: {TIERS}")
    assert (done.returncode, done.stdout) == (0, "core\n")
    assert [app.tier for app in await list_apps(practice_id)] == ["core"]


async def test_a_secret_is_rotated(opened: Deployment, practice_id: PracticeId) -> None:
    add(opened, practice_id, said="the old one")
    (app,) = await list_apps(practice_id)

    told = tieline(opened, "app", "rotate", "--practice", str(practice_id), "--provider", "xero")

    assert (told.returncode, told.stdout) == (0, "rotated\n")
    assert await _secret(opened, practice_id, app.id) == SECRET


async def test_what_cannot_be_rotated_is_refused_in_one_sentence(
    opened: Deployment, practice_id: PracticeId
) -> None:
    whose = ("--practice", str(practice_id), "--provider")

    none = tieline(opened, "app", "rotate", *whose, "xero")
    unknown = tieline(opened, "app", "rotate", *whose, "sage")
    add(opened, practice_id)
    other_id = tieline(opened, "app", "rotate", *whose, "xero", "--client-id", "DEF456")
    empty = tieline(opened, "app", "rotate", *whose, "xero", said="")

    assert none.stderr == "tieline: This practice has no app at xero yet: 'tieline app add' adds it.\n"
    assert unknown.stderr.startswith("tieline: There is no provider 'sage'; installed: ")
    assert "An app's client id stays: consents belong to it, and end with it." in _joined(other_id.stderr)
    assert other_id.returncode == 2
    assert empty.stderr.startswith("tieline: A client secret has 1 to 500 printable characters")


def test_the_secret_is_in_no_process_list(deployment: Deployment, practice_id: PracticeId) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tieline", "app", "add", "--practice", str(practice_id)),
            *("--provider", "xero", "--client-id", "ABC123"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=deployment.environment,
    )
    shown = Path(f"/proc/{process.pid}")
    try:
        wait_until(lambda: b"client-id" in (shown / "cmdline").read_bytes(), "the command runs")
        said = (shown / "cmdline").read_bytes() + (shown / "environ").read_bytes()
        process.communicate(SECRET.encode(), timeout=60)
    finally:
        process.kill()

    assert process.returncode == 0
    assert SECRET.encode() not in said


def _joined(text: str) -> str:
    """Without the frame that Typer draws around what it says."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


async def _secret(deployment: Deployment, practice_id: PracticeId, app_id: Any) -> str:
    connection = await deployment.connect()
    sealed = await connection.fetchval("SELECT secret_sealed FROM provider_app WHERE id = $1", app_id)
    await connection.close()
    assert SECRET.encode() not in sealed
    place = Place(practice_id=practice_id, table="provider_app", row_id=app_id, column="secret_sealed")
    async with scope(practice_id):
        return host().vault.open(sealed, place).reveal()
