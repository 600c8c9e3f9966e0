"""`tieline keys rotate`: every sealed value under the first key of the ring, so that the others can be taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tieline.credentials.rotation.repository import (
    COLUMNS,
    Column,
    Sealed,
    read_sealed,
    replace_sealed,
)
from tieline.database import system_scope
from tieline.log import get_logger
from tieline.vault import SealBroken, Vault
from tieline.work import retrying

_BATCH = 200
_PASSES = 3

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotated:
    """What became of one column: sealed anew, under the first key already, changed meanwhile, impossible to open."""

    column: Column
    rotated: int = 0
    current: int = 0
    missed: int = 0
    broken: int = 0

    def plus(self, other: Rotated) -> Rotated:
        return Rotated(
            column=self.column,
            rotated=self.rotated + other.rotated,
            current=self.current + other.current,
            missed=self.missed + other.missed,
            broken=self.broken + other.broken,
        )


async def rotate_keys(vault: Vault) -> list[Rotated]:
    """Seal everything under the ring's first key, batch by batch; interrupted, it goes on where it is called again.

    A value that changes at the same moment is left and looked at again.
    """
    return [await _rotate_column(vault, column) for column in COLUMNS]


async def _rotate_column(vault: Vault, column: Column) -> Rotated:
    done = await _pass(vault, column)
    for _ in range(_PASSES - 1):
        if done.missed == 0:
            break
        again = await _pass(vault, column)
        done = Rotated(
            column=column,
            rotated=done.rotated + again.rotated,
            current=again.current - done.rotated,
            missed=again.missed,
            broken=again.broken,
        )
    return done


async def _pass(vault: Vault, column: Column) -> Rotated:
    done, after = Rotated(column=column), UUID(int=0)
    while True:
        batch, last = await _rotate_batch(vault, column, after)
        done = done.plus(batch)
        if last is None:
            return done
        after = last


@retrying
async def _rotate_batch(vault: Vault, column: Column, after: UUID) -> tuple[Rotated, UUID | None]:
    """One transaction; with the id to go on after, or None at the end."""
    async with system_scope():
        found = await read_sealed(column, after=after, limit=_BATCH)
        old = [each for each in found if vault.key_id(each.sealed) != next(iter(vault.keys))]
        fresh = _resealed(vault, old)
        rotated = await replace_sealed(column, fresh) if fresh else 0
    done = Rotated(
        column=column,
        rotated=rotated,
        current=len(found) - len(old),
        missed=len(fresh) - rotated,
        broken=len(old) - len(fresh),
    )
    return done, found[-1].place.row_id if len(found) == _BATCH else None


def _resealed(vault: Vault, old: Sequence[Sealed]) -> list[tuple[Sealed, bytes]]:
    fresh = []
    for each in old:
        try:
            fresh.append((each, vault.seal(vault.open(each.sealed, each.place), each.place)))
        except SealBroken:
            log.warning(
                "seal.broken",
                table=each.place.table,
                column=each.place.column,
                row_id=str(each.place.row_id),
                key_id=vault.key_id(each.sealed),
            )
    return fresh
