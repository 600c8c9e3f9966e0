"""`tieline plugins`: what a deployment can connect to, as whoever runs it sees it."""

from __future__ import annotations

import os
from importlib.metadata import version

from tests.support.deployment import RUN_SECONDS, Deployment
from tests.support.forked import run_forked

QUICKBOOKS = f"quickbooks  QuickBooks Online  tieline-quickbooks {version('tieline-quickbooks')}  contract 1"
XERO = f"xero  Xero  tieline-xero {version('tieline-xero')}  contract 1"


def test_every_plugin_is_listed_with_its_distribution_and_contract(deployment: Deployment) -> None:
    listed = deployment.run("plugins")

    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines() == [QUICKBOOKS, XERO]


def test_only_those_that_may_be_loaded_are(deployment: Deployment) -> None:
    assert deployment.run("plugins", TIELINE_PLUGINS="xero").stdout.splitlines() == [XERO]

    unknown = deployment.run("plugins", TIELINE_PLUGINS="sage")

    assert unknown.returncode == 1
    assert "names the plugin 'sage', which is not installed" in unknown.stderr


def test_they_are_listed_before_there_is_a_database_or_a_key() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TIELINE_")}

    listed = run_forked(("plugins",), bare, seconds=RUN_SECONDS)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines() == [QUICKBOOKS, XERO]
