"""An id of another practice, an unknown and a broken one are all the same to the API: NOT_FOUND, and nothing happens.

Each argument of the schema that takes an id has its case here; a new one without a case fails.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest

from tests.support.catalog import practice_column, tenant_tables
from tests.support.deployment import Deployment, Gateway
from tests.support.firm import Firm, unknown_id
from tests.support.id_arguments import id_arguments
from tests.support.id_cases import CASES
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.worlds import World, world_of

Snapshot = dict[str, list[str]]
_GOOD = ("CONNECTED", "ADDED", "ALREADY_YOURS", "SET", "UNCHANGED")
_ROWS = (".rows.", ".connectionIds")


@dataclass(frozen=True, kw_only=True)
class Case:
    """`document` takes the id as `$id`, and more by the names of a `World`; `names` says what the id names."""

    document: str
    names: str


def mutation(name: str, input: str, *, declares: str = "", asks: str = "") -> str:
    return (
        f"mutation($id: ID!{declares}) {{ {name}(input: {{{input}}}) {{ {asks} errors {{ code field }} }} }}"
    )


def bulk(input: str, *, declares: str) -> str:
    return mutation("bulkConnect", input, declares=declares, asks="outcomes { code }")


def adding(sign_in: str, row: str, *, declares: str) -> str:
    given = f"signInId: {sign_in}, product: BOOKKEEPING, rows: [{row}]"
    return mutation("addClients", given, declares=declares, asks="outcomes { code }")


def ledger(name: str) -> Case:
    return Case(
        document=f"query($id: ID!) {{ {name}(connectionId: $id) {{ totalCount }} }}", names="connection"
    )


CASES = {
    "Query.client.id": Case(document="query($id: ID!) { client(id: $id) { id name } }", names="client"),
    "Query.connection.id": Case(
        document="query($id: ID!) { connection(id: $id) { id } }", names="connection"
    ),
    "Query.connections.clientId": Case(
        document="query($id: ID!) { connections(clientId: $id) { totalCount } }", names="client"
    ),
    "Query.connections.integratedBy": Case(
        document="query($id: ID!) { connections(integratedBy: $id) { totalCount } }", names="person"
    ),
    "Query.signIn.id": Case(document="query($id: ID!) { signIn(id: $id) { id } }", names="sign_in"),
    "Subscription.signIn.id": Case(
        document="subscription($id: ID!) { signIn(id: $id) { id } }", names="sign_in"
    ),
    "Query.syncRun.id": Case(document="query($id: ID!) { syncRun(id: $id) { id } }", names="run"),
    "Subscription.syncProgress.runId": Case(
        document="subscription($id: ID!) { syncProgress(runId: $id) { id } }", names="run"
    ),
    "Query.accounts.connectionId": ledger("accounts"),
    "Query.contacts.connectionId": ledger("contacts"),
    "Query.taxRates.connectionId": ledger("taxRates"),
    "Query.trackingCategories.connectionId": ledger("trackingCategories"),
    "Query.classes.connectionId": ledger("classes"),
    "Query.departments.connectionId": ledger("departments"),
    "Query.paymentMethods.connectionId": ledger("paymentMethods"),
    "Query.paymentTerms.connectionId": ledger("paymentTerms"),
    "Query.payments.connectionId": ledger("payments"),
    "Query.ledgerItems.connectionId": ledger("ledgerItems"),
    "Query.currencies.connectionId": ledger("currencies"),
    "Query.brandingThemes.connectionId": ledger("brandingThemes"),
    "Query.taxAgencies.connectionId": ledger("taxAgencies"),
    "Query.bankTransfers.connectionId": ledger("bankTransfers"),
    "Query.journals.connectionId": ledger("journals"),
    "Query.ledgerOrganisation.connectionId": Case(
        document="query($id: ID!) { ledgerOrganisation(connectionId: $id) { active } }", names="connection"
    ),
    "Query.ledgerPreferences.connectionId": Case(
        document="query($id: ID!) { ledgerPreferences(connectionId: $id) { active } }", names="connection"
    ),
    "Query.ledgerDocuments.connectionId": ledger("ledgerDocuments"),
    "Query.recordsSetAside.connectionId": Case(
        document="query($id: ID!) { recordsSetAside(connectionId: $id) { why } }", names="connection"
    ),
    "Mutation.createClient.input.teamId": Case(
        document=mutation("createClient", 'name: "New", teamId: $id', asks="client { id }"), names="team"
    ),
    "Mutation.renameClient.input.id": Case(
        document=mutation("renameClient", 'id: $id, name: "Renamed"', asks="client { id }"), names="client"
    ),
    "Mutation.deleteClient.input.id": Case(
        document=mutation("deleteClient", "id: $id", asks="deletedClientId"), names="client"
    ),
    "Mutation.startSignIn.input.connectionId": Case(
        document=mutation("startSignIn", 'provider: "xero", purpose: RECONNECT, connectionId: $id'),
        names="connection",
    ),
    "Mutation.completeSignIn.input.id": Case(
        document=mutation("completeSignIn", "id: $id, proof: $proof", declares=", $proof: String!"),
        names="sign_in",
    ),
    "Mutation.continueSignIn.input.connectionId": Case(
        document=mutation("continueSignIn", "id: $sign_in, connectionId: $id", declares=", $sign_in: ID!"),
        names="connection",
    ),
    "Mutation.continueSignIn.input.id": Case(document=mutation("continueSignIn", "id: $id"), names="sign_in"),
    "Mutation.connect.input.signInId": Case(
        document=mutation(
            "connect",
            "signInId: $id, clientId: $free_client, organisationId: $free_organisation, product: BOOKKEEPING",
            declares=", $free_client: ID!, $free_organisation: ID!",
        ),
        names="sign_in",
    ),
    "Mutation.connect.input.clientId": Case(
        document=mutation(
            "connect",
            "signInId: $sign_in, clientId: $id, organisationId: $free_organisation, product: BOOKKEEPING",
            declares=", $sign_in: ID!, $free_organisation: ID!",
        ),
        names="free_client",
    ),
    "Mutation.connect.input.organisationId": Case(
        document=mutation(
            "connect",
            "signInId: $sign_in, clientId: $free_client, organisationId: $id, product: BOOKKEEPING",
            declares=", $sign_in: ID!, $free_client: ID!",
        ),
        names="free_organisation",
    ),
    "Mutation.bulkConnect.input.signInId": Case(
        document=bulk(
            "signInId: $id, product: BOOKKEEPING, rows: [{clientId: $free_client, organisationId: $free_organisation}]",
            declares=", $free_client: ID!, $free_organisation: ID!",
        ),
        names="sign_in",
    ),
    "Mutation.bulkConnect.input.rows.clientId": Case(
        document=bulk(
            "signInId: $sign_in, product: BOOKKEEPING, rows: [{clientId: $id, organisationId: $free_organisation}]",
            declares=", $sign_in: ID!, $free_organisation: ID!",
        ),
        names="free_client",
    ),
    "Mutation.bulkConnect.input.rows.organisationId": Case(
        document=bulk(
            "signInId: $sign_in, product: BOOKKEEPING, rows: [{clientId: $free_client, organisationId: $id}]",
            declares=", $sign_in: ID!, $free_client: ID!",
        ),
        names="free_organisation",
    ),
    "Mutation.reconnect.input.connectionId": Case(
        document=mutation("reconnect", "connectionId: $id, signInId: $sign_in", declares=", $sign_in: ID!"),
        names="connection",
    ),
    "Mutation.reconnect.input.signInId": Case(
        document=mutation(
            "reconnect", "connectionId: $connection, signInId: $id", declares=", $connection: ID!"
        ),
        names="sign_in",
    ),
    "Mutation.disconnect.input.connectionId": Case(
        document=mutation("disconnect", "connectionId: $id"), names="connection"
    ),
    "Mutation.acceptMismatch.input.connectionId": Case(
        document=mutation("acceptMismatch", "connectionId: $id"), names="connection"
    ),
    "Mutation.refreshLists.input.connectionId": Case(
        document=mutation("refreshLists", "connectionId: $id", asks="run { id }"), names="connection"
    ),
    "Mutation.reconnectAll.input.signInId": Case(
        document=mutation("reconnectAll", "signInId: $id", asks="outcomes { code }"), names="sign_in"
    ),
    "Mutation.reassign.input.signInId": Case(
        document=mutation(
            "reassign",
            "signInId: $id, connectionIds: [$connection]",
            declares=", $connection: ID!",
            asks="outcomes { code }",
        ),
        names="sign_in",
    ),
    "Mutation.reassign.input.connectionIds": Case(
        document=mutation(
            "reassign",
            "signInId: $sign_in, connectionIds: [$id]",
            declares=", $sign_in: ID!",
            asks="outcomes { code }",
        ),
        names="connection",
    ),
    "Mutation.changeConnection.input.connectionId": Case(
        document=mutation(
            "changeConnection",
            "connectionId: $id, signInId: $sign_in, organisationId: $free_organisation",
            declares=", $sign_in: ID!, $free_organisation: ID!",
        ),
        names="connection",
    ),
    "Mutation.changeConnection.input.signInId": Case(
        document=mutation(
            "changeConnection",
            "connectionId: $connection, signInId: $id, organisationId: $free_organisation",
            declares=", $connection: ID!, $free_organisation: ID!",
        ),
        names="sign_in",
    ),
    "Mutation.changeConnection.input.organisationId": Case(
        document=mutation(
            "changeConnection",
            "connectionId: $connection, signInId: $sign_in, organisationId: $id",
            declares=", $connection: ID!, $sign_in: ID!",
        ),
        names="free_organisation",
    ),
    "Mutation.addClients.input.signInId": Case(
        document=adding(
            "$id", '{organisationId: $free_organisation, name: "New"}', declares=", $free_organisation: ID!"
        ),
        names="sign_in",
    ),
    "Mutation.addClients.input.rows.organisationId": Case(
        document=adding("$sign_in", '{organisationId: $id, name: "New"}', declares=", $sign_in: ID!"),
        names="free_organisation",
    ),
    "Mutation.addClients.input.rows.teamId": Case(
        document=adding(
            "$sign_in",
            '{organisationId: $free_organisation, name: "New", teamId: $id}',
            declares=", $sign_in: ID!, $free_organisation: ID!",
        ),
        names="team",
    ),
    "Mutation.inviteMember.input.teamIds": Case(
        document=mutation("inviteMember", 'email: "a@b.invalid", name: "A", teamIds: [$id]'), names="team"
    ),
    "Mutation.inviteMember.input.clientIds": Case(
        document=mutation("inviteMember", 'email: "a@b.invalid", name: "A", clientIds: [$id]'), names="client"
    ),
    "Mutation.inviteClientMember.input.clientId": Case(
        document=mutation(
            "inviteClientMember", 'email: "a@b.invalid", name: "A", clientId: $id, role: READER'
        ),
        names="client",
    ),
    "Mutation.revokeInvitation.input.id": Case(
        document=mutation("revokeInvitation", "id: $id", asks="invitation { id }"), names="invitation"
    ),
    "Mutation.sync.input.connectionId": Case(
        document=mutation("sync", "connectionId: $id", asks="run { id }"), names="connection"
    ),
}

every_id_argument = pytest.mark.parametrize("path", sorted(CASES))


def test_every_argument_that_takes_an_id_has_its_case_and_every_case_its_argument() -> None:
    arguments = set(id_arguments())

    missing, stale = sorted(arguments - set(CASES)), sorted(set(CASES) - arguments)

    assert not missing, f"Say in CASES what another practice's id does in {', '.join(missing)}."
    assert not stale, f"CASES speaks of what the schema no longer has: {', '.join(stale)}."


@pytest.fixture
async def world(firm: Firm, sandbox: Sandbox) -> AsyncIterator[World]:
    async with world_of(firm, sandbox) as made:
        yield made


@every_id_argument
async def test_the_callers_own_id_is_accepted(firm: Firm, world: World, gateway: Gateway, path: str) -> None:
    own = getattr(world, CASES[path].names)

    assert await refusals(gateway, firm, world, path, own) == []


@every_id_argument
async def test_an_id_of_another_practice_is_not_found_and_nothing_changes(
    firm: Firm,
    other_firm: Firm,
    world: World,
    sandbox: Sandbox,
    gateway: Gateway,
    opened: Deployment,
    path: str,
) -> None:
    async with world_of(other_firm, sandbox) as other:
        theirs = getattr(other, CASES[path].names)
    before = await snapshot(opened, firm, other_firm)

    refused = await refusals(gateway, firm, world, path, theirs)

    assert refused == [("NOT_FOUND", field_of(path))]
    assert await snapshot(opened, firm, other_firm) == before


@every_id_argument
async def test_unknown_and_broken_ids_are_answered_like_another_practices(
    firm: Firm, world: World, gateway: Gateway, opened: Deployment, path: str
) -> None:
    own = getattr(world, CASES[path].names)
    before = await snapshot(opened, firm)
    sent: list[str | int] = [
        unknown_id(),
        "not an id",
        "",
        own.replace("-", ""),
        f"{{{own}}}",
        f"urn:uuid:{own}",
        f" {own}",
        str(firm.practice_id),
        "x" * 10_000,
        0,
    ]

    answers = [await refusals(gateway, firm, world, path, each) for each in sent]

    assert answers == [[("NOT_FOUND", field_of(path))]] * len(sent)
    assert await snapshot(opened, firm) == before


def field_of(path: str) -> str | None:
    """What a refusal names as its field; the rows of a bulk mutation are named by where they stand."""
    return None if any(each in path for each in _ROWS) else path.split(".", 2)[2]


async def refusals(
    gateway: Gateway, firm: Firm, world: World, path: str, id: str | int
) -> list[tuple[str, str | None]]:
    """Code and field of each refusal: errors of the operation, data of the mutation, or outcomes of its rows."""
    variables = {"id": id} | {
        name: value for name, value in asdict(world).items() if f"${name}" in CASES[path].document
    }
    answer = await _answer(gateway, firm, path, variables)
    errors = [error["extensions"] for error in answer.get("errors", [])]
    payload = (answer.get("data") or {}).get(path.split(".")[1]) or {}
    rows = [row for row in payload.get("outcomes") or () if not row["code"].endswith(_GOOD)]
    told = [*errors, *payload.get("errors", []), *rows]
    return [(error["code"], error.get("field")) for error in told]


async def _answer(gateway: Gateway, firm: Firm, path: str, variables: dict[str, Any]) -> dict[str, Any]:
    document = CASES[path].document
    if not path.startswith("Subscription."):
        answer: dict[str, Any] = (await firm.admin.post(document, **variables)).json()
        return answer
    async with caller_at(gateway.socket, firm.admin.key) as socket:
        await socket.subscribe("s", document, **variables)
        return dict((await socket.receive())["payload"])


async def snapshot(opened: Deployment, *firms: Firm) -> Snapshot:
    """Every row of these practices in every table."""
    connection = await opened.connect()
    practices = [firm.practice_id for firm in firms]
    rows: Snapshot = {}
    for table in tenant_tables():
        found = await connection.fetch(
            f"SELECT to_jsonb(t)::text AS row FROM {table} AS t WHERE {practice_column(table)} = ANY($1::uuid[])",
            practices,
        )
        rows[table] = sorted(json.dumps(row["row"]) for row in found)
    await connection.close()
    return rows
