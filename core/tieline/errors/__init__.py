"""Every error Tieline raises on purpose, as one tree.

    TielineError
    ├── Refused               the caller can mend it; each names what to do
    │   ├── NotFound          the caller may not see it, or it is not there
    │   ├── Forbidden         the caller may see it, but not do this
    │   │   ├── PersonNeeded  only a person may do this, and a service is asking
    │   │   ├── MemberNeeded  only members of the practice may, and no client's own people
    │   │   ├── AdministratorNeeded   only those who administer the client, or the practice
    │   │   ├── KeyNarrowed   a key with scopes would end another key
    │   │   └── AdminNeeded   only a practice admin may do this, by a key without scopes
    │   ├── Unauthenticated   nobody we know is asking
    │   ├── PracticeNeeded    somebody of several practices is asking, and names none
    │   ├── Invalid           a value does not fit; `field` says which
    │   ├── SeveralInvalid    several do not; `parts` are the single ones
    │   ├── CursorInvalid     a page cursor is broken, or of another sort or filter
    │   ├── CursorExpired     an event cursor is older than what is kept: load the page again
    │   ├── PlanTooSmall      the practice's plan does not include this
    │   ├── AlreadyMember     whoever is invited belongs there
    │   ├── InvitationOver    it was used, revoked or ran out
    │   ├── InvitationForAnother      the caller is not who was invited
    │   ├── ProviderNotConfigured     the practice has no app at this provider yet
    │   ├── BulkConnectUnsupported    neither one consent for many nor a queue of single ones
    │   ├── SignInOver        the sign-in ran out, failed or was used up: begin a new one
    │   ├── SignInNotReady    it is not completed yet
    │   ├── ProofInvalid      the proof is not the one that came back with the browser
    │   ├── OrganisationInUse it serves another client already
    │   ├── NotInThisLogin    the sign-in does not reach the organisation
    │   ├── DifferentOrganisation     another one than before; that is a change, not a reconnect
    │   │   └── AnotherChosen another one was chosen at the provider than was asked for
    │   ├── DisconnectedOnPurpose     a person disconnected it: only a reconnect of its own revives it
    │   ├── ConsentOver       the consent to read the organisation has run out: sign in again
    │   ├── ConsentTooNarrow  the consent does not cover what the product needs
    │   ├── NotConnected      the client has no books to be read: connect it
    │   ├── CannotSync        the connection is EXPIRED: its sentence says what mends it
    │   ├── DuplicateClient   a client of this name is there already
    │   ├── CodeTaken         another client has this practice code
    │   ├── OwnBooks          these look like the practice's own books, and no client's
    │   ├── NamedTwice        two rows of one request name the same thing
    │   │   └── LinesContradict       two lines of a spreadsheet do
    │   ├── NameTaken         another one of the practice's has the name
    │   ├── TeamInUse         it has clients: say which team they go to
    │   └── LastAdmin         nobody would run the practice any more
    ├── TryAgain              nobody's fault, and over in a moment
    │   ├── Busy              two callers met; nothing happened, trying again is safe
    │   │   └── BeingGivenBack    access is being given back at the provider: begin to sign in again in a minute
    │   ├── RateLimited       an address asked for this too often; nothing happened, it is told when to come again
    │   └── Unavailable       the database is away; look before trying a change again
    │       ├── DatabaseFailed        it is there, and cannot do this: it counts as an attempt of a job
    │       └── IssuerUnavailable     it is the issuer of tokens that is away; nothing happened
    ├── ProviderError         the other side said no; `provider` is its slug
    │   ├── Throttled         nothing happened; wait `retry_after`, or by the limit where that is None
    │   ├── QuotaSpent        a limit is spent for longer than the caller can wait: come back at `resume_at`
    │   ├── ProviderUnavailable   a time-out, a fault of theirs, a lost line: nothing of ours changes; try again
    │   ├── ConsentGone       a person must sign in again
    │   ├── AccessLost        the login no longer reaches the organisation, or may not do this in it
    │   │   └── AppRemoved    nobody of the organisation has the app any more: a person must sign in again
    │   ├── ScopeMissing      the consent does not include this; a person must sign in with more
    │   ├── SubscriptionLapsed    the organisation's own subscription has ended
    │   ├── NotAtProvider     what was asked for is not there
    │   ├── ProviderRejected  it refused what we sent, and said why
    │   ├── ProviderMisconfigured it does not know our app: the operator can mend it
    │   └── ProviderBroken    the answer does not fit what we know of the API
    │       └── AnswerTooLarge    it is longer than what is read of one: ask for less at once
    ├── StartRefused          the process may not start like this; the operator can mend it
    └── ClaimLost             a job's lease went to another worker: stop, write nothing

Each class names its own `code`, which is what API callers see and match on. No HTTP in here:
each edge translates once, `raise … from`.
"""

