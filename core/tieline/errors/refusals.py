"""The branch of what the caller can mend: each says what to do, and which input it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from tieline.errors.root import TielineError


class Refused(TielineError):
    """Something the caller can mend. `field` is the input it is about, as a dotted path, or None."""

    code: ClassVar[str] = "REFUSED"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field

    @property
    def details(self) -> dict[str, object]:
        """What a program needs besides the code, as JSON."""
        return {}


class NotFound(Refused):
    code: ClassVar[str] = "NOT_FOUND"

    def __init__(self, kind: str, id: UUID | str, *, field: str | None = None) -> None:
        named = f"the id {id}" if str(id).isprintable() and str(id).strip() else f"the id {str(id)!a}"
        super().__init__(f"There is no {kind} with {named}, or you may not see it.", field=field)


class Forbidden(Refused):
    code: ClassVar[str] = "FORBIDDEN"

    def __init__(self, permission: str, *, by_key: bool = False, field: str | None = None) -> None:
        super().__init__(
            f"This API key may not do this: its scopes lack {permission}. Use a key that has it."
            if by_key
            else f"This needs the permission {permission}: ask a practice admin for it.",
            field=field,
        )


class PersonNeeded(Forbidden):
    """`what` is what only a person can do, as an infinitive."""

    def __init__(self, what: str) -> None:
        Refused.__init__(self, f"Only a person can {what}: use a key that acts as one.")


class AdminNeeded(Forbidden):
    """`by_key`: an admin is asking, by a key that is narrowed to scopes."""

    def __init__(self, *, by_key: bool = False) -> None:
        Refused.__init__(
            self,
            "This API key is narrowed by scopes and cannot do what only practice admins may: use one without scopes."
            if by_key
            else "Only a practice admin can do this: ask one.",
        )


class KeyNarrowed(Forbidden):
    """A key that may only little would end one that may more."""

    def __init__(self) -> None:
        Refused.__init__(
            self,
            "This API key is narrowed by scopes and ends only itself and what it has made: use one without scopes.",
        )


class MemberNeeded(Forbidden):
    """Who is asking belongs to a client only."""

    def __init__(self) -> None:
        Refused.__init__(self, "Only members of the practice can see this.")


class AdministratorNeeded(Forbidden):
    """`by_key`: one is asking, by a key that is narrowed to scopes."""

    def __init__(self, *, by_key: bool = False) -> None:
        Refused.__init__(
            self,
            "This API key is narrowed by scopes and cannot deal with a client's people: use one without scopes."
            if by_key
            else "Only a practice admin or an administrator of the client can do this: ask one.",
        )


class Unauthenticated(Refused):
    code: ClassVar[str] = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__(
            "Send a valid API key or token as 'Authorization: Bearer …'; this one is missing, wrong or expired."
        )


class PracticeNeeded(Refused):
    """`practices` are those that the caller may name: ids and names."""

    code: ClassVar[str] = "PRACTICE_NEEDED"

    def __init__(self, practices: Sequence[tuple[UUID, str]]) -> None:
        super().__init__("You belong to several practices: name the one you mean in 'Tieline-Practice'.")
        self.practices = tuple(practices)

    @property
    def details(self) -> dict[str, object]:
        return {"practices": [{"id": str(each), "name": name} for each, name in self.practices]}


class Invalid(Refused):
    code: ClassVar[str] = "INVALID"


class SeveralInvalid(Refused):
    """All that is wrong with an input at once, so that a form can show it at once."""

    code: ClassVar[str] = "INVALID"

    def __init__(self, parts: Sequence[Invalid]) -> None:
        super().__init__(" ".join(str(part) for part in parts))
        self.parts = tuple(parts)


class CursorInvalid(Refused):
    code: ClassVar[str] = "CURSOR_INVALID"

    def __init__(self, *, field: str = "after") -> None:
        super().__init__(
            "This cursor is broken or belongs to another sort or filter; "
            "start again from the first page, without it.",
            field=field,
        )


class CursorExpired(Refused):
    code: ClassVar[str] = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__(
            "This event cursor is older than what is kept; load the page again and go on from its cursor.",
            field="after",
        )


class PlanTooSmall(Refused):
    code: ClassVar[str] = "PLAN_TOO_SMALL"

    def __init__(self, what: str, plan: str, *, field: str | None = None) -> None:
        super().__init__(f"{what} needs the plan {plan}.", field=field)


class AlreadyMember(Refused):
    code: ClassVar[str] = "ALREADY_MEMBER"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} belongs there already: change what the person may instead.", field="email")


class InvitationOver(Refused):
    code: ClassVar[str] = "INVITATION_OVER"

    def __init__(self) -> None:
        super().__init__(
            "This invitation was used, revoked or has run out: ask for a new one.", field="token"
        )


class InvitationForAnother(Refused):
    code: ClassVar[str] = "INVITATION_FOR_ANOTHER"

    def __init__(self) -> None:
        super().__init__(
            "This invitation is for another e-mail address than the one you have verified where you sign in.",
            field="token",
        )


class ProviderNotConfigured(Refused):
    code: ClassVar[str] = "PROVIDER_NOT_CONFIGURED"

    def __init__(self, name: str, *, field: str = "provider") -> None:
        super().__init__(
            f"This practice has no app at {name} yet: whoever runs Tieline adds it with 'tieline app add'.",
            field=field,
        )


class BulkConnectUnsupported(Refused):
    code: ClassVar[str] = "BULK_CONNECT_UNSUPPORTED"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} grants one organisation at a time, and has no queue for several: connect them one by one.",
            field="purpose",
        )


class SignInOver(Refused):
    code: ClassVar[str] = "SIGN_IN_OVER"

    def __init__(self, why: str, *, field: str | None = None) -> None:
        super().__init__(f"{why} Begin a new sign-in.", field=field)


class SignInNotReady(Refused):
    code: ClassVar[str] = "SIGN_IN_NOT_READY"

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__(
            "This sign-in is not completed: come back from the provider, then call completeSignIn.",
            field=field,
        )


class ProofInvalid(Refused):
    code: ClassVar[str] = "PROOF_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "This is not the proof that came back with the browser for this sign-in, or it is too old.",
            field="proof",
        )


class OrganisationInUse(Refused):
    code: ClassVar[str] = "ORGANISATION_IN_USE"

    def __init__(self, organisation: str, client: str | None, *, field: str | None = None) -> None:
        whom = f"the client {client}" if client is not None else "another client of your practice"
        super().__init__(f"{organisation} already serves {whom}.", field=field)


class NotInThisLogin(Refused):
    code: ClassVar[str] = "NOT_IN_THIS_LOGIN"

    def __init__(self, organisation: str, *, field: str | None = None) -> None:
        super().__init__(
            f"This sign-in does not reach {organisation}: sign in as somebody who may open it.", field=field
        )


class DifferentOrganisation(Refused):
    code: ClassVar[str] = "DIFFERENT_ORGANISATION"

    def __init__(self, before: str, *, field: str | None = None) -> None:
        super().__init__(
            f"The client is connected to {before}; to move it to another organisation, change its connection.",
            field=field,
        )


class AnotherChosen(DifferentOrganisation):
    """Whoever was at the provider chose another organisation; `why` is that round's sentence."""

    def __init__(self, why: str, *, field: str | None = None) -> None:
        Refused.__init__(self, why, field=field)


