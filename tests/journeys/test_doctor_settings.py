"""`tieline doctor` where the settings themselves are wrong: it says so as a finding, and goes on with the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.deployment import Deployment
from tests.support.diagnosed import Diagnosed, diagnosed
from tieline.vault import generate_key

KEY = generate_key("one")
FINE: tuple[str, str, list[str]] = ("ok", "all that is needed is set", [])
_AN_ENTRY = (
    "Have ids of letters, digits, '.', '_' or '-', each once; 'tieline keys generate' prints an entry."
)


@pytest.fixture(scope="module")
async def own(
    deployment: Deployment, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Diagnosed]:
    folder = tmp_path_factory.mktemp("redis")
    async with diagnosed(deployment, f"tieline_settings_{worker_id}", folder) as made:
        yield made


@pytest.mark.parametrize(
    ("ring", "said", "remedy"),
    [
        (
            "",
            "There is no encryption key",
            "Set TIELINE_ENCRYPTION_KEYS to what 'tieline keys generate' prints.",
        ),
        (
            KEY[:20],
            "The key 'one' in TIELINE_ENCRYPTION_KEYS is not 32 bytes in base64",
            "Use 'tieline keys generate'.",
        ),
        (
            f"{KEY},{KEY}",
            "TIELINE_ENCRYPTION_KEYS has an entry that is not 'id:base64', or an id twice",
            _AN_ENTRY,
        ),
    ],
    ids=["none", "too short", "twice"],
)
def test_a_ring_of_keys_that_cannot_be_read_is_to_be_mended_and_all_but_the_seals_is_looked_at(
    own: Diagnosed, ring: str, said: str, remedy: str
) -> None:
    found = own.findings(TIELINE_ENCRYPTION_KEYS=ring)

    assert found["settings"] == FINE
    assert found["encryption keys"] == ("MEND", said, [remedy])
    assert [what for what, (grade, _, _) in found.items() if grade == "MEND"] == ["encryption keys"]
    assert "apps" in found
    assert "seals" not in found


def test_an_address_of_redis_that_is_missing_is_named_and_the_database_is_looked_at(own: Diagnosed) -> None:
    found = own.without("TIELINE_REDIS_URL").findings()

    assert found["settings"] == (
        "MEND",
        "TIELINE_REDIS_URL is not set",
        ["Set TIELINE_REDIS_URL; docs/settings.md says to what."],
    )
    assert found["Redis"] == (
        "MEND",
        "TIELINE_REDIS_URL is not an address like redis://:password@host:6379/0",
        ["Set it to one."],
    )
    assert found["schema"][0] == "ok"
    assert found["seals"][0] == "ok"


def test_an_address_of_redis_that_is_none_is_a_finding_of_redis(own: Diagnosed) -> None:
    found = own.findings(TIELINE_REDIS_URL="nonsense")

    assert (found["settings"], found["Redis"][0], found["schema"][0]) == (FINE, "MEND", "ok")


def test_all_that_is_missing_is_named_at_once_and_the_plugins_are_looked_at(own: Diagnosed) -> None:
    needed = ("TIELINE_DATABASE_URL", "TIELINE_REDIS_URL", "TIELINE_ENCRYPTION_KEYS")

    found = own.without(*needed).findings()

    assert found["settings"] == (
        "MEND",
        "; ".join(f"{name} is not set" for name in needed),
        [f"Set {name}; docs/settings.md says to what." for name in needed],
    )
    mended = ["settings", "encryption keys", "Redis", "PostgreSQL"]
    assert [what for what, (grade, _, _) in found.items() if grade == "MEND"] == mended
    assert found["plugins"][0] == "ok"


def test_settings_that_do_not_fit_alone_or_together_are_named_and_not_their_values(own: Diagnosed) -> None:
    found = own.findings(
        TIELINE_PUBLIC_URL="ftp://a-secret.example",
        TIELINE_ALLOWED_ORIGINS="https://app.example, https://us:a-secret@app.example",
        TIELINE_DATABASE_POOL_SIZE="1",
        TIELINE_OIDC_AUDIENCE="us",
        TIELINE_ENVIRONMENT="production",
    )

    grade, said, remedy = found["settings"]
    assert (grade, remedy) == ("MEND", ["See docs/settings.md.", "Unset it.", "Set both, or neither."])
    assert said.startswith("TIELINE_PUBLIC_URL cannot be used (it is neither https:// nor http://localhost")
    assert "; TIELINE_DATABASE_POOL_SIZE cannot be used (" in said
    assert "; TIELINE_CLOCK=movable is refused in production; Of TIELINE_OIDC_ISSUER and " in said
    assert "; TIELINE_ALLOWED_ORIGINS cannot be used (entry 2 is not an origin like " in said
    assert "a-secret" not in said
    assert "public address" not in found, "the one that stands in is nobody's"
    assert found["schema"][0] == "ok"


def test_for_people_it_is_lines_as_well(own: Diagnosed) -> None:
    ended = own.without("TIELINE_REDIS_URL").deployment.run("doctor")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines()[:2] == [
        "MEND  settings: TIELINE_REDIS_URL is not set",
        "      Set TIELINE_REDIS_URL; docs/settings.md says to what.",
    ]


def test_what_a_restored_database_needs_is_not_begun_with_settings_that_do_not_fit(own: Diagnosed) -> None:
    ended = own.deployment.run("doctor", "--after-restore", "--yes", TIELINE_ENCRYPTION_KEYS="")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("tieline: There is no encryption key: ")
