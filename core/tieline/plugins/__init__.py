"""The seam between Tieline and its plugins: what both sides import, and nothing else.

    contract    what a provider is: data, and a Protocol of eight methods
    pull        the pages of records that it hands over
    limits      how much a provider allows, as data
    waits       how long an answer asks to be left alone
    gate        what each call passes, waiting for the quota
    faults      what an answer means, as `classify` says it
    hookspecs   the hook through which a plugin offers its provider
    connection_settings
                what a practice may settle about one connection
    settings    what an operator may settle where a provider's documentation leaves it open
    registry    the plugins that are installed, and why one is refused
    oauth       consent, tokens and revocation as message parts
    session     how a plugin talks to its provider
    answer      how it reads what comes back
    entries     how it reads one record of that, field by field
    userinfo    who signed in, where the provider says so at an address of its own
    webhooks    what the provider tells by itself: a part that a plugin may leave out
    edge        where the core calls it: bounded, and nothing else than an answer or an error comes out
    transport   one HTTP exchange, bounded
    places      the HTTP client for all of them, and how many at once

A plugin is a distribution with an entry point in the group `tieline.plugins`, named like its slug; the module it
leads to has a function `tieline_provider`, marked with `hookimpl`.
"""

from tieline.errors import LimitScope
from tieline.plugins import faults
from tieline.plugins.answer import Answer
from tieline.plugins.connection_settings import (
    ConnectionSetting,
    SettingChoice,
    SettingKind,
    feeds_for,
    settings_for,
)
from tieline.plugins.contract import (
    CONTRACT_VERSION,
    ClientAuthentication,
    Consent,
    Endpoints,
    Feed,
    FeedKind,
    Grant,
    OAuth,
    OrganisationDetails,
    Product,
    Provider,
    ProviderInfo,
    Reached,
    RevocationForm,
    Subject,
    TokenSet,
)
from tieline.plugins.faults import Fault
from tieline.plugins.gate import FreeGate, Gate, Passage
from tieline.plugins.hookspecs import hookimpl
from tieline.plugins.limits import Limit, LimitKind, Remaining
from tieline.plugins.oauth import (
    Challenge,
    GrantRejected,
    TokenRequest,
    authorization_url,
    code_request,
    read_tokens,
    refresh_request,
    revocation_request,
    send,
)
from tieline.plugins.pull import MAX_CURSOR_BYTES, CursorTooOld, Page, Record, SetAside
from tieline.plugins.registry import InstalledPlugin, Registry, load
from tieline.plugins.session import SMALLEST_PAGE, Session, TokenSource
from tieline.plugins.settings import Setting
from tieline.plugins.userinfo import ask_userinfo
from tieline.plugins.waits import asked_wait
from tieline.plugins.webhooks import (
    BadSignature,
    WebhookEvent,
    WebhookReceiver,
    Webhooks,
    check_signature,
    receiver_of,
)

__all__ = [
    "CONTRACT_VERSION",
    "MAX_CURSOR_BYTES",
    "SMALLEST_PAGE",
    "Answer",
    "BadSignature",
    "Challenge",
    "ClientAuthentication",
    "ConnectionSetting",
    "Consent",
    "CursorTooOld",
    "Endpoints",
    "Fault",
    "Feed",
    "FeedKind",
    "FreeGate",
    "Gate",
    "Grant",
    "GrantRejected",
    "InstalledPlugin",
    "Limit",
    "LimitKind",
    "LimitScope",
    "OAuth",
    "OrganisationDetails",
    "Page",
    "Passage",
    "Product",
    "Provider",
    "ProviderInfo",
    "Reached",
    "Record",
    "Registry",
    "Remaining",
    "RevocationForm",
    "Session",
    "SetAside",
    "Setting",
    "SettingChoice",
    "SettingKind",
    "Subject",
    "TokenRequest",
    "TokenSet",
    "TokenSource",
    "WebhookEvent",
    "WebhookReceiver",
    "Webhooks",
    "ask_userinfo",
    "asked_wait",
    "authorization_url",
    "check_signature",
    "code_request",
    "faults",
    "feeds_for",
    "hookimpl",
    "load",
    "read_tokens",
    "receiver_of",
    "refresh_request",
    "revocation_request",
    "send",
    "settings_for",
]
