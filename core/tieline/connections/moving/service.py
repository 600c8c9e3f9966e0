"""What callers do with many connections and one sign-in of their own: reconnect all, reassign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tieline import clock
from tieline.connections.facts import usable_sign_in
from tieline.connections.moving.decisions import Facts, Left, Move, Outcome, mend, reassign_all
from tieline.connections.moving.facts import load_facts, mends_of
from tieline.connections.moving.repository import BrokenCount, BrokenRepository, BrokenRows
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.writing import Moved, hang, let_go, try_at_once
from tieline.credentials.handing import hand_over
from tieline.database import scope
from tieline.errors import Invalid, NotFound, Refused
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
    """What became of one connection: the refusal where nothing did, and a sentence where something is left to be seen.

    `connection` is as it is now.
    """

    connection_id: ConnectionId
    outcome: Outcome
    connection: Connection | None
    refusal: Refused | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mended:
    """What became of each broken connection; the login mends `remaining` more, when it is asked again."""

    outcomes: tuple[MoveOutcome, ...]
    remaining: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What is to become of broken connections, those first that the sign-in mends, and what completing it mended."""

    broken: BrokenRows
    decided: Mapping[ConnectionId, Move | Left]
    facts: Facts
    by_completing: Sequence[Connection]

    def told(self, outcomes: Sequence[MoveOutcome]) -> Mended:
        """With what became of those that were decided, in their order; 1,000 in all."""
        first = self.broken.mended
        completed = [
            MoveOutcome(connection_id=each.id, outcome=Outcome.RECONNECTED, connection=each)
            for each in self.by_completing
        ]
        told = [*outcomes[:first], *completed, *outcomes[first:]]
        return Mended(outcomes=tuple(told[:MAX_ROWS]), remaining=self.broken.remaining)


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
        found = await _find_broken(principal, sign_in_id, at=work.now)
        outcomes = await _carry_out(work, principal, list(found.decided.items()), Outcome.RECONNECTED)
    return found.told(outcomes)


async def preview_reconnect_all(principal: Principal, sign_in_id: SignInId) -> Mended:
    """What `reconnect_all` would answer at this moment; nothing is changed or locked. Raises what it raises.

    `connection` is as it stands now.
    """
    async with scope(principal.practice_id):
        found = await _find_broken(principal, sign_in_id, at=clock.now(), lock=False)
    return found.told(
        [
            _outcome(connection_id, became, found.facts.standing, Outcome.RECONNECTED)
            for connection_id, became in found.decided.items()
        ]
    )


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


async def _find_broken(
    principal: Principal, sign_in_id: SignInId, *, at: datetime, lock: bool = True
) -> _Found:
    """Decided by what is locked, if it is to change; a constant number of statements."""
    sign_in = await usable_sign_in(principal, sign_in_id, at=at)
    await require_some_client(principal)
    repository, mends = BrokenRepository.managed_by(principal), await mends_of(sign_in)
    broken = await repository.first(sign_in.provider, sign_in.id, mends, at=at, most=MAX_ROWS)
    facts = await load_facts(principal, sign_in, broken.rows, at=at, lock=lock)
    through = {credential_id for credential_id, _ in mends}
    return _Found(
        broken=broken,
        decided={each.id: became for each in broken.rows if (became := mend(each, facts)) is not None},
        facts=facts,
        by_completing=await repository.mended_by(sign_in.id, through, sign_in.provider, most=MAX_ROWS),
    )


def _check_size(connection_ids: Sequence[ConnectionId]) -> None:
    if len(connection_ids) > MAX_ROWS:
        raise Invalid(
            f"One request reassigns at most {MAX_ROWS:,} connections; this one has {len(connection_ids):,}.",
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


def _outcome(
    connection_id: ConnectionId, became: Move | Left, now: Mapping[ConnectionId, Connection], done: Outcome
) -> MoveOutcome:
    if isinstance(became, Move):
        is_open = not became.is_to_be_checked or done is not Outcome.RECONNECTED
        return MoveOutcome(
            connection_id=connection_id,
            outcome=done if is_open else Outcome.TO_BE_CHECKED,
            connection=now[connection_id],
            note=_TO_BE_CHECKED if became.is_to_be_checked else None,
        )
    return MoveOutcome(
        connection_id=connection_id,
        outcome=became.outcome,
        # Another row may have moved it, or handed over what it hangs on.
        connection=now.get(connection_id, became.connection) if became.connection is not None else None,
        refusal=became.refusal,
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
    broken = [each for each in written if each.connection.reason is not None]
    await hang(work, principal, broken, trigger=Trigger.RECONNECT)
    # Of what worked all along nothing was missed: its sync leaves out what was read lately.
    working = [each for each in written if each.connection.reason is None]
    await hang(work, principal, working, trigger=Trigger.CONNECT)
    try_at_once(work, principal.practice_id, {move.credential.id for move in moves if move.is_to_be_checked})
    let_go(work, principal.practice_id, {move.connection.credential_id for move in moves} - through)
