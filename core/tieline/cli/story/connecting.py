"""Connecting what a sign-in found: each organisation to the client that is suggested for it, all in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tieline.cli.story.api import Api

PRODUCT = "DATA_HEALTH"
_FOUND = """query($id: ID!, $after: String) { signIn(id: $id) { organisations(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { organisation { id name } inUse client { id name }
    suggestedClients(product: DATA_HEALTH) { client { id name } score exact } } } } }"""
_CONNECT = """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) {
  outcomes { code } errors { message } } }"""
_AT_MOST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """An organisation and the client it probably belongs to, or serves already; None: nobody's name comes near."""

    organisation: str
    organisation_id: str
    client: str | None = None
    client_id: str | None = None
    is_exact: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """What was found, and how many rows had which outcome."""

    matches: tuple[Match, ...]
    outcomes: Counter[str]

    @property
    def matched(self) -> int:
        return sum(match.client is not None for match in self.matches)

    @property
    def exact(self) -> int:
        return sum(match.is_exact for match in self.matches)

    @property
    def near(self) -> list[Match]:
        """Those whose names are only alike."""
        return [match for match in self.matches if match.client is not None and not match.is_exact]


def connect_suggested(api: Api, sign_in_id: str) -> Connected:
    """Connect what the sign-in found to the likeliest clients; the same again changes nothing. Raises BrokeOff."""
    matches = tuple(_matches(api, sign_in_id))
    rows = [
        {"clientId": match.client_id, "organisationId": match.organisation_id}
        for match in matches
        if match.client_id is not None
    ]
    outcomes: Counter[str] = Counter()
    if rows:
        done = api.change(_CONNECT, signInId=sign_in_id, product=PRODUCT, rows=rows[:_AT_MOST])
        outcomes = Counter(outcome["code"] for outcome in done["outcomes"])
    return Connected(matches=matches, outcomes=outcomes)


def _matches(api: Api, sign_in_id: str) -> Iterator[Match]:
    """One for each organisation; no client twice."""
    taken: set[str] = set()
    for page in api.pages(_FOUND, "signIn", "organisations", id=sign_in_id):
        for node in page["nodes"]:
            match = _match(node, taken)
            taken.update([match.client_id] if match.client_id else [])
            yield match


def _match(node: dict[str, Any], taken: set[str]) -> Match:
    organisation = {
        "organisation": node["organisation"]["name"],
        "organisation_id": node["organisation"]["id"],
    }
    if node["inUse"]:
        served = node["client"] or {}
        return Match(**organisation, client=served.get("name"), client_id=served.get("id"), is_exact=True)
    for suggested in node["suggestedClients"]:
        client = suggested["client"]
        if client["id"] not in taken:
            return Match(
                **organisation, client=client["name"], client_id=client["id"], is_exact=suggested["exact"]
            )
    return Match(**organisation)
