"""Who may ask for what: a rule for each query, mutation and subscription, and what it comes to for everybody.

    Who ── stands for ──► Asker: a principal, and whether it administers the client that is meant
    RULES["Mutation.sync"] ── decides ──► Cell: yes, own, none, no, hidden, out, nothing

Services guard themselves; here is said what their guards come to, by the same words of `Principal`.
docs/permissions.md is printed from this, and a test asks a running gateway for every cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tieline.errors import Forbidden
from tieline.ids import ApiKeyId, PersonId, PracticeId, new_id
from tieline.principal import ClientAccess, Permission, Principal, Role


class Cell(StrEnum):
    """What an asker gets, by what the page calls it; `CELLS` says more."""

    YES = "yes"
    OWN = "own"
    NONE = "none"
    FORBIDDEN = "no"
    NOT_FOUND = "hidden"
    NOTHING = "nothing"
    UNAUTHENTICATED = "out"


CELLS: Mapping[Cell, str] = {
    Cell.YES: "It is done, or answered: for all that is there.",
    Cell.OWN: "The same for what is the caller's own, and for clients that it sees. All else is hidden from it.",
    Cell.NONE: "The answer is an empty list.",
    Cell.FORBIDDEN: "`FORBIDDEN`, or `NOT_FOUND` for a client that the caller does not see.",
    Cell.NOT_FOUND: "`NOT_FOUND`, as if it were not there: the caller cannot have such a thing.",
    Cell.NOTHING: "What it names is `NOT_FOUND`; what names nothing is about its own practice, and holds nothing "
    "of this one.",
    Cell.UNAUTHENTICATED: "`UNAUTHENTICATED`; a socket is closed with 4403.",
}


class Who(StrEnum):
    """Everybody who may ask, by what the page calls them; `WHO` says more."""

    NOBODY = "nobody"
    DEACTIVATED = "deactivated"
    GUEST = "guest"
    OUTSIDER = "outsider"
    READER = "reader"
    ADMINISTRATOR = "administrator"
    LISTED = "listed"
    TEAM = "team"
    MEMBER = "member"
    PUBLISHER = "publisher"
    RULE_MAKER = "rule maker"
    SYNCER = "syncer"
    CONNECTOR = "connector"
    ADMIN = "admin"
    NARROWED = "narrowed"
    SERVICE = "service"
    BARE_SERVICE = "bare service"


WHO: Mapping[Who, str] = {
    Who.NOBODY: "Without a key or token, or with one that is unknown, over or revoked.",
    Who.DEACTIVATED: "Somebody who is deactivated, by its key, whatever it was before.",
    Who.GUEST: "With a token of the issuer, but no person of any practice.",
    Who.OUTSIDER: "An admin of another practice, who asks for things of this one.",
    Who.READER: "Belongs to one client, as its `READER`.",
    Who.ADMINISTRATOR: "Belongs to one client, as its `ADMINISTRATOR`.",
    Who.LISTED: "A member whose access is `LISTED`, with a client listed by name and no permission.",
    Who.TEAM: "A member whose access is `LISTED`, with the clients of a team and every permission.",
    Who.MEMBER: "A member who sees all clients, and holds no permission.",
    Who.PUBLISHER: "A member who sees all clients, and holds `PUBLISH`.",
    Who.RULE_MAKER: "A member who sees all clients, and holds `MANAGE_RULES`.",
    Who.SYNCER: "A member who sees all clients, and holds `SYNC`.",
    Who.CONNECTOR: "A member who sees all clients, and holds `MANAGE_CONNECTIONS`.",
    Who.ADMIN: "A practice admin, by a token of the issuer or a key without scopes.",
    Who.NARROWED: "A practice admin, by a key with the scope `SYNC` alone.",
    Who.SERVICE: "A service's key, with every scope.",
    Who.BARE_SERVICE: "A service's key, with no scope.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Somebody of the practice. `administers`: it is an administrator of the client that is meant."""

    principal: Principal
    administers: bool = False

    @property
    def sight(self) -> Cell:
        """What somebody gets who may: of all clients, or of those that it sees."""
        return Cell.YES if self.principal.sees_all_clients else Cell.OWN

    def may(self, permission: Permission) -> bool:
        return self.principal.may(permission, administers=self.administers)


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
        return (
            Cell.YES if principal.is_admin and not (whole and principal.key_scopes is not None) else Cell.OWN
        )

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
    sentence="A person its own keys; practice admins all, by a key without scopes.",
    decide=_keys(whole=True, service=Cell.NOT_FOUND),
)
INVITED = Rule(
    sentence="Whoever has the invitation's token, by a token of the issuer; no API key will do.",
    decide=_whoever_is_invited,
    in_person=True,
)

_LEDGER = (
    "accounts",
    "contacts",
    "taxRates",
    "trackingCategories",
    "classes",
    "departments",
    "paymentMethods",
    "paymentTerms",
    "ledgerItems",
    "currencies",
    "brandingThemes",
    "taxAgencies",
    "bankTransfers",
    "journals",
    "ledgerOrganisation",
    "ledgerPreferences",
    "payments",
    "ledgerDocuments",
    "recordsSetAside",
)

