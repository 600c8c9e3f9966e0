"""The first chapters: clients connected by one consent for all and by one consent each, and their first syncs.

Each looks first what is there, so that a story that was cut off goes on.
"""

from __future__ import annotations

from tieline import clock
from tieline.cli.story.board import Row, read_board
from tieline.cli.story.cast import (
    ACCOUNTANT,
    AT_ONCE,
    BOOKKEEPER,
    BY_ROUNDS,
    DIRECTOR,
    OF_DIRECTOR,
    OWN_BOOKS,
)
from tieline.cli.story.comparing import equal_to_books
from tieline.cli.story.connecting import Connected, connect_suggested
from tieline.cli.story.scene import Scene
from tieline.cli.story.showing import clock_time
from tieline.cli.story.signing_in import sign_in, sign_in_by_rounds
from tieline.cli.story.syncing import see_syncs_rest

SYNC_SECONDS = 120.0


def connect_many(scene: Scene) -> None:
    rows = [row for row in read_board(scene.api).rows if row.client in AT_ONCE]
    if rows and all(row.is_connected for row in rows):
        scene.say(2, "Bulk connect", f"{len(rows)} clients were connected at an earlier start")
    else:
        sign_in_id = sign_in(
            scene.api, scene.sandbox, ACCOUNTANT, purpose="BULK_CONNECT", return_url=scene.return_url
        )
        connected = connect_suggested(scene.api, sign_in_id)
        found = len(connected.matches)
        scene.say(
            1,
            "Sign in",
            f"{ACCOUNTANT.name} at Xero, played by the sandbox: one consent, {found} organisations",
        )
        scene.say(2, "Bulk connect", _outcomes(connected))
        _tell_matches(scene, connected)
    _connect_director(scene)


def _outcomes(connected: Connected) -> str:
    outcomes = ", ".join(f"{count} {code}" for code, count in sorted(connected.outcomes.items()))
    return f"{connected.matched} clients by suggested names, in one call: {outcomes}"


def _tell_matches(scene: Scene, connected: Connected) -> None:
    without = len(connected.matches) - connected.matched
    scene.more(f"{connected.exact} names the same, {len(connected.near)} only alike, {without} nobody's")
    for match in connected.near:
        scene.more(f"{match.client} is connected to {match.organisation}, on purpose: a mismatch")


def _connect_director(scene: Scene) -> None:
    board = read_board(scene.api)
    if any(board.of(client).connection_id is None for client in OF_DIRECTOR):
        sign_in_id = sign_in(
            scene.api, scene.sandbox, DIRECTOR, purpose="BULK_CONNECT", return_url=scene.return_url
        )
        connected = connect_suggested(scene.api, sign_in_id)
        scene.more(f"{connected.matched} more are connected by their own director's login, {DIRECTOR.name}'s")


def connect_by_rounds(scene: Scene) -> None:
    """One consent for each company; one is for the firm's own books, by mistake."""
    board = read_board(scene.api)
    if all(board.of(client).connection_id is not None for client in BY_ROUNDS):
        scene.say(3, "Rounds", f"{len(BY_ROUNDS)} companies were connected at an earlier start")
        return
    scene.say(3, "Rounds", f"{BOOKKEEPER.name} at QuickBooks Online, where a consent is for one company")
    connected = connect_suggested(scene.api, _go_rounds(scene))
    scene.more(_outcomes(connected))
    for match in connected.matches:
        if match.client is None:
            scene.more(f"{match.organisation} bears no client's name, and is connected to nobody")


def _go_rounds(scene: Scene) -> str:
    """The sign-in that all of them are in."""
    *right, last = BY_ROUNDS
    chosen = [*right, OWN_BOOKS, last]
    trips = sign_in_by_rounds(scene.api, scene.sandbox, BOOKKEEPER, chosen, return_url=scene.return_url)
    for trip in trips:
        mistake = ", the firm's own books, picked by mistake" if trip.organisation == OWN_BOOKS else ""
        scene.more(f"round {trip.number}: {trip.organisation}{mistake}")
    return trip.sign_in_id


def sync(scene: Scene) -> list[Row]:
    """The first syncs; those that equal the provider's books."""
    scene.say(4, "First syncs", "lists, documents, payments, transfers and journals")
    board = see_syncs_rest(scene.api, scene.console, seconds=SYNC_SECONDS)
    synced = [row for row in board.rows if row.is_connected and row.state == "SUCCEEDED"]
    equal = equal_to_books(scene.api, scene.sandbox, synced)
    records = sum(row.records for row in equal)
    scene.more(f"{len(equal)} equal the providers' books: {records:,} records, and the sums of their amounts")
    for row in board.rows:
        if row.state == "PAUSED":
            scene.more(_paused(row))
    return equal


def _paused(row: Row) -> str:
    limit = "limit" if row.limit is None else f"{row.limit} limit"
    until = "" if row.resume_at is None else f" until {clock_time(row.resume_at, clock.now())}"
    return f"{row.client} is paused by the provider's {limit}{until}: {row.records:,} records"
