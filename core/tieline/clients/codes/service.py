"""Giving clients the practice's own codes: what a spreadsheet would do, and doing it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tieline.clients.codes.decisions import Coded, CodeFacts, Given, decide_all
from tieline.clients.codes.matching import Ambiguous, Match, match_lines
from tieline.clients.codes.reading import Layout, Line, Wrong, read_sheet
from tieline.clients.codes.repository import Coding, coding, holders_of, write_codes
from tieline.clients.repository import Client, ClientRepository
from tieline.database import scope
from tieline.errors import Forbidden, Invalid, Refused
from tieline.events.kinds import ClientChanged
from tieline.ids import ClientId
from tieline.practices.repository import PracticeRepository
from tieline.principal import Permission, Principal
from tieline.spreadsheets import MAX_ROWS
from tieline.work import retrying, unit_of_work


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeOutcome:
    """What became of one row: SET, UNCHANGED, or the refusal's code. `client` is as it is now, if it is seen."""

    outcome: str
    client: Client | None
    refusal: Refused | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CodesPreview:
    """What a spreadsheet of codes is about. `matched` has what setting each code would come to, beside it."""

    matched: tuple[tuple[Match, CodeOutcome], ...]
    unmatched: tuple[Line, ...]
    ambiguous: tuple[Ambiguous, ...]
    wrong: tuple[Wrong, ...]
    without_code: int


async def preview_codes(principal: Principal, csv: str, layout: Layout) -> CodesPreview:
    """Which clients, of those that the caller sees, a CSV gives which codes, and what `set_codes` would answer.

    Nothing is changed or locked. Raises Invalid for what is no CSV, or is not laid out as was said.
    """
    async with scope(principal.practice_id):
        known = await coding(principal)
    return await asyncio.to_thread(_preview, principal, csv, layout, known)


@retrying
async def set_codes(principal: Principal, rows: Sequence[Coded]) -> list[CodeOutcome]:
    """Give many clients their codes at once: what became of each row, in their order.

    Good rows are carried out, whatever the others are; the same rows again change nothing. Raises Invalid (more than
    5,000 rows).
    """
    if len(rows) > MAX_ROWS:
        raise Invalid(
            f"One request sets at most {MAX_ROWS:,} codes; this one has {len(rows):,}.", field="rows"
        )
    forbidden = _forbidden(principal)
    async with unit_of_work(principal) as work:
        if forbidden is None:
            # Whoever else gives codes waits, so that a code which is free stays free.
            await PracticeRepository.of(principal.practice_id).lock()
        clients = await ClientRepository.visible_to(principal).get_many(
            {row.client_id for row in rows}, lock=forbidden is None
        )
        wanted = {code for row in rows if (code := (row.code or "").strip()).isprintable()}
        facts = CodeFacts(
            clients={client.id: client for client in clients},
            forbidden=forbidden,
            holders=await holders_of(principal.practice_id, wanted),
        )
        decided = decide_all(rows, facts)

        changes = {
            each.client.id: each.code for each in decided if isinstance(each, Given) and each.is_change
        }
        written = await write_codes(principal.practice_id, changes) if changes else []
        for client_id in changes:
            work.event(ClientChanged(client_id=client_id, fields=("practiceCode",)))
    now = {client.id: client for client in written}
    return [_outcome(each, now) for each in decided]


def _forbidden(principal: Principal) -> Forbidden | None:
    try:
        principal.require(Permission.MANAGE_CONNECTIONS)
    except Forbidden as forbidden:
        forbidden.field = "clientId"
        return forbidden
    return None


def _preview(principal: Principal, csv: str, layout: Layout, known: Coding) -> CodesPreview:
    sheet = read_sheet(csv, layout)
    matching = match_lines(sheet.lines, known.clients)
    facts = CodeFacts(
        clients={client.id: client for client in known.clients},
        forbidden=_forbidden(principal),
        holders=known.holders,
    )
    rows = [Coded(client_id=each.client.id, code=each.line.code) for each in matching.matched]
    outcomes = [_outcome(each, {}) for each in decide_all(rows, facts)]
    return CodesPreview(
        matched=tuple(zip(matching.matched, outcomes, strict=True)),
        unmatched=matching.unmatched,
        ambiguous=matching.ambiguous,
        wrong=tuple(sorted((*sheet.wrong, *matching.wrong), key=lambda each: each.number)),
        without_code=sheet.without_code,
    )


def _outcome(decided: Given | Refused, now: Mapping[ClientId, Client]) -> CodeOutcome:
    if isinstance(decided, Refused):
        return CodeOutcome(outcome=decided.code, client=None, refusal=decided)
    outcome = "SET" if decided.is_change else "UNCHANGED"
    client = now.get(decided.client.id, decided.client)
    return CodeOutcome(outcome=outcome, client=client, refusal=None)
