"""Asking for the syncs of many clients at once, and pausing those that come by themselves."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from tieline import errors
from tieline.connections.states import explanation
from tieline.ids import ClientId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sync import pausing
from tieline.sync.many import service
from tieline.sync.many.decisions import Outcome
from tieline.sync.many.service import SyncedAll
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.practices.types import Practice
from tieline_gateway.graphql.rows import WHY_REFUSED, Place, outcomes_of
from tieline_gateway.graphql.sync.types import SyncRun
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.transport.rows import RowsOf

_IDS = RowsOf(part="clientIds", most=service.MAX_ROWS)

strawberry.enum(
    Outcome,
    name="SyncOutcomeCode",
    description="What became of one client; all but QUEUED and ALREADY_RUNNING began nothing.",
)


@strawberry.input(description="Clients whose books are to be brought up to date.")
class SyncClientsInput:
    client_ids: list[strawberry.ID] = strawberry.field(description="At most 1,000.")
    product: Product | None = strawberry.field(
        default=None, description="Only by the clients' connections for it; left out: by all of them."
    )


@strawberry.input(description="Which books are to be brought up to date, of all that the caller may sync.")
class SyncAllInput:
    provider: str | None = strawberry.field(
        default=None, description="The short name of a provider; left out: those of all providers."
    )
    not_synced_since: datetime | None = strawberry.field(
        default=None, description="Only those that were last synced before this instant, or never."
    )


@strawberry.type(name="SyncOutcome", description="What became of one client.")
class SyncOutcomeType:
    client_id: strawberry.ID
    code: Outcome
    runs: list[SyncRun] = strawberry.field(
        description="What reads its books, one for each organisation; to be followed by `syncProgress`. None for a row "
        "that is refused."
    )
    error: UserError | None = strawberry.field(description=WHY_REFUSED)
    note: str | None = strawberry.field(
        description="What is not read although the row was not refused, as a sentence for people, in English; else "
        "null."
    )

    @classmethod
    def of(cls, place: Place, client_id: strawberry.ID, became: service.SyncOutcome) -> SyncOutcomeType:
        return cls(
            client_id=client_id,
            code=became.outcome,
            runs=[SyncRun.of(run) for run in became.runs],
            error=place.error(became.refusal),
            note=_note(became),
        )

    @classmethod
    def unknown(cls, place: Place, client_id: strawberry.ID, refusal: errors.NotFound) -> SyncOutcomeType:
        return cls(
            client_id=client_id,
            code=Outcome.NOT_FOUND,
            runs=[],
            error=place.error(refusal),
            note=None,
        )


def _note(became: service.SyncOutcome) -> str | None:
    told = [
        f"{each.organisation_name} is not read for {each.product}. "
        f"{explanation(each.status, each.reason) or ''}".strip()
        for each in became.expired
    ]
    return " ".join(told) or None


@strawberry.type(description="What became of each client.")
class SyncClientsPayload:
    outcomes: list[SyncOutcomeType] = strawberry.field(
        description="One for each id, in their order; none when nothing was tried.", metadata=_IDS.declared
    )
    errors: list[UserError] = strawberry.field(description="About the request as a whole.")


@strawberry.type(description="How many organisations are brought up to date now.")
class SyncAllPayload:
    queued: int = strawberry.field(description="Of how many a sync was begun.")
    already_running: int = strawberry.field(description="Of how many one was under way or waiting already.")
    expired: int = strawberry.field(
        description="How many cannot be read, as nothing that is connected works."
    )
    remaining: int = strawberry.field(
        description="How many more there are, for when this is said again; 0 as a rule."
    )
    errors: list[UserError]

    @classmethod
    def of(cls, told: SyncedAll, errors: list[UserError]) -> SyncAllPayload:
        return cls(
            queued=told.queued,
            already_running=told.already_running,
            expired=told.expired,
            remaining=told.remaining,
            errors=errors,
        )


@strawberry.type(description="The practice whose syncs no longer come by themselves.")
class PauseSyncsPayload:
    practice: Practice | None = strawberry.field(description="As it is now; null when nothing changed.")
    cancelled: int = strawberry.field(
        description="How many syncs ended that were due and had not begun: they come again with `resumeSyncs`."
    )
    errors: list[UserError]


@strawberry.type(description="The practice whose syncs come by themselves again.")
class ResumeSyncsPayload:
    practice: Practice | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type
class SyncManyMutations:
    @strawberry.mutation(
        description="Bring the books of up to 1,000 clients up to date, with an outcome for each. A client whose sync "
        "is under way is told so, and joined. They go behind what people wait for. Each needs the permission SYNC, or "
        "to be an administrator of the client."
    )
    async def sync_clients(self, info: Info, input: Annotated[SyncClientsInput, GIVEN]) -> SyncClientsPayload:
        try:
            outcomes = await _sync_clients(info.context.principal, input)
        except EXPECTED as error:
            return SyncClientsPayload(outcomes=[], errors=UserError.of(error))
        return SyncClientsPayload(outcomes=outcomes, errors=[])

    @strawberry.mutation(
        description="Bring all books up to date that the caller may sync: of all clients it sees with the permission "
        "SYNC, else of those that it administers. They go behind what people wait for. What waits or is read already "
        "is joined; to go on with what `remaining` tells of, say when the first call was in `notSyncedSince`."
    )
    async def sync_all(self, info: Info, input: Annotated[SyncAllInput, GIVEN]) -> SyncAllPayload:
        try:
            told = await service.sync_all(
                info.context.principal, provider=input.provider, not_synced_since=input.not_synced_since
            )
        except EXPECTED as error:
            return SyncAllPayload.of(SyncedAll(), UserError.of(error))
        return SyncAllPayload.of(told, [])

    @strawberry.mutation(
        description="Let nothing be synced that nobody asks for: neither daily, nor because a provider tells of "
        "changes. First syncs, those that people and services ask for, and what is being read go on. For practice "
        "admins."
    )
    async def pause_syncs(self, info: Info) -> PauseSyncsPayload:
        try:
            paused = await pausing.pause_syncs(info.context.principal)
        except EXPECTED as error:
            return PauseSyncsPayload(practice=None, cancelled=0, errors=UserError.of(error))
        return PauseSyncsPayload(practice=Practice.of(paused.practice), cancelled=paused.cancelled, errors=[])

    @strawberry.mutation(
        description="Let syncs come by themselves again. What fell due meanwhile is read now; of more than a few, "
        "within the hour. For practice admins."
    )
    async def resume_syncs(self, info: Info) -> ResumeSyncsPayload:
        try:
            practice = await pausing.resume_syncs(info.context.principal)
        except EXPECTED as error:
            return ResumeSyncsPayload(practice=None, errors=UserError.of(error))
        return ResumeSyncsPayload(practice=Practice.of(practice), errors=[])


async def _sync_clients(principal: Principal, given: SyncClientsInput) -> list[SyncOutcomeType]:
    return await outcomes_of(
        given.client_ids,
        _client_id,
        partial(service.sync_clients, principal, product=given.product),
        of=SyncOutcomeType.of,
        unknown=SyncOutcomeType.unknown,
        called="clientIds",
    )


def _client_id(given: strawberry.ID) -> ClientId:
    return ClientId(read_id("client", given, field="clientIds"))
