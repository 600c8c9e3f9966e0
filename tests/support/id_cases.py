"""What is asked with each id that the schema takes: documents that act on something by `$id`."""

from __future__ import annotations

from dataclasses import dataclass


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
    return mutation("bulkConnect", input, declares=declares, asks="outcomes { code error { code field } }")


def adding(sign_in: str, row: str, *, declares: str) -> str:
    given = f"signInId: {sign_in}, product: BOOKKEEPING, rows: [{row}]"
    return mutation("addClients", given, declares=declares, asks="outcomes { code error { code field } }")


def board(filter: str) -> str:
    return f"query($id: ID!) {{ connectionBoard(product: BOOKKEEPING, {filter}) {{ totalCount }} }}"


def foreseen(name: str, case: Case) -> Case:
    """The query that says what the mutation would answer to the same input."""
    asked = case.document.replace("mutation", "query", 1).replace(f" {name}(", f" {name}Preview(")
    return Case(document=asked.replace(" errors { code field }", ""), names=case.names)


def ledger(name: str) -> Case:
    return Case(
        document=f"query($id: ID!) {{ {name}(connectionId: $id) {{ totalCount }} }}", names="connection"
    )


CASES = {
    "Query.client.id": Case(document="query($id: ID!) { client(id: $id) { id name } }", names="client"),
    "Query.clientsCsv.teamIds": Case(
        document="query($id: ID!) { clientsCsv(teamIds: [$id]) { rowCount } }", names="team"
    ),
    "Query.activity.personId": Case(
        document="query($id: ID!) { activity(personId: $id) { totalCount } }", names="person"
    ),
    "Query.activity.clientId": Case(
        document="query($id: ID!) { activity(clientId: $id) { totalCount } }", names="client"
    ),
    "Query.activity.apiKeyId": Case(
        document="query($id: ID!) { activity(apiKeyId: $id) { totalCount } }", names="api_key"
    ),
    "Query.deleteClientPreview.input.id": Case(
        document="query($id: ID!) { deleteClientPreview(input: {id: $id}) { records } }", names="client"
    ),
    "Query.connection.id": Case(
        document="query($id: ID!) { connection(id: $id) { id } }", names="connection"
    ),
    "Query.connections.clientId": Case(
        document="query($id: ID!) { connections(clientId: $id) { totalCount } }", names="client"
    ),
    "Query.connections.integratedBy": Case(
        document="query($id: ID!) { connections(integratedBy: $id) { totalCount } }", names="person"
    ),
    "Query.connections.teamIds": Case(
        document="query($id: ID!) { connections(teamIds: [$id]) { totalCount } }", names="team"
    ),
    "Query.connectionBoard.integratedBy": Case(document=board("integratedBy: $id"), names="person"),
    "Query.connectionBoard.teamIds": Case(document=board("teamIds: [$id]"), names="team"),
    "Query.disconnectPreview.input.connectionId": Case(
        document="query($id: ID!) { disconnectPreview(input: {connectionId: $id}) { endsConsent } }",
        names="connection",
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
    "Query.clients.listedFor": Case(
        document="query($id: ID!) { clients(listedFor: $id) { totalCount } }", names="colleague"
    ),
    "Query.members.teamId": Case(
        document="query($id: ID!) { members(teamId: $id) { totalCount } }", names="team"
    ),
    "Query.member.personId": Case(
        document="query($id: ID!) { member(personId: $id) { role } }", names="colleague"
    ),
    "Query.clientMembers.clientId": Case(
        document="query($id: ID!) { clientMembers(clientId: $id) { totalCount } }", names="client"
    ),
    "Mutation.setClientMember.input.clientId": Case(
        document=mutation(
            "setClientMember",
            "clientId: $id, personId: $colleague, role: READER",
            declares=", $colleague: ID!",
        ),
        names="client",
    ),
    "Mutation.setClientMember.input.personId": Case(
        document=mutation(
            "setClientMember", "clientId: $client, personId: $id, role: READER", declares=", $client: ID!"
        ),
        names="colleague",
    ),
    "Mutation.removeClientMember.input.clientId": Case(
        document=mutation(
            "removeClientMember", "clientId: $id, personId: $reader", declares=", $reader: ID!"
        ),
        names="client",
    ),
    "Mutation.removeClientMember.input.personId": Case(
        document=mutation(
            "removeClientMember", "clientId: $client, personId: $id", declares=", $client: ID!"
        ),
        names="reader",
    ),
    "Query.apiKeys.personId": Case(
        document="query($id: ID!) { apiKeys(personId: $id) { totalCount } }", names="colleague"
    ),
    "Mutation.createApiKey.input.personId": Case(
        document=mutation("createApiKey", 'name: "New", personId: $id', asks="apiKey { id }"),
        names="colleague",
    ),
    "Mutation.revokeApiKey.input.id": Case(
        document=mutation("revokeApiKey", "id: $id", asks="apiKey { id }"), names="api_key"
    ),
    "Mutation.renameTeam.input.id": Case(
        document=mutation("renameTeam", 'id: $id, name: "Renamed"', asks="team { id }"), names="team"
    ),
    "Mutation.setTeamMembers.input.id": Case(
        document=mutation("setTeamMembers", "id: $id, personIds: []", asks="team { id }"), names="team"
    ),
    "Mutation.setTeamMembers.input.personIds": Case(
        document=mutation(
            "setTeamMembers", "id: $team, personIds: [$id]", declares=", $team: ID!", asks="team { id }"
        ),
        names="colleague",
    ),
    "Mutation.deleteTeam.input.id": Case(
        document=mutation("deleteTeam", "id: $id", asks="deletedTeamId"), names="team"
    ),
    "Mutation.deleteTeam.input.moveClientsTo": Case(
        document=mutation(
            "deleteTeam", "id: $team, moveClientsTo: $id", declares=", $team: ID!", asks="deletedTeamId"
        ),
        names="other_team",
    ),
    "Mutation.updateMember.input.personId": Case(
        document=mutation("updateMember", "personId: $id, role: MEMBER", asks="member { role }"),
        names="colleague",
    ),
    "Mutation.updateMember.input.teamIds": Case(
        document=mutation(
            "updateMember", "personId: $colleague, teamIds: [$id]", declares=", $colleague: ID!"
        ),
        names="team",
    ),
    "Mutation.updateMember.input.clientIds": Case(
        document=mutation(
            "updateMember", "personId: $colleague, clientIds: [$id]", declares=", $colleague: ID!"
        ),
        names="client",
    ),
    "Mutation.deactivatePerson.input.personId": Case(
        document=mutation("deactivatePerson", "personId: $id", asks="person { id }"), names="colleague"
    ),
    "Mutation.reactivatePerson.input.personId": Case(
        document=mutation("reactivatePerson", "personId: $id", asks="person { id }"), names="colleague"
    ),
    "Mutation.createClient.input.teamId": Case(
        document=mutation("createClient", 'name: "New", teamId: $id', asks="client { id }"), names="team"
    ),
    "Mutation.renameClient.input.id": Case(
        document=mutation("renameClient", 'id: $id, name: "Renamed"', asks="client { id }"), names="client"
    ),
    "Mutation.updateClient.input.id": Case(
        document=mutation("updateClient", 'id: $id, legalName: "Legal"', asks="client { id }"), names="client"
    ),
    "Mutation.updateClient.input.teamId": Case(
        document=mutation(
            "updateClient", "id: $client, teamId: $id", declares=", $client: ID!", asks="client { id }"
        ),
        names="team",
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
    "Mutation.updateSettings.input.connectionId": Case(
        document=mutation(
            "updateSettings", 'connectionId: $id, settings: [{name: "read_items", value: "false"}]'
        ),
        names="connection",
    ),
    "Mutation.refreshLists.input.connectionId": Case(
        document=mutation("refreshLists", "connectionId: $id", asks="run { id }"), names="connection"
    ),
    "Mutation.reconnectAll.input.signInId": Case(
        document=mutation("reconnectAll", "signInId: $id", asks="outcomes { code error { code field } }"),
        names="sign_in",
    ),
    "Mutation.reassign.input.signInId": Case(
        document=mutation(
            "reassign",
            "signInId: $id, connectionIds: [$connection]",
            declares=", $connection: ID!",
            asks="outcomes { code error { code field } }",
        ),
        names="sign_in",
    ),
    "Mutation.reassign.input.connectionIds": Case(
        document=mutation(
            "reassign",
            "signInId: $sign_in, connectionIds: [$id]",
            declares=", $sign_in: ID!",
            asks="outcomes { code error { code field } }",
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
    "Mutation.setPracticeCodes.input.rows.clientId": Case(
        document=mutation(
            "setPracticeCodes",
            'rows: [{clientId: $id, practiceCode: "N-1"}]',
            asks="outcomes { code error { code field } }",
        ),
        names="client",
    ),
    "Mutation.sync.input.connectionId": Case(
        document=mutation("sync", "connectionId: $id", asks="run { id }"), names="connection"
    ),
    "Mutation.syncClients.input.clientIds": Case(
        document=mutation("syncClients", "clientIds: [$id]", asks="outcomes { code error { code field } }"),
        names="client",
    ),
}

_FORESEEN = ("bulkConnect", "addClients", "reconnectAll", "reassign")
CASES |= {
    path.replace(f"Mutation.{name}.", f"Query.{name}Preview."): foreseen(name, case)
    for name in _FORESEEN
    for path, case in CASES.items()
    if path.startswith(f"Mutation.{name}.")
}
