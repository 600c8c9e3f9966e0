"""Abacus as a provider of Tieline: one consent is for one company, which the callback names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from tieline.canonical import Account, TaxRate, to_data
from tieline.errors import NotAtProvider, ProviderBroken
from tieline.plugins import (
    ClientAuthentication,
    ConnectionSetting,
    Consent,
    CursorTooOld,
    Endpoints,
    Fault,
    Feed,
    FeedKind,
    Grant,
    Limit,
    LimitKind,
    LimitScope,
    OAuth,
    OrganisationDetails,
    Page,
    Product,
    ProviderInfo,
    Reached,
    Record,
    Remaining,
    RevocationForm,
    Session,
    SetAside,
    SettingKind,
    Subject,
    WebhookEvent,
    Webhooks,
    check_signature,
    faults,
    hookimpl,
)
from tieline.plugins.entries import Entry, Unreadable, amount, text
from tieline.vault import Secret

LIMITS = "https://developer.abacus.example/limits"
ACCOUNTS = Feed(name="accounts", datasets=("accounts",), kind=FeedKind.CHANGES, every=timedelta(hours=1))
TAX_RATES = Feed(name="tax_rates", datasets=("tax_rates",), kind=FeedKind.SNAPSHOT, every=timedelta(days=1))
READ_TAX_RATES = ConnectionSetting(
    name="read_tax_rates",
    kind=SettingKind.SWITCH,
    label="Read tax rates",
    meaning="Whether tax rates are read; a company that charges no tax has none.",
    products=(Product.BOOKKEEPING,),
    default="true",
    feeds=("tax_rates",),
)
INFO = ProviderInfo(
    slug="abacus",
    name="Abacus",
    contract_version=1,
    products=(Product.BOOKKEEPING,),
    bulk_consent=False,
    guided_queue=True,
    feeds={Product.BOOKKEEPING: (ACCOUNTS, TAX_RATES)},
    tiers=("small", "large"),
    connection_settings=(READ_TAX_RATES,),
)
OAUTH = OAuth(
    endpoints=Endpoints(
        authorize="https://login.abacus.example/oauth/authorize",
        token="https://login.abacus.example/oauth/token",
        revocation="https://login.abacus.example/oauth/revoke",
        api="https://api.abacus.example/v3",
    ),
    base_scopes=("offline",),
    product_scopes={Product.BOOKKEEPING: ("ledger",)},
    client_authentication=ClientAuthentication.BASIC,
    revocation=RevocationForm.FORM,
    access_life=timedelta(hours=1),
    refresh_life=timedelta(days=100),
    rotation_grace=timedelta(0),
)
WEBHOOKS = Webhooks(refusal=403, source="https://developer.abacus.example/webhooks")


@dataclass(frozen=True, kw_only=True)
class Abacus:
    info: ProviderInfo = INFO
    oauth: OAuth = OAUTH
    webhooks: Webhooks = WEBHOOKS

    def limits(self, tier: str | None) -> Sequence[Limit]:
        return (
            Limit(
                name="minute",
                scope=LimitScope.ORGANISATION,
                kind=LimitKind.RATE,
                most=100,
                window=timedelta(minutes=1),
                source=LIMITS,
            ),
            Limit(
                name="day",
                scope=LimitScope.ORGANISATION,
                kind=LimitKind.DAY,
                most=10_000 if tier == "large" else 1_000,
                source=LIMITS,
            ),
        )

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        left = _number(response.headers.get("x-day-left"))
        return () if left is None else (Remaining(limit="day", left=left),)

    def classify(self, response: httpx.Response) -> Fault | None:
        match response.status_code:
            case 401:
                return faults.TokenExpired()
            case 403:
                return faults.AccessLost()
            case 404:
                return faults.Missing()
            case 429:
                wait = _number(response.headers.get("retry-after"))
                return faults.Throttled(
                    limit="day" if response.headers.get("x-limit") == "day" else "minute",
                    scope=LimitScope.ORGANISATION,
                    retry_after=None if wait is None else timedelta(seconds=wait),
                )
            case status if status >= 500:
                return faults.Transient(message=f"the status was {status}")
        return None

    def subject(self, grant: Grant) -> Subject:
        company = grant.parameters.get("company")
        if not company:
            raise ProviderBroken(self.info.slug, "the callback names no company")
        return Subject(id=company, login=None, consent=None)

    async def organisations(
        self,
        session: Session,
        consent: Consent | None,  # noqa: ARG002 - each consent is for the one company
    ) -> Sequence[Reached]:
        details = await self._details(session, session.subject)
        return [Reached(external_id=session.subject, name=details.name, consented=True)]

    async def organisation(self, session: Session) -> OrganisationDetails:
        return await self._details(session, session.organisation or "")

    async def _details(self, session: Session, company_id: str) -> OrganisationDetails:
        company = (await session.get(f"companies/{company_id}")).json()
        name = text(company, "name")
        if name is None:
            raise ProviderBroken(self.info.slug, "a company has no name")
        return OrganisationDetails(
            name=name,
            legal_name=text(company, "legal_name"),
            country=text(company, "country"),
            currency=text(company, "currency"),
            tax_number=None,
            registration_number=None,
            timezone=None,
        )

    async def release(self, session: Session, external_id: str) -> None:
        with suppress(NotAtProvider):  # somebody else was first
            await session.request("DELETE", f"companies/{external_id}/access")

    async def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        if feed.kind is FeedKind.SNAPSHOT:
            yield self._page(await self._asked(session, feed, {}), feed, read_tax_rate)
            return
        last = False
        while not last:
            asked = {"limit": str(session.page_size(500))} | ({} if cursor is None else {"since": cursor})
            answer = await self._asked(session, feed, asked)
            if answer.get("too_old") is True:
                raise CursorTooOld
            cursor, last = text(answer, "as_of"), answer.get("more") is not True
            if cursor is None:
                raise ProviderBroken(self.info.slug, "a list of changes does not say where it ends")
            yield self._page(answer, feed, read_account, cursor=cursor, last=last)

    async def _asked(self, session: Session, feed: Feed, asked: dict[str, str]) -> Entry:
        answer = (await session.get(f"companies/{session.organisation}/{feed.name}", params=asked)).json()
        if not isinstance(answer.get("records"), list) or not isinstance(answer.get("deleted", []), list):
            raise ProviderBroken(self.info.slug, "a list is none")
        return answer

    def _page(
        self,
        answer: Entry,
        feed: Feed,
        reads: Callable[[Entry], Record],
        *,
        cursor: str | None = None,
        last: bool = True,
    ) -> Page:
        read = [sorted_out(feed.name, entry, reads) for entry in answer["records"]]
        return Page(
            records=tuple(one for one in read if isinstance(one, Record)),
            set_aside=tuple(one for one in read if isinstance(one, SetAside)),
            gone=tuple((feed.name, each) for each in answer.get("deleted", []) if isinstance(each, str)),
            cursor=cursor,
            last=last,
        )

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        check_signature(headers.get("x-abacus-signature"), body, secret)
        return changes_in(body)


def changes_in(body: bytes) -> list[WebhookEvent]:
    """One delivery tells of one record; what is not known is passed over."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return []
    company = text(told, "company") if isinstance(told, dict) else None
    if company is None or told.get("list") not in ("accounts", "tax_rates"):
        return []
    return [WebhookEvent(id=text(told, "event"), organisation=company, feeds=(told["list"],))]


