"""Refreshes are counted by what came of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.credentials.holding import Holding
from tests.support.counted import Counted
from tieline.errors import ConsentGone, ProviderUnavailable

TOO_OLD = timedelta(minutes=31)
REFRESHES = "tieline_refreshes_total"


async def test_each_refresh_counts_once_as_renewed_failed_or_rejected(holding: Holding, clock: Any) -> None:
    counted, provider = Counted(), holding.app.provider
    await holding.tokens.access()
    assert counted.more(REFRESHES) == {}

    await clock(TOO_OLD)
    await holding.tokens.access()
    assert counted.more(REFRESHES) == {("renewed", provider): 1}
    assert counted.more("tieline_provider_calls_total") == {("ok", provider): 1}

    await clock(TOO_OLD)
    await holding.sandbox.plant("status", "token", status=503)
    with pytest.raises(ProviderUnavailable):
        await holding.tokens.access()
    await holding.sandbox.revoke(holding.portal, holding.person)
    with pytest.raises(ConsentGone):
        await holding.tokens.access()

    assert counted.more(REFRESHES) == {
        ("renewed", provider): 1,
        ("failed", provider): 1,
        ("rejected", provider): 1,
    }