RULES: Mapping[str, Rule] = {
    "Query.viewer": SIGNED_IN,
    "Query.providers": SIGNED_IN,
    "Query.teams": TEAMS,
    "Query.members": INSIDERS,
    "Query.member": INSIDERS,
    "Query.clientMembers": CLIENT_PEOPLE_SEEN,
    "Query.invitations": INVITATIONS,
    "Query.apiKeys": KEYS_SEEN,
    "Query.activity": ADMINS_LOOK,
    "Query.connectionBoard": ADMINS_LOOK,
    "Query.clients": SEES,
    "Query.client": SEES,
    "Query.clientsCsv": SEES,
    "Query.practiceCodesPreview": SEES,
    "Query.deleteClientPreview": PRACTICES_OWN,
    "Query.addClientsPreview": NEW_CLIENTS,
    "Query.connections": SEES,
    "Query.connection": SEES,
    "Query.integrators": SEES,
    "Query.signIn": OWN_SIGN_INS,
    "Query.disconnectPreview": MANAGES,
    "Query.bulkConnectPreview": CONNECTS,
    "Query.reconnectAllPreview": MANAGES,
    "Query.reassignPreview": CONNECTS,
    "Query.syncRun": SEES,
    **{f"Query.{name}": SEES for name in _LEDGER},
    "Mutation.updatePractice": ADMINS,
    "Mutation.createTeam": ADMINS,
    "Mutation.renameTeam": ADMINS,
    "Mutation.setTeamMembers": ADMINS,
    "Mutation.deleteTeam": ADMINS,
    "Mutation.updateMember": ADMINS,
    "Mutation.deactivatePerson": ADMINS,
    "Mutation.reactivatePerson": ADMINS,
    "Mutation.inviteMember": ADMINS,
    "Mutation.inviteClientMember": CLIENT_PEOPLE,
    "Mutation.revokeInvitation": CLIENT_PEOPLE,
    "Mutation.acceptInvitation": INVITED,
    "Mutation.setClientMember": CLIENT_PEOPLE,
    "Mutation.removeClientMember": CLIENT_PEOPLE,
    "Mutation.createApiKey": KEYS_MADE,
    "Mutation.revokeApiKey": KEYS_ENDED,
    "Mutation.createClient": NEW_CLIENT,
    "Mutation.addClients": NEW_CLIENTS,
    "Mutation.renameClient": MANAGES,
    "Mutation.updateClient": DETAILS,
    "Mutation.setPracticeCodes": PRACTICES_OWN,
    "Mutation.deleteClient": PRACTICES_OWN,
    "Mutation.startSignIn": SIGNS_IN,
    "Mutation.completeSignIn": OWN_TRIPS,
    "Mutation.continueSignIn": OWN_TRIPS,
    "Mutation.connect": CONNECTS,
    "Mutation.bulkConnect": CONNECTS,
    "Mutation.reconnect": RECONNECTS,
    "Mutation.reconnectAll": CONNECTS,
    "Mutation.reassign": CONNECTS,
    "Mutation.acceptMismatch": MANAGES,
    "Mutation.updateSettings": MANAGES,
    "Mutation.sync": SYNCS,
    "Mutation.refreshLists": SYNCS,
    "Mutation.changeConnection": CONNECTS,
    "Mutation.disconnect": MANAGES,
    "Subscription.signIn": OWN_SIGN_INS,
    "Subscription.syncProgress": SEES,
    "Subscription.connectionEvents": SEES,
}
"""By how the schema calls it, in the order of the page."""


def cell(rule: Rule, who: Who) -> Cell:
    """What the rule comes to for somebody, who asks for things of the practice."""
    if who in (Who.NOBODY, Who.DEACTIVATED):
        return Cell.UNAUTHENTICATED
    if who in (Who.GUEST, Who.OUTSIDER):
        stranger = Cell.UNAUTHENTICATED if who is Who.GUEST else Cell.NOTHING
        return Cell.YES if rule.in_person else stranger
    return rule.decide(_ASKERS[who])


def _asker(
    role: Role | None = None,
    *permissions: Permission,
    clients: ClientAccess = ClientAccess.ALL,
    administers: bool = False,
    scopes: frozenset[Permission] | None = None,
    is_service: bool = False,
) -> Asker:
    """As `authenticate` would make it of the rows."""
    principal = Principal(
        practice_id=PracticeId(new_id()),
        person_id=None if is_service else PersonId(new_id()),
        api_key_id=ApiKeyId(new_id()),
        role=role,
        client_access=clients,
        permissions=frozenset(Permission) if role is Role.ADMIN else frozenset(permissions),
        key_scopes=scopes,
    )
    return Asker(principal=principal, administers=administers)


_ASKERS: Mapping[Who, Asker] = {
    Who.READER: _asker(),
    Who.ADMINISTRATOR: _asker(administers=True),
    Who.LISTED: _asker(Role.MEMBER, clients=ClientAccess.LISTED),
    Who.TEAM: _asker(Role.MEMBER, *Permission, clients=ClientAccess.LISTED),
    Who.MEMBER: _asker(Role.MEMBER),
    Who.PUBLISHER: _asker(Role.MEMBER, Permission.PUBLISH),
    Who.RULE_MAKER: _asker(Role.MEMBER, Permission.MANAGE_RULES),
    Who.SYNCER: _asker(Role.MEMBER, Permission.SYNC),
    Who.CONNECTOR: _asker(Role.MEMBER, Permission.MANAGE_CONNECTIONS),
    Who.ADMIN: _asker(Role.ADMIN),
    Who.NARROWED: _asker(Role.ADMIN, scopes=frozenset({Permission.SYNC})),
    Who.SERVICE: _asker(None, *Permission, scopes=frozenset(Permission), is_service=True),
    Who.BARE_SERVICE: _asker(None, scopes=frozenset(), is_service=True),
}
