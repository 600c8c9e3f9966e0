"""Tokens and secrets stand nowhere in the open: not in the database, not in logs, not in errors."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.credentials.holding import Holding, secret_of
from tieline.credentials.letting_go import let_go_credential
from tieline.credentials.pairs import Pair
from tieline.credentials.refreshing import stored
from tieline.credentials.revoking import revoke
from tieline.errors import ProviderError
from tieline.vault import Secret

TOO_OLD = timedelta(minutes=31)
TABLES = ("credential", "provider_app", "consent_round", "sign_in", "job", "event")


async def test_no_table_holds_a_token_or_a_secret_in_the_open(holding: Holding, clock: Any) -> None:
    known = await _secrets(holding)
    await clock(TOO_OLD)
    await holding.tokens.access()
    known |= await _secrets(holding)

    for table in TABLES:
        rows = await holding.above.fetch(f"SELECT t::text AS row FROM {table} AS t")
        text = "\n".join(row["row"] for row in rows)
        # Bytes show as hexadecimal digits.
        assert [each for each in known if each in text or each.encode().hex() in text] == []


async def test_neither_logs_nor_errors_quote_a_token_or_a_secret(
    holding: Holding, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await clock(TOO_OLD)
    known, told = await _secrets(holding), []
    caplog.set_level(logging.DEBUG)
    wrong: list[dict[str, Any]] = [
        {"kind": "drop", "times": 2},
        {"kind": "status", "status": 400, "body": {"error": "invalid_client", "said": sorted(known)}},
        {"kind": "status", "status": 400, "body": {"error": "new", "error_description": sorted(known)}},
        {"kind": "status", "status": 500, "body": sorted(known)},
        {"kind": "status", "status": 200, "body": {"access_token": ["no", *known]}},
    ]

    with capture_logs() as logs:
        for fault in wrong:
            await holding.sandbox.plant(endpoint="token", **fault)
            with pytest.raises(ProviderError) as raised:
                await holding.tokens.access()
            told += traceback.format_exception(raised.value)
        await holding.sandbox.plant("drop", "revocation")
        await let_go_credential(holding.practice_id, holding.credential.id)
        await revoke(holding.app, Secret(min(known)), await holding.turn())

    text = "\n".join([*told, repr(logs), caplog.text])
    assert "credential.app_refused" in text
    assert "credential.not_let_go" in text
    assert [each for each in known if each in text] == []


async def _secrets(holding: Holding) -> set[str]:
    """What nobody may see: both tokens and the app's secret."""
    pair: Pair = (await stored(holding.practice_id, holding.credential.id))[1]
    assert pair.refresh is not None
    secret = await secret_of(holding.sandbox, holding.portal)
    return {pair.access.reveal(), pair.refresh.reveal(), secret}
