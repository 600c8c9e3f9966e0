"""`tieline keys rotate`: all under the new key, resumable, and nothing that changes meanwhile is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextvars import Context
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.credentials.holding import Holding
from tests.support.deployment import Deployment
from tieline import host
from tieline.credentials.apps.service import set_webhook_secret
from tieline.credentials.pairs import PREVIOUS, Pair, place_of
from tieline.credentials.rotation import repository, service
from tieline.credentials.rotation.service import rotate_keys
from tieline.ids import CredentialId, PracticeId, new_id
from tieline.vault import Place, SealBroken, Secret, Vault, generate_key

TOO_OLD = timedelta(minutes=31)


@pytest.fixture
async def ring(opened: Deployment, holding: Holding) -> AsyncIterator[Vault]:
    """A ring with a new key in front of the deployment's own, and nothing sealed that was not sealed with that."""
    for table in ("sign_in", "connection", "credential", "provider_app"):
        await holding.above.execute(f"DELETE FROM {table} WHERE practice_id <> $1", holding.practice_id)
    ring = Vault.from_text(f"{generate_key('new')},{opened.environment['TIELINE_ENCRYPTION_KEYS']}")
    before = host.host()
    yield ring
    host.install(before)


async def test_everything_opens_with_the_new_key_alone_afterwards(holding: Holding, ring: Vault) -> None:
    pair, subject = await holding.consent()
    first = await holding.tokens.access()
    await holding.keep(pair, subject)
    round_id = await _round(holding)
    await set_webhook_secret(holding.practice_id, "xero", Secret("webhook_secret_sealed"))

    done = await rotate_keys(ring)

    assert [(each.rotated, each.current, each.missed, each.broken) for each in done] == [(1, 0, 0, 0)] * 6
    alone = Vault({"new": ring.keys["new"]})
    row = await holding.row()
    credential_id, practice_id = holding.credential.id, holding.practice_id
    assert (
        Pair.opened(row["tokens_sealed"], alone, place_of(practice_id, credential_id)).access == pair.access
    )
    previous = Pair.opened(row["previous_sealed"], alone, place_of(practice_id, credential_id, PREVIOUS))
    assert previous.access == first
    for column in ("verifier_sealed", "tokens_sealed"):
        sealed = await _value(holding, "consent_round", column, round_id)
        place = Place(practice_id=practice_id, table="consent_round", row_id=round_id, column=column)
        assert alone.open(sealed, place) == Secret(column)
    secret = await _value(holding, "provider_app", "secret_sealed", holding.app.id)
    place = Place(
        practice_id=practice_id, table="provider_app", row_id=holding.app.id, column="secret_sealed"
    )
    assert alone.open(secret, place).reveal()
    for_webhooks = await _value(holding, "provider_app", "webhook_secret_sealed", holding.app.id)
    place = replace(place, column="webhook_secret_sealed")
    assert alone.open(for_webhooks, place) == Secret("webhook_secret_sealed")


async def test_no_sealed_column_is_forgotten(holding: Holding) -> None:
    rows = await holding.above.fetch(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name LIKE '%sealed%'"
    )

    assert {(row["table_name"], row["column_name"]) for row in rows} == {
        (column.table, column.name) for column in repository.COLUMNS
    }


