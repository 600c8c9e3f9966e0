"""Where the operator says that a lapse is told only to tokens that open the company, it proves them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.sign_ins.test_exchange import at_intuit
from tieline import host
from tieline.plugins.registry import Registry
from tieline.sign_ins.service import answer_consent
from tieline_quickbooks import QuickBooks


@pytest.mark.parametrize("is_proof", [True, False])
async def test_a_lapse_proves_tokens_only_where_the_operator_says_so(desk: Desk, *, is_proof: bool) -> None:
    app_id, sign_in_id, parameters = await at_intuit(desk)
    there = host.host()
    settled = QuickBooks().settled({"lapse_is_proof": is_proof, "monthly_reads": 500_000})
    fault: dict[str, Any] = {"organisation": parameters["realmId"], "status": 400, "code": "6190"}
    await desk.sandbox.plant("fault", "companyinfo", **fault)

    host.install(replace(there, registry=Registry.of(settled)))
    try:
        answer = await answer_consent("quickbooks", app_id, parameters)
    finally:
        host.install(there)

    assert answer.proof is not None
    [round_] = await desk.rounds(sign_in_id)
    assert round_["unchecked"] is not is_proof
