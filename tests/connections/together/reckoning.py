"""What the rules of the product make of one row, said a second time: from facts alone, and in words of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from tests.connections.together.facts import Facts, Key, Line, Person, Trip

_SCOPES = {"BOOKKEEPING": "ledger", "DATA_HEALTH": "reports"}
_LOOKED_AT = frozenset({"ACCESS_LOST", "SUBSCRIPTION_LAPSED"})
_HEALED = frozenset({"CONSENT_EXPIRED", "TOKEN_EXPIRED", "REVOKED_AT_PROVIDER"})


@dataclass(frozen=True)
class Told:
    """What somebody is told of one row, the connection shown with it, and who is shown for that."""

    word: str
    line: Line | None = None
    by: UUID | None = None


class Refusal(Exception):
    """The whole request is refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Good:
    """A row that is connected through this credential, from `standing` if something stands there."""

    credential: UUID
    standing: Line | None


def own_trip(facts: Facts, by: Person, sign_in: UUID) -> Trip:
    """The sign-in, if this person may act with it now."""
    trip = facts.trips.get(sign_in)
    if trip is None or trip.person != by.principal.person_id:
        raise Refusal("NOT_FOUND")
    if trip.is_over:
        raise Refusal("SIGN_IN_OVER")
    if not trip.is_ready:
        raise Refusal("SIGN_IN_NOT_READY")
    return trip


def permitted(facts: Facts, by: Person, connection: UUID) -> Line:
    """The current connection, if this person may manage it."""
    line = facts.line(connection)
    if line is None or not facts.sees(by, line.client):
        raise Refusal("NOT_FOUND")
    if not by.may(line.client):
        raise Refusal("FORBIDDEN")
    return line


def covers(facts: Facts, credential: UUID, product: str) -> bool:
    return _SCOPES[product] in facts.credentials[credential].scopes


def unreached(facts: Facts, trip: Trip, organisation: UUID, product: str) -> str | None:
    """Why the sign-in is no good for this organisation."""
    credential, _ = trip.found.get(organisation, (None, False))
    if credential is None or not facts.credentials[credential].is_live:
        return "NOT_IN_THIS_LOGIN"
    if (credential, organisation) in facts.over:
        return "CONSENT_EXPIRED"
    return None if covers(facts, credential, product) else "SCOPE_MISSING"


def weigh(
    facts: Facts, by: Person, trip: Trip, key: Key, organisation: UUID, *, moves: bool = False
) -> Good | str:
    """Whether the client's product may be connected to it; `moves`: away from another one, too."""
    client, product = key
    if facts.sees(by, client) and not by.may(client):
        return "FORBIDDEN"
    if not facts.sees(by, client) or organisation not in facts.slugs:
        return "NOT_FOUND"
    refused = unreached(facts, trip, organisation, product)
    if refused is not None:
        return refused
    if facts.serves(organisation) not in (None, client):
        return "ORGANISATION_IN_USE"
    standing = facts.lines.get(key)
    is_another = standing is not None and standing.organisation != organisation
    if standing is not None and is_another and not moves and standing.reason != "DISCONNECTED":
        return "DIFFERENT_ORGANISATION"
    return Good(trip.found[organisation][0], standing)


def put(facts: Facts, key: Key, organisation: UUID, good: Good) -> Line:
    """Connect it: the line that stands there then. What works with these books already stays as it is."""
    standing = good.standing
    if standing is not None and standing.organisation == organisation:
        return standing if standing.reason is None else hang(facts, standing, good.credential)
    if standing is not None:
        facts.end(standing)
    facts.lines[key] = Line(
        id=None,
        client=key[0],
        product=key[1],
        organisation=organisation,
        credential=good.credential,
        reason=None,
    )
    return facts.lines[key]


def hang(facts: Facts, line: Line, credential: UUID) -> Line:
    """Whether books can be opened that could not be is not known before somebody has tried."""
    reason = line.reason if line.reason in _LOOKED_AT else None
    facts.lines[line.key] = replace(line, credential=credential, reason=reason)
    return facts.lines[line.key]


def move(facts: Facts, trip: Trip, line: Line, done: str) -> Told:
    """Hang it on the sign-in, if that reaches it, and have its person shown for it."""
    refused = unreached(facts, trip, line.organisation, line.product)
    if refused is not None:
        return Told(refused, line)
    credential = trip.found[line.organisation][0]
    is_mine = facts.credentials[credential].person == trip.person
    if (
        done == "REASSIGNED"
        and is_mine
        and line.credential == credential
        and line.reason in {None, *_LOOKED_AT}
    ):
        return Told("ALREADY_YOURS", line)
    word = "TO_BE_CHECKED" if done == "RECONNECTED" and line.reason in _LOOKED_AT else done
    return Told(word, hang(facts, line, credential))


def hand_over(facts: Facts, credential: UUID, person: UUID) -> None:
    facts.credentials[credential] = replace(facts.credentials[credential], person=person)


def heal(facts: Facts, credential: UUID, consented: dict[UUID, bool]) -> None:
    """A new consent to a credential that reaches these, each with whether the consent was about it."""
    lost = {each for one, each in facts.consents if one == credential} - set(consented)
    for sign_in, trip in facts.trips.items():
        kept = {each: way for each, way in trip.found.items() if way[0] != credential or each not in lost}
        facts.trips[sign_in] = replace(trip, found=kept)
    facts.over -= {(credential, each) for each, is_new in consented.items() if is_new}
    for key, line in list(facts.lines.items()):
        if line.credential != credential:
            continue
        if line.organisation in lost and line.reason is None:
            facts.lines[key] = replace(line, reason="REVOKED_AT_PROVIDER")
        elif (
            line.organisation in consented
            and line.reason in _HEALED
            and (line.reason != "CONSENT_EXPIRED" or consented[line.organisation])
            and (credential, line.organisation) not in facts.over
            and covers(facts, credential, line.product)
        ):
            facts.lines[key] = replace(line, reason=None)
