"""Secrets at rest: they open in their own place with a key of the ring, and nowhere else."""

from __future__ import annotations

import base64
import pickle
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline.errors import StartRefused
from tieline.vault import Place, SealBroken, Secret, Vault, generate_key

PLACE = Place(practice_id=UUID(int=1), table="credential", row_id=UUID(int=2), column="tokens")
OLD, NEW = generate_key("2025"), generate_key("2026")


@given(st.text())
def test_what_was_sealed_opens_in_its_place(text: str) -> None:
    vault = Vault.from_text(NEW)

    sealed = vault.seal(Secret(text), PLACE)

    assert vault.open(sealed, PLACE).reveal() == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, practice_id=UUID(int=9)),
        replace(PLACE, table="provider_app"),
        replace(PLACE, row_id=UUID(int=9)),
        replace(PLACE, column="secret"),
    ],
)
def test_a_ciphertext_moved_elsewhere_does_not_open(elsewhere: Place) -> None:
    vault = Vault.from_text(NEW)
    sealed = vault.seal(Secret("token"), PLACE)

    with pytest.raises(SealBroken):
        vault.open(sealed, elsewhere)


@given(st.data())
def test_a_ciphertext_with_any_byte_changed_or_cut_does_not_open(data: st.DataObject) -> None:
    vault = Vault.from_text(NEW)
    sealed = vault.seal(Secret("token"), PLACE)
    index = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:index] + bytes([sealed[index] ^ data.draw(st.integers(1, 255))]) + sealed[index + 1 :]

    for broken in (changed, sealed[:index]):
        with pytest.raises(SealBroken):
            vault.open(broken, PLACE)


def test_the_first_key_seals_and_all_of_them_open() -> None:
    before = Vault.from_text(OLD).seal(Secret("kept"), PLACE)
    vault = Vault.from_text(f"{NEW},{OLD}")

    after = vault.seal(Secret("kept"), PLACE)

    assert (Vault.key_id(before), Vault.key_id(after)) == ("2025", "2026")
    assert vault.open(before, PLACE) == vault.open(after, PLACE) == Secret("kept")


def test_a_key_that_left_the_ring_opens_nothing() -> None:
    sealed = Vault.from_text(OLD).seal(Secret("lost"), PLACE)

    with pytest.raises(SealBroken, match="not in TIELINE_ENCRYPTION_KEYS"):
        Vault.from_text(NEW).open(sealed, PLACE)


def test_the_same_secret_never_seals_to_the_same_bytes() -> None:
    vault = Vault.from_text(NEW)

    assert len({vault.seal(Secret("same"), PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "plain",
        "id:",
        "id:!!!",
        ":" + base64.b64encode(b"x" * 32).decode(),
        "id:" + base64.b64encode(b"x" * 31).decode(),
        "id:" + base64.b64encode(b"x" * 33).decode(),
        "with space:" + base64.b64encode(b"x" * 32).decode(),
        f"twice:{base64.b64encode(b'x' * 32).decode()},twice:{base64.b64encode(b'y' * 32).decode()}",
    ],
)
def test_a_ring_that_would_not_protect_stops_the_start(text: str) -> None:
    with pytest.raises(StartRefused, match="TIELINE_ENCRYPTION_KEYS"):
        Vault.from_text(text)


def test_secrets_and_rings_do_not_print_themselves() -> None:
    secret, vault = Secret("hunter2"), Vault.from_text(NEW)

    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars(vault) and vault!r}"
    assert NEW.partition(":")[2] not in repr(vault)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
