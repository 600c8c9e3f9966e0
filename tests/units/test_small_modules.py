"""Ids, keys, the correlation id, the permission table and the pause between attempts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieline import log
from tieline.errors import Forbidden
from tieline.ids import PracticeId, new_id, parse_id
from tieline.practices.keys import hash_key, make_key
from tieline.principal import ClientAccess, Permission, Principal, Role
from tieline.worker.outcomes import pause_after

P = Permission


def principal(role: Role | None, held: set[Permission], scopes: set[Permission] | None) -> Principal:
    return Principal(
        practice_id=PracticeId(UUID(int=1)),
        person_id=None,
        api_key_id=None,
        role=role,
        client_access=ClientAccess.ALL,
        permissions=frozenset(held),
        key_scopes=None if scopes is None else frozenset(scopes),
    )


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert {made.version for made in ids} == {7}


@pytest.mark.parametrize(
    "text", ["", "x", "{" + str(UUID(int=1)) + "}", UUID(int=1).hex, "urn:uuid:" + str(UUID(int=1))]
)
def test_only_the_canonical_form_is_an_id(text: str) -> None:
    assert parse_id(text) is None


@given(st.uuids())
def test_an_id_reads_back_in_either_case(id: UUID) -> None:
    assert parse_id(str(id)) == parse_id(str(id).upper()) == id


def test_keys_are_fresh_long_and_kept_as_a_hash() -> None:
    keys = [make_key() for _ in range(100)]

    assert len({key.secret.reveal() for key in keys}) == 100
    for key in keys:
        assert key.secret.reveal().startswith(key.prefix + "_")
        assert key.hash == hash_key(key.secret.reveal())
        assert key.secret.reveal() not in repr(key)


@pytest.mark.parametrize(
    ("role", "held", "scopes", "administers", "may"),
    [
        (Role.MEMBER, {P.SYNC}, None, False, True),
        (Role.MEMBER, set(), None, False, False),
        (Role.MEMBER, {P.SYNC}, {P.SYNC}, False, True),
        (Role.MEMBER, {P.SYNC}, {P.PUBLISH}, False, False),
        (Role.MEMBER, set(), {P.SYNC}, False, False),
        (None, set(), None, True, True),
        (None, set(), {P.SYNC}, True, True),
        (None, set(), set(), True, False),
    ],
)
def test_permissions_are_what_is_held_narrowed_by_the_key(
    role: Role | None,
    held: set[Permission],
    scopes: set[Permission] | None,
    administers: bool,  # noqa: FBT001 - a column of the table
    may: bool,  # noqa: FBT001
) -> None:
    caller = principal(role, held, scopes)

    assert caller.may(P.SYNC, administers=administers) is may
    if not may:
        with pytest.raises(Forbidden, match="SYNC"):
            caller.require(P.SYNC, administers=administers)


@pytest.mark.parametrize("proposed", ["abcdefgh", "A-b_c.1234", "x" * 64])
def test_a_well_formed_correlation_id_is_taken_over(proposed: str) -> None:
    assert log.correlate(proposed) == proposed == log.correlation_id()


@pytest.mark.parametrize("proposed", [None, "", "short", "x" * 65, "has space", "new\nline!", "né-unicode"])
def test_any_other_correlation_id_is_replaced(proposed: str | None) -> None:
    assert log.correlate(proposed) != proposed


@given(st.integers(1, 200))
def test_the_pause_between_attempts_grows_and_is_bounded(attempts: int) -> None:
    pause = pause_after(attempts)

    assert timedelta(seconds=3) < pause <= timedelta(hours=1.25)
    if attempts < 10:
        assert pause_after(attempts + 2) > pause