def sorted_out(dataset: str, entry: Any, reads: Callable[[Entry], Record]) -> Record | SetAside:
    """One record that cannot be read costs no other."""
    id_ = text(entry, "id") if isinstance(entry, dict) else None
    if id_ is None or len(id_) > 200:
        return SetAside(dataset=dataset, external_id="", why="It has no id.")
    try:
        return reads(entry)
    except Unreadable as why:
        return SetAside(dataset=dataset, external_id=id_, why=str(why))


def read_account(entry: Entry) -> Record:
    account = Account(
        id=str(text(entry, "id")),
        code=text(entry, "code"),
        name=text(entry, "name"),
        type=text(entry, "type"),
        classification=None,
        description=None,
        currency=None,
        tax_code=None,
        bank_account_type=None,
        bank_account_number=None,
        system_role=None,
        takes_payments=False,
        status=None,
        active=entry.get("archived") is not True,
    )
    return record("accounts", account)


def read_tax_rate(entry: Entry) -> Record:
    rate = TaxRate(
        id=str(text(entry, "id")),
        code=None,
        name=text(entry, "name"),
        percent=amount(entry, "percent"),
        applies_to=(),
        report_code=None,
        components=(),
        status=None,
        active=entry.get("archived") is not True,
    )
    return record("tax_rates", rate)


def record(dataset: str, made: Account | TaxRate) -> Record:
    return Record(
        dataset=dataset,
        external_id=made.id,
        name=made.name,
        code=made.code,
        active=made.active,
        updated_at=None,
        data=to_data(made),
    )


def _number(written: str | None) -> int | None:
    is_one = written is not None and written.isascii() and written.isdecimal() and len(written) < 10
    return int(written) if is_one and written is not None else None


@hookimpl
def tieline_provider() -> Abacus:
    return Abacus()