class DisconnectedOnPurpose(Refused):
    code: ClassVar[str] = "DISCONNECTED"

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__("Somebody disconnected it: reconnect it by itself, if that is meant.", field=field)


class ConsentOver(Refused):
    code: ClassVar[str] = "CONSENT_EXPIRED"

    def __init__(self, organisation: str, *, field: str | None = None) -> None:
        super().__init__(
            f"The consent to read {organisation} has run out: sign in again, and allow it anew.", field=field
        )


class ConsentTooNarrow(Refused):
    code: ClassVar[str] = "SCOPE_MISSING"

    def __init__(self, product: str, *, field: str | None = None) -> None:
        super().__init__(
            f"The consent does not cover what {product} needs: sign in for this product and allow all of it.",
            field=field,
        )


class NotConnected(Refused):
    """`client` is its name."""

    code: ClassVar[str] = "NOT_CONNECTED"

    def __init__(self, client: str, *, field: str | None = None) -> None:
        super().__init__(f"{client} is not connected to any books here: connect it first.", field=field)


class CannotSync(Refused):
    """`why` is the sentence of the connection's state."""

    code: ClassVar[str] = "CONNECTION_EXPIRED"

    def __init__(self, why: str, *, field: str | None = None) -> None:
        super().__init__(f"The connection is expired, so its books cannot be read. {why}", field=field)


class DuplicateClient(Refused):
    """`known` is the name of the client that is there, for those who may see it."""

    code: ClassVar[str] = "DUPLICATE"

    def __init__(self, name: str, known: str | None, *, field: str | None = None) -> None:
        whom = f"The client {known}" if known is not None else "Another client of your practice"
        super().__init__(f"{whom} is there already; {name} may be the same business.", field=field)


class CodeTaken(Refused):
    """Whose it is, is not told: not everybody who gives codes sees every client."""

    code: ClassVar[str] = "CODE_TAKEN"

    def __init__(self, practice_code: str, *, field: str | None = None) -> None:
        super().__init__(f"Another client has the practice code {practice_code}.", field=field)


class OwnBooks(Refused):
    code: ClassVar[str] = "OWN_BOOKS"

    def __init__(self, organisation: str, *, field: str | None = None) -> None:
        super().__init__(
            f"{organisation} is called as your practice is: these may be its own books, and no client's.",
            field=field,
        )


class NamedTwice(Refused):
    code: ClassVar[str] = "NAMED_TWICE"

    def __init__(self, already: str, *, field: str | None = None) -> None:
        super().__init__(f"An earlier row of this request {already}.", field=field)


class LinesContradict(NamedTwice):
    """`others` are the lines of a spreadsheet that say the same as this one."""

    def __init__(self, others: str, what: str, *, field: str | None = None) -> None:
        Refused.__init__(self, f"This line and {others} {what}: keep one of them.", field=field)


class NameTaken(Refused):
    """`kind` is what the name is given to."""

    code: ClassVar[str] = "NAME_TAKEN"

    def __init__(self, kind: str, name: str, *, field: str | None = None) -> None:
        super().__init__(f"There is a {kind} called {name} already: choose another name.", field=field)


class TeamInUse(Refused):
    """It looks after `count` clients."""

    code: ClassVar[str] = "TEAM_IN_USE"

    def __init__(self, team: str, count: int, *, field: str | None = None) -> None:
        whom = "a client" if count == 1 else f"{count} clients"
        super().__init__(f"{team} looks after {whom}: name the team that they go to.", field=field)


class LastAdmin(Refused):
    code: ClassVar[str] = "LAST_ADMIN"

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__("This is the practice's last admin: make somebody else an admin first.", field=field)
