"""Matching organisations with clients by name: pure. The same name first, then those that are nearly it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from tieline.ids import ClientId, OrganisationId
from tieline.names import match_key

EXACT = 100
MOST = 3
MOST_NAMESAKES = 10
_CUTOFF = 75
_NEARLY = EXACT - 1
"""The best that a name can be which is not the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A client that may be connected."""

    client_id: ClientId
    name: str
    legal_name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sought:
    """An organisation to find the client of; `client_id` is the one that it serves already."""

    organisation_id: OrganisationId
    name: str
    legal_name: str | None = None
    client_id: ClientId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """How well a client's name fits: 100 for the same name or the client that it serves already."""

    client_id: ClientId
    score: int


def suggest(
    organisations: Sequence[Sought], candidates: Sequence[Candidate]
) -> dict[OrganisationId, tuple[Suggestion, ...]]:
    """At most three clients for each organisation, best first.

    A client whose name is exactly an organisation's is suggested for that one only, the first where several have
    it; an organisation that serves a client is suggested no other.
    """
    keys = _Keys(candidates)
    exact = _exact(organisations, keys)
    taken = {client_id for client_ids in exact.values() for client_id in client_ids}
    return {
        sought.organisation_id: _listed(exact[sought.organisation_id], _near(sought, keys, taken))
        for sought in organisations
    }


def namesakes(
    organisations: Sequence[Sought], candidates: Sequence[Candidate]
) -> dict[OrganisationId, tuple[ClientId, ...]]:
    """For each organisation the clients that bear its very name, ten at most, in the order of the candidates."""
    keys = _Keys(candidates)
    place = {candidate.client_id: number for number, candidate in enumerate(candidates)}
    return {
        sought.organisation_id: tuple(
            sorted(
                {
                    bearer
                    for key in _keys(sought.name, sought.legal_name)
                    for bearer in keys.same.get(key, ())
                },
                key=place.__getitem__,
            )[:MOST_NAMESAKES]
        )
        for sought in organisations
    }


class _Keys:
    """The candidates by what their names match by."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.known = {candidate.client_id for candidate in candidates}
        self.same: dict[str, list[ClientId]] = defaultdict(list)
        self.listed: list[str] = []
        self.owners: list[ClientId] = []
        for candidate in candidates:
            for key in _keys(candidate.name, candidate.legal_name):
                self.same[key].append(candidate.client_id)
                self.listed.append(key)
                self.owners.append(candidate.client_id)


def _exact(organisations: Iterable[Sought], keys: _Keys) -> dict[OrganisationId, list[ClientId]]:
    """Who bears the very name, by organisation; nobody twice, and whoever is served already before all others."""
    found: dict[OrganisationId, list[ClientId]] = {}
    taken: set[ClientId] = set()
    for sought in sorted(organisations, key=lambda each: each.client_id is None):
        if sought.client_id is not None:
            bearers = [sought.client_id] if sought.client_id in keys.known else []
        else:
            bearers = [
                client_id
                for key in _keys(sought.name, sought.legal_name)
                for client_id in keys.same.get(key, ())
            ]
        found[sought.organisation_id] = [each for each in dict.fromkeys(bearers) if each not in taken]
        taken.update(found[sought.organisation_id])
    return found


def _near(sought: Sought, keys: _Keys, taken: set[ClientId]) -> dict[ClientId, int]:
    """The best score of each client whose name comes near, but whose own organisation is not known."""
    best: dict[ClientId, int] = {}
    if sought.client_id is not None:
        return best
    for key in _keys(sought.name, sought.legal_name):
        # Some of what is found is taken: all above the cutoff are asked for, and few ever are.
        hits = process.extract(
            key, keys.listed, scorer=fuzz.token_sort_ratio, score_cutoff=_CUTOFF, limit=None
        )
        for _, score, index in hits:
            owner = keys.owners[index]
            if owner not in taken:
                best[owner] = max(best.get(owner, 0), min(round(score), _NEARLY))
    return best


def _listed(exact: Sequence[ClientId], near: dict[ClientId, int]) -> tuple[Suggestion, ...]:
    ranked = sorted(near.items(), key=lambda item: (-item[1], item[0]))
    scored = [(client_id, EXACT) for client_id in exact] + ranked
    return tuple(Suggestion(client_id=client_id, score=score) for client_id, score in scored[:MOST])


def _keys(*names: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match_key(name) for name in names if name))
