"""The kinds of what people do. Like events they keep ids and words of the product, never names.

What records an event of a client is told by that event. A *deed* is what somebody does that is none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar
from uuid import UUID

from tieline.events.kinds import ConnectionEvent, Event, SyncEvent
from tieline.events.kinds import kinds as event_kinds
from tieline.ids import ApiKeyId, ClientId, InvitationId, PersonId, PracticeId, RunId, SignInId, TeamId
from tieline.principal import ClientAccess, ClientRole, Permission, Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something that somebody did. `client_id` is whose it was, where it was about a single client.

    `about` is the field with the id of what it was done to.
    """

    kind: ClassVar[str]
    about: ClassVar[str]
    client_id: ClientId | None = None

    def details(self) -> dict[str, Any]:
        """The deed's own fields, as JSON: ids as text."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "client_id"}
        return {name: _plain(value) for name, value in own.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInCompleted(Deed):
    """A login of theirs at a provider can be used."""

    kind: ClassVar[str] = "SIGN_IN_COMPLETED"
    about: ClassVar[str] = "sign_in_id"
    sign_in_id: SignInId
    provider: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncAsked(Deed):
    """A sync was asked for by hand; `trigger` says of what."""

    kind: ClassVar[str] = "SYNC_ASKED"
    about: ClassVar[str] = "run_id"
    run_id: RunId
    trigger: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncsAsked(Deed):
    """Syncs of all that the caller may sync were asked for by hand; the details say of how many organisations."""

    kind: ClassVar[str] = "SYNCS_ASKED"
    about: ClassVar[str] = "practice_id"
    practice_id: PracticeId
    organisations: int
    provider: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncsPaused(Deed):
    """The practice's syncs no longer come by themselves; `cancelled` of them had not begun."""

    kind: ClassVar[str] = "SYNCS_PAUSED"
    about: ClassVar[str] = "practice_id"
    practice_id: PracticeId
    cancelled: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncsResumed(Deed):
    """The practice's syncs come by themselves again."""

    kind: ClassVar[str] = "SYNCS_RESUMED"
    about: ClassVar[str] = "practice_id"
    practice_id: PracticeId


@dataclass(frozen=True, kw_only=True, slots=True)
class PracticeChanged(Deed):
    """The practice is called otherwise, or its consents last otherwise; the details say what."""

    kind: ClassVar[str] = "PRACTICE_CHANGED"
    about: ClassVar[str] = "practice_id"
    practice_id: PracticeId
    changed: tuple[str, ...]
    consent_life_days: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamCreated(Deed):
    """The practice has one more."""

    kind: ClassVar[str] = "TEAM_CREATED"
    about: ClassVar[str] = "team_id"
    team_id: TeamId


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamRenamed(Deed):
    """It has another name."""

    kind: ClassVar[str] = "TEAM_RENAMED"
    about: ClassVar[str] = "team_id"
    team_id: TeamId


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamMembersChanged(Deed):
    """These people came to it or left it."""

    kind: ClassVar[str] = "TEAM_MEMBERS_CHANGED"
    about: ClassVar[str] = "team_id"
    team_id: TeamId
    person_ids: tuple[PersonId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamDeleted(Deed):
    """It is no more; its clients went to another one, if to any."""

    kind: ClassVar[str] = "TEAM_DELETED"
    about: ClassVar[str] = "team_id"
    team_id: TeamId
    moves_clients_to: TeamId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberChanged(Deed):
    """What a member may or sees is otherwise; the details say how it is now.

    `listed_clients` is how many are listed by name, None where that was left.
    """

    kind: ClassVar[str] = "MEMBER_CHANGED"
    about: ClassVar[str] = "person_id"
    person_id: PersonId
    role: Role
    permissions: tuple[Permission, ...]
    client_access: ClientAccess
    team_ids: tuple[TeamId, ...]
    listed_clients: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonDeactivated(Deed):
    """Somebody may no longer come in; its keys ended, and the invitations that it made."""

    kind: ClassVar[str] = "PERSON_DEACTIVATED"
    about: ClassVar[str] = "person_id"
    person_id: PersonId


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonReactivated(Deed):
    """Somebody may come in again."""

    kind: ClassVar[str] = "PERSON_REACTIVATED"
    about: ClassVar[str] = "person_id"
    person_id: PersonId


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeyCreated(Deed):
    """A key that acts as somebody, or as a service where `person_id` is None."""

    kind: ClassVar[str] = "API_KEY_CREATED"
    about: ClassVar[str] = "api_key_id"
    api_key_id: ApiKeyId
    person_id: PersonId | None
    scopes: tuple[Permission, ...] | None
    expires_at: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeyRevoked(Deed):
    """A key that lets nobody in any more."""

    kind: ClassVar[str] = "API_KEY_REVOKED"
    about: ClassVar[str] = "api_key_id"
    api_key_id: ApiKeyId
    person_id: PersonId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientMemberSet(Deed):
    """Somebody may administer or read the client."""

    kind: ClassVar[str] = "CLIENT_MEMBER_SET"
    about: ClassVar[str] = "person_id"
    person_id: PersonId
    role: ClientRole


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientMemberRemoved(Deed):
    """Somebody is no longer of the client."""

    kind: ClassVar[str] = "CLIENT_MEMBER_REMOVED"
    about: ClassVar[str] = "person_id"
    person_id: PersonId


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonInvited(Deed):
    """Somebody was asked into the practice, or to the client; as what, say the details."""

    kind: ClassVar[str] = "PERSON_INVITED"
    about: ClassVar[str] = "invitation_id"
    invitation_id: InvitationId
    role: Role | ClientRole
    permissions: tuple[Permission, ...]
    client_access: ClientAccess | None


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationRevoked(Deed):
    """Nobody comes in by it any more."""

    kind: ClassVar[str] = "INVITATION_REVOKED"
    about: ClassVar[str] = "invitation_id"
    invitation_id: InvitationId


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationAccepted(Deed):
    """Somebody came in by it, and is the person who did this."""

    kind: ClassVar[str] = "INVITATION_ACCEPTED"
    about: ClassVar[str] = "invitation_id"
    invitation_id: InvitationId
    person_id: PersonId


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the activity, before it is a row."""

    kind: str
    client_id: ClientId | None
    subject_id: UUID | None
    details: dict[str, Any]


def entry_of(done: Deed | Event) -> Entry:
    if isinstance(done, Deed):
        about: UUID = getattr(done, done.about)
        return Entry(kind=done.kind, client_id=done.client_id, subject_id=about, details=done.details())
    subject: UUID | None = None
    if isinstance(done, ConnectionEvent):
        subject = done.connection_id
    elif isinstance(done, SyncEvent):
        subject = done.run_id
    return Entry(kind=done.kind, client_id=done.client_id, subject_id=subject, details=done.payload())


def kinds() -> dict[str, type[Deed | Event]]:
    """Every kind of activity, in the order in which they stand: events first."""
    return {**event_kinds(), **{kind.kind: kind for kind in Deed.__subclasses__()}}


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, frozenset | tuple):
        return sorted(str(each) for each in value)
    return value