async def test_an_interrupted_rotation_goes_on_where_it_is_called_again(
    holding: Holding, ring: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = [await _round(holding) for _ in range(5)]
    monkeypatch.setattr(service, "_BATCH", 2)
    replaced, batches = repository.replace_sealed, 0

    async def dies(column: Any, fresh: Any) -> int:
        nonlocal batches
        batches += 1
        if batches == 4:
            raise KeyboardInterrupt
        return await replaced(column, fresh)

    monkeypatch.setattr(service, "replace_sealed", dies)
    with pytest.raises(KeyboardInterrupt):
        await rotate_keys(ring)
    monkeypatch.setattr(service, "replace_sealed", replaced)
    under_new = [await _key_of(holding, each) for each in rounds].count("new")

    done = {f"{each.column.table}.{each.column.name}": each for each in await rotate_keys(ring)}

    assert 0 < under_new < 5
    of_verifiers = done["consent_round.verifier_sealed"]
    assert (of_verifiers.rotated, of_verifiers.current) == (5 - under_new, under_new)
    assert [await _key_of(holding, each) for each in rounds] == ["new"] * 5
    assert sum(each.rotated for each in await rotate_keys(ring)) == 0


async def test_a_refresh_in_the_middle_of_a_rotation_is_not_lost(
    holding: Holding, ring: Vault, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    # A process that was not started anew with the new key in front: what it stores is under the old one.
    behind = Vault(dict(reversed(ring.keys.items())))
    host.install(replace(host.host(), vault=behind))
    await clock(TOO_OLD)
    replaced = repository.replace_sealed
    refreshed: list[Secret] = []

    async def slow(column: Any, fresh: Any) -> int:
        if column.name == "tokens_sealed" and column.table == "credential" and not refreshed:
            # In a task of its own context: the rotation's transaction is open here.
            task = asyncio.get_running_loop().create_task(_access(holding), context=Context())
            refreshed.append(await task)
        return await replaced(column, fresh)

    monkeypatch.setattr(service, "replace_sealed", slow)
    done = {f"{each.column.table}.{each.column.name}": each for each in await rotate_keys(ring)}

    host.install(replace(host.host(), vault=ring))
    assert await holding.tokens.access() == refreshed[0]
    of_tokens = done["credential.tokens_sealed"]
    assert (of_tokens.rotated, of_tokens.missed) == (1, 0)
    assert len(await holding.refreshes()) == 1
    assert Vault.key_id((await holding.row())["tokens_sealed"]) == "new"


@pytest.mark.usefixtures("ring")
async def test_what_cannot_be_opened_is_counted_and_left(holding: Holding, opened: Deployment) -> None:
    lost = Vault.from_text(generate_key("lost"))
    place = place_of(holding.practice_id, holding.credential.id)
    sealed = lost.seal(Secret("{}"), place)
    await holding.above.execute(
        "UPDATE credential SET tokens_sealed = $2 WHERE id = $1", holding.credential.id, sealed
    )
    keys = f"{generate_key('newer')},{opened.environment['TIELINE_ENCRYPTION_KEYS']}"

    told = opened.run("keys", "rotate", TIELINE_ENCRYPTION_KEYS=keys)

    assert told.returncode == 1
    assert "credential.tokens_sealed: 0 sealed anew, 0 were already" in told.stdout
    assert "provider_app.secret_sealed: 1 sealed anew, 0 were already" in told.stdout
    assert "1 cannot be opened with any key of the ring" in told.stderr
    assert "Traceback" not in told.stderr
    assert (await holding.row())["tokens_sealed"] == sealed


@pytest.mark.usefixtures("ring")
async def test_the_command_rotates_and_says_what_it_did(holding: Holding, opened: Deployment) -> None:
    keys = f"{generate_key('newest')},{opened.environment['TIELINE_ENCRYPTION_KEYS']}"

    told = opened.run("keys", "rotate", TIELINE_ENCRYPTION_KEYS=keys)
    again = opened.run("keys", "rotate", TIELINE_ENCRYPTION_KEYS=keys)

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        "provider_app.secret_sealed: 1 sealed anew, 0 were already",
        "provider_app.webhook_secret_sealed: 0 sealed anew, 0 were already",
        "credential.tokens_sealed: 1 sealed anew, 0 were already",
        "credential.previous_sealed: 0 sealed anew, 0 were already",
        "consent_round.verifier_sealed: 0 sealed anew, 0 were already",
        "consent_round.tokens_sealed: 0 sealed anew, 0 were already",
    ]
    assert "credential.tokens_sealed: 0 sealed anew, 1 were already" in again.stdout
    assert Vault.key_id((await holding.row())["tokens_sealed"]) == "newest"


@pytest.mark.parametrize("other", ["row", "column", "practice"])
async def test_tokens_moved_to_another_place_do_not_open(holding: Holding, other: str) -> None:
    sealed = (await holding.row())["tokens_sealed"]
    elsewhere = {
        "row": place_of(holding.practice_id, CredentialId(new_id())),
        "column": place_of(holding.practice_id, holding.credential.id, PREVIOUS),
        "practice": place_of(PracticeId(new_id()), holding.credential.id),
    }[other]

    with pytest.raises(SealBroken):
        Pair.opened(sealed, host.host().vault, elsewhere)


async def test_tokens_copied_into_another_row_do_not_work_there(holding: Holding) -> None:
    pair, subject = await holding.consent()
    other = await holding.keep(pair, replace(subject, id="somebody else"))
    await holding.above.execute(
        "UPDATE credential SET tokens_sealed = (SELECT tokens_sealed FROM credential WHERE id = $1) WHERE id = $2",
        holding.credential.id,
        other.id,
    )

    moved = replace(holding, credential=other)
    with pytest.raises(SealBroken):
        await moved.tokens.access()
    assert (await moved.row())["state"] == "LIVE"


async def _access(holding: Holding) -> Secret:
    return await holding.tokens.access()


async def _round(holding: Holding) -> UUID:
    """A consent that waits, sealed with the deployment's own key."""
    sealed, round_id = {}, new_id()
    for column in ("verifier_sealed", "tokens_sealed"):
        place = Place(practice_id=holding.practice_id, table="consent_round", row_id=round_id, column=column)
        sealed[column] = host.host().vault.seal(Secret(column), place)
    return await holding.round(id=round_id, **sealed)


async def _value(holding: Holding, table: str, column: str, row_id: UUID) -> bytes:
    found: bytes = await holding.above.fetchval(f"SELECT {column} FROM {table} WHERE id = $1", row_id)
    return found


async def _key_of(holding: Holding, round_id: UUID) -> str:
    return Vault.key_id(await _value(holding, "consent_round", "verifier_sealed", round_id))
