"""What letting go asks of rounds costs little, however many sign-ins a practice has had."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.support.plans import explained, forget_statistics, handled, sent_by
from tests.support.sandbox import Person
from tieline import clock
from tieline.credentials.uses.repository import uses_of_credential
from tieline.database import scope
from tieline.ids import AppId, CredentialId, RoundId
from tieline.sign_ins.rounds.repository import RoundRepository

HISTORY = """
WITH old AS (
     INSERT INTO sign_in (id, practice_id, person_id, provider_app_id, purpose, products, state, created_at, changed_at)
     SELECT gen_random_uuid(), $1, $2, $3, 'CONNECT', '{BOOKKEEPING}', 'EXPIRED', $4, $4
       FROM generate_series(1, 3000)
     RETURNING practice_id, id)
INSERT INTO consent_round (id, practice_id, sign_in_id, state_hash, verifier_sealed, code_hash, outcome, subject,
                           credential_id, proof_until, taken_at, created_at, expires_at)
SELECT overlay(gen_random_uuid()::text PLACING '00' FROM 1 FOR 2)::uuid, old.practice_id, old.id,
       decode(replace(old.id::text, '-', '') || n, 'hex'), '',
       CASE WHEN n = '02' THEN decode('00', 'hex') END, CASE WHEN n = '02' THEN 'GRANTED' END,
       CASE WHEN n = '02' THEN $5 END, CASE WHEN n = '02' THEN $6::uuid END,
       CASE WHEN n = '02' THEN $4::timestamptz END,
       CASE WHEN n = '02' THEN $4::timestamptz END, $4, $4
  FROM old CROSS JOIN (VALUES ('01'), ('02')) AS kinds (n)
"""
"""A round that nobody came back with and one that was taken long ago, as its id says, for each of many sign-ins."""

TABLES = ("sign_in", "consent_round", "sign_in_organisation")

Asked = Callable[[Desk, AppId, CredentialId, str], Awaitable[Any]]


async def open_until(desk: Desk, app_id: AppId, _: CredentialId, __: str) -> Any:
    return await RoundRepository.of(desk.practice_id).open_until(app_id, at=clock.now())


async def pending(desk: Desk, app_id: AppId, _: CredentialId, subject: str) -> Any:
    return await RoundRepository.of(desk.practice_id).pending_subject(app_id, subject, at=clock.now())


async def exchanged_until(desk: Desk, app_id: AppId, _: CredentialId, __: str) -> Any:
    return await RoundRepository.of(desk.practice_id).exchanged_until(app_id, at=clock.now())


async def waiting(desk: Desk, app_id: AppId, _: CredentialId, subject: str) -> Any:
    return await RoundRepository.of(desk.practice_id).waiting(app_id, subject)


async def used(desk: Desk, _: AppId, credential_id: CredentialId, __: str) -> Any:
    return await uses_of_credential(desk.practice_id, credential_id, at=clock.now())


async def close_oldest(desk: Desk, _: AppId, __: CredentialId, ___: str) -> Any:
    assert desk.admin.person_id is not None
    at = clock.now()
    return await RoundRepository.of(desk.practice_id).close_oldest(desk.admin.person_id, keep=9, at=at)


@pytest.mark.parametrize("ask", [open_until, exchanged_until, pending, waiting, used, close_oldest])
@pytest.mark.parametrize("is_analyzed", [False, True])
async def test_rounds_that_are_over_are_not_looked_at(
    desk: Desk, kim: Person, ask: Asked, *, is_analyzed: bool
) -> None:
    await desk.ready(kim)
    [credential] = await desk.credentials()
    long_ago = clock.now() - timedelta(days=30)
    whose = (desk.practice_id, desk.admin.person_id, desk.app.id, long_ago, kim.id, credential["id"])
    await desk.above.execute(HISTORY, *whose)
    await desk.consented(kim)
    await desk.start()
    await forget_statistics(desk.above, *TABLES)
    if is_analyzed:
        await desk.above.execute(f"ANALYZE {', '.join(TABLES)}")

    async def asked() -> None:
        async with scope(desk.practice_id):
            await ask(desk, desk.app.id, credential["id"], kim.id)

    nodes = await explained(desk.practice_id, await sent_by(asked))

    read = [node for node in nodes if node.get("Relation Name") in {"consent_round", "sign_in"}]
    found_by = [node.get("Index Cond", "") for node in read if node["Relation Name"] == "sign_in"]
    assert found_by
    assert [condition for condition in found_by if "(id = " not in condition] == []
    assert [node for node in read if handled(node) > 20] == []


@pytest.mark.parametrize("is_analyzed", [False, True])
async def test_whether_a_code_was_there_before_is_asked_of_the_youngest_rounds(
    desk: Desk, kim: Person, *, is_analyzed: bool
) -> None:
    await desk.ready(kim)
    [credential] = await desk.credentials()
    long_ago = clock.now() - timedelta(days=30)
    whose = (desk.practice_id, desk.admin.person_id, desk.app.id, long_ago, kim.id, credential["id"])
    await desk.above.execute(HISTORY, *whose)
    [round_] = await desk.rounds((await desk.start()).sign_in.id)
    await forget_statistics(desk.above, *TABLES)
    if is_analyzed:
        await desk.above.execute(f"ANALYZE {', '.join(TABLES)}")

    async def claimed() -> None:
        async with scope(desk.practice_id):
            rounds = RoundRepository.of(desk.practice_id)
            assert await rounds.claim(RoundId(round_["id"]), b"a code", at=clock.now())

    sent = await sent_by(claimed)
    await desk.above.execute("UPDATE consent_round SET code_hash = NULL WHERE id = $1", round_["id"])
    nodes = await explained(desk.practice_id, sent)

    read = [node for node in nodes if node.get("Relation Name") == "consent_round"]
    assert [node["Actual Loops"] for node in read] == [1] * 3  # claimed, found to be claimed, looked for
    assert [node for node in read if handled(node) > 20] == []
