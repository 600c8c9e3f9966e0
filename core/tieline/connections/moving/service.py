"""What callers do with many connections and one sign-in of their own: reconnect all, reassign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tieline import clock
from tieline.connections.facts import usable_sign_in
from tieline.connections.moving.decisions import Left, Move, Outcome, mend, reassign_all
from tieline.connections.moving.facts import load_facts, mends_of
from tieline.connections.moving.repository import BrokenCount, BrokenRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.writing import Moved, hang, let_go, try_at_once
from tieline.credentials.handing import hand_over
from tieline.database import scope
from tieline.errors import Invalid, NotFound
from tieline.host import host
from tieline.ids import ConnectionId, SignInId
from tieline.principal import Principal
from tieline.sign_ins.rights import person_of, require_some_client
from tieline.sync.runs import Trigger
from tieline.work import Work, retrying, unit_of_work

MAX_ROWS = 1_000
_TO_BE_CHECKED = "We try at once whether its books can be opened again: if they can, it works by itself."


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveOutcome:
    """What became of one connection, and a sentence where nothing did. `connection` is as it is now."""

    connection_id: ConnectionId
    outcome: Outcome
    message: str | None
    connection: Connection | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mended:
    """What became of each broken connection; the login mends `remaining` more, when it is asked again."""

    outcomes: tuple[MoveOutcome, ...]
    remaining: int


async def count_broken(principal: Principal, provider: str) -> BrokenCount:
    """How many connections `reconnect_all` would try, and how many it leaves alone.

    Raises NotFound (provider), and Forbidden for who manages no client's connections.
    """
    if host().registry.get(provider) is None:
        raise NotFound("provider", provider[:32].encode("ascii", "replace").decode(), field="provider")
    async with scope(principal.practice_id):
        await require_some_client(principal)
        return await BrokenRepository.managed_by(principal).count(provider)


@retrying
async def reconnect_all(principal: Principal, sign_in_id: SignInId) -> Mended:
    """Hang every broken connection of the sign-in's provider on it that it reaches; never one that was disconnected.

    What completing the sign-in has mended is told, too. At most 1,000 at a time, of the clients whose connections the
    caller manages. Raises NotFound, SignInNotReady and SignInOver (of the sign-in), and Forbidden.
    """
    async with unit_of_work(principal) as work:
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        await require_some_client(principal)
        repository, mends = BrokenRepository.managed_by(principal), await mends_of(sign_in)
        broken = await repository.first(sign_in.provider, sign_in.id, mends, at=work.now, most=MAX_ROWS)
        facts = await load_facts(principal, sign_in, broken.rows, at=work.now)
        decided = {each.id: became for each in broken.rows if (became := mend(each, facts)) is not None}
        through = {credential_id for credential_id, _ in mends}
        by_completing = await repository.mended_by(sign_in.id, through, sign_in.provider, most=MAX_ROWS)
        outcomes = await _carry_out(work, principal, list(decided.items()), Outcome.RECONNECTED)
    outcomes[broken.mended : broken.mended] = [_mended(each) for each in by_completing]
    return Mended(outcomes=tuple(outcomes[:MAX_ROWS]), remaining=broken.remaining)


@retrying
async def reassign(
    principal: Principal, sign_in_id: SignInId, connection_ids: Sequence[ConnectionId]
) -> list[MoveOutcome]:
    """Hang chosen connections on the caller's sign-in: what became of each, in their order.

    Where one hangs on the very credential of the sign-in, only the person changes who is shown for that credential,
    and so for all that hangs on it. Raises Invalid (more than 1,000), NotFound, SignInNotReady and SignInOver (of the
    sign-in).
    """
    _check_size(connection_ids)
    async with unit_of_work(principal) as work:
        sign_in = await usable_sign_in(principal, sign_in_id, at=work.now)
        visible = await ConnectionRepository.visible_to(principal).get_many(set(connection_ids))
        facts = await load_facts(principal, sign_in, visible, at=work.now)
        decided = zip(connection_ids, reassign_all(connection_ids, facts), strict=True)
        return await _carry_out(work, principal, list(decided), Outcome.REASSIGNED)


async def preview_reassign(
    principal: Principal, sign_in_id: SignInId, connection_ids: Sequence[ConnectionId]
) -> list[MoveOutcome]:
    """What `reassign` would answer at this moment; nothing is changed or locked. Raises what it raises.

    `connection` is as it stands now.
    """
    _check_size(connection_ids)
    async with scope(principal.practice_id):
        at = clock.now()
        sign_in = await usable_sign_in(principal, sign_in_id, at=at)
        visible = await ConnectionRepository.visible_to(principal).get_many(set(connection_ids))
        facts = await load_facts(principal, sign_in, visible, at=at, lock=False)
    decided = zip(connection_ids, reassign_all(connection_ids, facts), strict=True)
    return [_outcome(each, became, facts.standing, Outcome.REASSIGNED) for each, became in decided]


def _check_size(connection_ids: Sequence[ConnectionId]) -> None:
    if len(connection_ids) > MAX_ROWS:
        raise Invalid(
            f"One request reassigns at most {MAX_ROWS} connections; this one has {len(connection_ids)}.",
            field="connectionIds",
        )


async def _carry_out(
    work: Work, principal: Principal, decided: Sequence[tuple[ConnectionId, Move | Left]], done: Outcome
) -> list[MoveOutcome]:
    """Write what was decided, under the locks that it was decided under, in a constant number of statements."""
    moves = [became for _, became in decided if isinstance(became, Move)]
    now: dict[ConnectionId, Connection] = {}
    if moves:
        await _write(work, principal, moves)
        shown = [became.connection.id for _, became in decided if became.connection is not None]
        now = {each.id: each for each in await ConnectionRepository.of(principal.practice_id).get_many(shown)}
    return [_outcome(connection_id, became, now, done) for connection_id, became in decided]


def _mended(connection: Connection) -> MoveOutcome:
    """Of one that the sign-in has mended before, when it was completed."""
    return MoveOutcome(
        connection_id=connection.id, outcome=Outcome.RECONNECTED, message=None, connection=connection
    )


def _outcome(
    connection_id: ConnectionId, became: Move | Left, now: Mapping[ConnectionId, Connection], done: Outcome
) -> MoveOutcome:
    if isinstance(became, Move):
        is_open = not became.is_to_be_checked or done is not Outcome.RECONNECTED
        return MoveOutcome(
            connection_id=connection_id,
            outcome=done if is_open else Outcome.TO_BE_CHECKED,
            message=_TO_BE_CHECKED if became.is_to_be_checked else None,
            connection=now[connection_id],
        )
    return MoveOutcome(
        connection_id=connection_id,
        outcome=became.outcome,
        message=became.message,
        # Another row may have moved it, or handed over what it hangs on.
        connection=now.get(connection_id, became.connection) if became.connection is not None else None,
    )


async def _write(work: Work, principal: Principal, moves: Sequence[Move]) -> None:
    through = {move.credential.id for move in moves}
    await hand_over(work, principal.practice_id, through, person_of(principal))
    written = [
        Moved(
            connection=move.connection,
            credential_id=move.credential.id,
            mismatch=move.connection.mismatch,
        )
        for move in moves
        if move.is_written
    ]
    await hang(work, principal, written, trigger=Trigger.RECONNECT)
    try_at_once(work, principal.practice_id, {move.credential.id for move in moves if move.is_to_be_checked})
    let_go(work, principal.practice_id, {move.connection.credential_id for move in moves} - through)