from tieline.errors.passing import (
    BeingGivenBack,
    Busy,
    DatabaseFailed,
    IssuerUnavailable,
    RateLimited,
    TryAgain,
    Unavailable,
)
from tieline.errors.providers import (
    AccessLost,
    AnswerTooLarge,
    AppRemoved,
    ConsentGone,
    LimitScope,
    NotAtProvider,
    ProviderBroken,
    ProviderError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    QuotaSpent,
    ScopeMissing,
    SubscriptionLapsed,
    Throttled,
)
from tieline.errors.refusals import (
    AdministratorNeeded,
    AdminNeeded,
    AlreadyMember,
    AnotherChosen,
    BulkConnectUnsupported,
    CannotSync,
    CodeTaken,
    ConsentOver,
    ConsentTooNarrow,
    CursorExpired,
    CursorInvalid,
    DifferentOrganisation,
    DisconnectedOnPurpose,
    DuplicateClient,
    Forbidden,
    Invalid,
    InvitationForAnother,
    InvitationOver,
    KeyNarrowed,
    LastAdmin,
    LinesContradict,
    MemberNeeded,
    NamedTwice,
    NameTaken,
    NotConnected,
    NotFound,
    NotInThisLogin,
    OrganisationInUse,
    OwnBooks,
    PersonNeeded,
    PlanTooSmall,
    PracticeNeeded,
    ProofInvalid,
    ProviderNotConfigured,
    Refused,
    SeveralInvalid,
    SignInNotReady,
    SignInOver,
    TeamInUse,
    Unauthenticated,
)
from tieline.errors.root import (
    ClaimLost,
    StartRefused,
    TielineError,
)

__all__ = [
    "AccessLost",
    "AdminNeeded",
    "AdministratorNeeded",
    "AlreadyMember",
    "AnotherChosen",
    "AnswerTooLarge",
    "AppRemoved",
    "BeingGivenBack",
    "BulkConnectUnsupported",
    "Busy",
    "CannotSync",
    "ClaimLost",
    "CodeTaken",
    "ConsentGone",
    "ConsentOver",
    "ConsentTooNarrow",
    "CursorExpired",
    "CursorInvalid",
    "DatabaseFailed",
    "DifferentOrganisation",
    "DisconnectedOnPurpose",
    "DuplicateClient",
    "Forbidden",
    "Invalid",
    "InvitationForAnother",
    "InvitationOver",
    "IssuerUnavailable",
    "KeyNarrowed",
    "LastAdmin",
    "LimitScope",
    "LinesContradict",
    "MemberNeeded",
    "NameTaken",
    "NamedTwice",
    "NotAtProvider",
    "NotConnected",
    "NotFound",
    "NotInThisLogin",
    "OrganisationInUse",
    "OwnBooks",
    "PersonNeeded",
    "PlanTooSmall",
    "PracticeNeeded",
    "ProofInvalid",
    "ProviderBroken",
    "ProviderError",
    "ProviderMisconfigured",
    "ProviderNotConfigured",
    "ProviderRejected",
    "ProviderUnavailable",
    "QuotaSpent",
    "RateLimited",
    "Refused",
    "ScopeMissing",
    "SeveralInvalid",
    "SignInNotReady",
    "SignInOver",
    "StartRefused",
    "SubscriptionLapsed",
    "TeamInUse",
    "Throttled",
    "TielineError",
    "TryAgain",
    "Unauthenticated",
    "Unavailable",
]
