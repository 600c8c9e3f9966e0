"""The rules there are: a sentence for people, and what it comes to for somebody of the practice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tieline.errors import Forbidden
from tieline.permissions.askers import Asker
from tieline.permissions.cells import Cell
from tieline.principal import Permission


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """`sentence` is for people; `decide` is for whoever is of the practice.

    `in_person`: it takes a token of the issuer, and nobody has to be of the practice for it.
    """

    sentence: str
    decide: Callable[[Asker], Cell]
    in_person: bool = False


def _everybody(_: Asker) -> Cell:
    return Cell.YES


def _who_sees_it(asker: Asker) -> Cell:
    return asker.sight


def _insiders(otherwise: Cell) -> Callable[[Asker], Cell]:
    return lambda asker: Cell.YES if asker.principal.is_insider else otherwise


def _colleagues_of_the_client(asker: Asker) -> Cell:
    return asker.sight if asker.principal.is_insider or asker.administers else Cell.FORBIDDEN


def _admins(*, reading: bool) -> Callable[[Asker], Cell]:
    def decide(asker: Asker) -> Cell:
        try:
            asker.principal.require_admin(reading=reading)
        except Forbidden:
            return Cell.FORBIDDEN
        return Cell.YES

    return decide


def _people_of_a_client(asker: Asker) -> Cell:
    has_a_say = asker.principal.is_admin or asker.administers
    return asker.sight if has_a_say and asker.principal.key_scopes is None else Cell.FORBIDDEN


def _invitations(asker: Asker) -> Cell:
    return asker.sight if asker.principal.is_admin or asker.administers else Cell.NONE


def _permission_alone(*, of_a_client: bool) -> Callable[[Asker], Cell]:
    def decide(asker: Asker) -> Cell:
        if not asker.principal.may(Permission.MANAGE_CONNECTIONS):
            return Cell.FORBIDDEN
        return asker.sight if of_a_client else Cell.YES

    return decide


def _permission(permission: Permission) -> Callable[[Asker], Cell]:
    return lambda asker: asker.sight if asker.may(permission) else Cell.FORBIDDEN


def _manages(asker: Asker) -> Cell:
    return _permission(Permission.MANAGE_CONNECTIONS)(asker)


def _in_person(asker: Asker) -> Cell:
    return Cell.FORBIDDEN if asker.principal.is_service else _manages(asker)


def _through_a_sign_in(asker: Asker) -> Cell:
    return Cell.NOT_FOUND if asker.principal.is_service else _manages(asker)


def _reconnecting(asker: Asker) -> Cell:
    is_without = asker.principal.is_service and asker.may(Permission.MANAGE_CONNECTIONS)
    return Cell.NOT_FOUND if is_without else _manages(asker)


def _adding(asker: Asker) -> Cell:
    decided = _permission_alone(of_a_client=False)(asker)
    return Cell.NOT_FOUND if asker.principal.is_service and decided is Cell.YES else decided


def _own_sign_ins(asker: Asker) -> Cell:
    return Cell.NOT_FOUND if asker.principal.is_service else Cell.OWN


def _own_trips(asker: Asker) -> Cell:
    if asker.principal.is_service:
        return Cell.NOT_FOUND
    return Cell.OWN if asker.may(Permission.MANAGE_CONNECTIONS) else Cell.FORBIDDEN


def _keys(*, whole: bool, service: Cell) -> Callable[[Asker], Cell]:
    def decide(asker: Asker) -> Cell:
        principal = asker.principal
        if principal.is_service:
            return service
        is_narrowed = whole and principal.key_scopes is not None
        return Cell.YES if principal.is_admin and not is_narrowed else Cell.OWN

    return decide


def _whoever_is_invited(asker: Asker) -> Cell:
    return Cell.UNAUTHENTICATED if asker.principal.is_service else Cell.YES


SIGNED_IN = Rule(sentence="Everybody who is signed in.", decide=_everybody)
SEES = Rule(sentence="Everybody, of the clients that the caller sees.", decide=_who_sees_it)
INSIDERS = Rule(sentence="Members of the practice, and services.", decide=_insiders(Cell.FORBIDDEN))
TEAMS = Rule(
    sentence="Members of the practice, and services; for others an empty list.", decide=_insiders(Cell.NONE)
)
CLIENT_PEOPLE_SEEN = Rule(
    sentence="Members and services who see the client, and its administrators.",
    decide=_colleagues_of_the_client,
)
ADMINS_LOOK = Rule(sentence="Practice admins, by any key.", decide=_admins(reading=True))
ADMINS = Rule(sentence="Practice admins, by a key without scopes.", decide=_admins(reading=False))
CLIENT_PEOPLE = Rule(
    sentence="Practice admins and the client's administrators, by a key without scopes.",
    decide=_people_of_a_client,
)
INVITATION_ENDED = Rule(
    sentence="Practice admins and, where it is to a client, its administrators; by a key without scopes.",
    decide=_people_of_a_client,
)
INVITATIONS = Rule(
    sentence="All for practice admins, those to their client for its administrators; for others an empty list.",
    decide=_invitations,
)
NEW_CLIENT = Rule(
    sentence="`MANAGE_CONNECTIONS`; to administer a client is not enough.",
    decide=_permission_alone(of_a_client=False),
)
NEW_CLIENTS = Rule(
    sentence="`MANAGE_CONNECTIONS`, and a sign-in of one's own; to administer a client is not enough.",
    decide=_adding,
)
PRACTICES_OWN = Rule(
    sentence="`MANAGE_CONNECTIONS`, for clients that the caller sees; to administer the client is not enough.",
    decide=_permission_alone(of_a_client=True),
)
MANAGES = Rule(sentence="`MANAGE_CONNECTIONS`, or to administer the client.", decide=_manages)
DETAILS = Rule(
    sentence="`MANAGE_CONNECTIONS`, or to administer the client; team and practice code take the permission.",
    decide=_manages,
)
SYNCS = Rule(
    sentence="`SYNC`, or to administer the client.",
    decide=_permission(Permission.SYNC),
)
SYNCS_ALL = Rule(
    sentence="`SYNC`, or to administer a client; for all clients that the caller may sync.",
    decide=_permission(Permission.SYNC),
)
SIGNS_IN = Rule(
    sentence="A person with `MANAGE_CONNECTIONS`, or who administers the client.", decide=_in_person
)
CONNECTS = Rule(
    sentence="`MANAGE_CONNECTIONS`, or to administer the client; and a sign-in of one's own.",
    decide=_through_a_sign_in,
)
RECONNECTS = Rule(
    sentence="`MANAGE_CONNECTIONS`, or to administer the client; and a sign-in of one's own.",
    decide=_reconnecting,
)
OWN_SIGN_INS = Rule(sentence="The person whose sign-in it is.", decide=_own_sign_ins)
OWN_TRIPS = Rule(
    sentence="The person whose sign-in it is, with `MANAGE_CONNECTIONS` or a client to administer.",
    decide=_own_trips,
)
KEYS_SEEN = Rule(
    sentence="A person its own keys, practice admins all.", decide=_keys(whole=False, service=Cell.FORBIDDEN)
)
KEYS_MADE = Rule(
    sentence="A person for itself; practice admins for all, by a key without scopes.",
    decide=_keys(whole=True, service=Cell.FORBIDDEN),
)
KEYS_ENDED = Rule(
    sentence="A person its own keys, one with scopes itself and what it made; practice admins all, by one without.",
    decide=_keys(whole=True, service=Cell.NOT_FOUND),
)
INVITED = Rule(
    sentence="Whoever has the invitation's token, by a token of the issuer; no API key will do.",
    decide=_whoever_is_invited,
    in_person=True,
)
