"""What is asked to try each query, mutation and subscription: documents that act on a `Scene`."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.id_cases import CASES, mutation
from tieline.permissions import RULES


@dataclass(frozen=True, kw_only=True)
class Try:
    """`document` takes `$id`, which `names` says what of the scene it is, and more by the scene's names.

    Where it answers with a list, `shows` names what is in it for whoever sees the client it belongs to. `beyond` is how
    what is not the caller's own is refused.
    """

    document: str
    names: str | None = None
    shows: str | None = None
    beyond: tuple[str, ...] = ("NOT_FOUND",)


def case(path: str, *, names: str | None = None, beyond: tuple[str, ...] = ("NOT_FOUND",)) -> Try:
    """What is asked with the id at this place of the schema; `names` where it is to be another thing's."""
    found = CASES[path]
    return Try(document=found.document, names=names or found.names, beyond=beyond)


def lists(document: str, *, shows: str) -> Try:
    return Try(document=document, shows=shows)


def changes(name: str, input: str) -> Try:
    """A mutation that names nothing which is there already."""
    document = mutation(name, input).replace("($id: ID!)", "")
    return Try(document=document)


NEWS = "CLIENT_CHANGED"
"""What a scene has happen to its clients."""
TRIES = {
    "Query.viewer": Try(document="{ viewer { practice { id } } }"),
    "Query.providers": Try(document="{ providers { slug } }"),
    "Query.teams": lists("{ teams { id } }", shows="team"),
    "Query.members": lists("{ members(first: 200) { nodes { person { id } } } }", shows="colleague"),
    "Query.invitations": lists("{ invitations { id } }", shows="client_invitation"),
    "Query.apiKeys": case("Query.apiKeys.personId", names="owner", beyond=("FORBIDDEN",)),
    "Query.activity": lists("{ activity(first: 200) { nodes { clientId } } }", shows="client"),
    "Query.connectionBoard": lists(
        "{ connectionBoard(product: BOOKKEEPING, first: 200) { nodes { client { id } } } }", shows="client"
    ),
    "Query.clients": lists("{ clients(first: 200) { nodes { id } } }", shows="client"),
    "Query.clientsCsv": lists("{ clientsCsv { content } }", shows="name"),
    "Query.practiceCodesPreview": lists(
        "query($csv: String!) { practiceCodesPreview(input: {csv: $csv}) { matched { client { id } } } }",
        shows="client",
    ),
    "Query.addClientsPreview": case(
        "Query.addClientsPreview.input.rows.organisationId", names="new_organisation"
    ),
    "Query.connections": lists("{ connections(first: 200) { nodes { client { id } } } }", shows="client"),
    "Query.integrators": lists("{ integrators { person { id } } }", shows="integrator"),
    "Query.signIn": case("Query.signIn.id", names="signed_in"),
    "Query.bulkConnectPreview": case("Query.bulkConnectPreview.input.rows.clientId"),
    "Query.reconnectAllCount": Try(document='{ reconnectAllCount(provider: "xero") { total } }'),
    "Query.reconnectAllPreview": lists(
        "query($sign_in: ID!) { reconnectAllPreview(input: {signInId: $sign_in}) {"
        " outcomes { connectionId error { code } } } }",
        shows="broken",
    ),
    "Query.reassignPreview": case("Query.reassignPreview.input.connectionIds"),
    "Mutation.updatePractice": changes("updatePractice", ""),
    "Mutation.createTeam": changes("createTeam", 'name: "New"'),
    "Mutation.setTeamMembers": case("Mutation.setTeamMembers.input.id", names="spare_team"),
    "Mutation.deleteTeam": case("Mutation.deleteTeam.input.id", names="spare_team"),
    "Mutation.updateMember": case("Mutation.updateMember.input.personId"),
    "Mutation.deactivatePerson": case("Mutation.deactivatePerson.input.personId", names="spare_person"),
    "Mutation.reactivatePerson": case("Mutation.reactivatePerson.input.personId", names="spare_person"),
    "Mutation.inviteMember": changes("inviteMember", 'email: "new@firm.invalid", name: "New"'),
    "Mutation.revokeInvitation": case("Mutation.revokeInvitation.input.id", names="client_invitation"),
    "Mutation.acceptInvitation": Try(
        document="mutation($token: String!) { acceptInvitation(input: {token: $token}) { errors { code } } }"
    ),
    "Mutation.setClientMember": Try(
        document=mutation(
            "setClientMember", "clientId: $id, personId: $reader, role: READER", declares=", $reader: ID!"
        ),
        names="client",
    ),
    "Mutation.removeClientMember": case("Mutation.removeClientMember.input.clientId"),
    "Mutation.createApiKey": Try(
        document=mutation("createApiKey", 'name: "New", personId: $id, scopes: [SYNC]'),
        names="owner",
        beyond=("FORBIDDEN",),
    ),
    "Mutation.revokeApiKey": case(
        "Mutation.revokeApiKey.input.id",
        names="key",
        beyond=("NOT_FOUND", "FORBIDDEN"),  # this for admins, who see it
    ),
    "Mutation.createClient": changes("createClient", 'name: "Another"'),
    "Mutation.addClients": case("Mutation.addClients.input.rows.organisationId", names="new_organisation"),
    "Mutation.updateClient": case("Mutation.updateClient.input.id"),
    "Mutation.setPracticeCodes": Try(
        document=mutation(
            "setPracticeCodes",
            "rows: [{clientId: $id, practiceCode: $code}]",
            declares=", $code: String!",
            asks="outcomes { error { code } }",
        ),
        names="client",
    ),
    "Mutation.deleteClient": case("Mutation.deleteClient.input.id", names="doomed"),
    "Mutation.startSignIn": case("Mutation.startSignIn.input.connectionId", names="broken"),
    "Mutation.completeSignIn": case("Mutation.completeSignIn.input.id", names="signed_in"),
    "Mutation.continueSignIn": case("Mutation.continueSignIn.input.id", names="signed_in"),
    "Mutation.connect": case("Mutation.connect.input.clientId"),
    "Mutation.bulkConnect": case("Mutation.bulkConnect.input.rows.clientId"),
    "Mutation.reconnect": case("Mutation.reconnect.input.connectionId"),
    "Mutation.changeConnection": Try(
        document=mutation(
            "changeConnection",
            "connectionId: $id, signInId: $sign_in, organisationId: $organisation",
            declares=", $sign_in: ID!, $organisation: ID!",
        ),
        names="connection",
    ),
    "Mutation.reconnectAll": lists(
        "mutation($sign_in: ID!) { reconnectAll(input: {signInId: $sign_in}) {"
        " outcomes { connectionId error { code } } errors { code } } }",
        shows="broken",
    ),
    "Mutation.syncAll": Try(
        document="mutation { syncAll(input: {}) { queued alreadyRunning errors { code field } } }"
    ),
    "Mutation.pauseSyncs": Try(document="mutation { pauseSyncs { errors { code field } } }"),
    "Mutation.resumeSyncs": Try(document="mutation { resumeSyncs { errors { code field } } }"),
    "Mutation.reassign": case("Mutation.reassign.input.connectionIds"),
    "Subscription.signIn": case("Subscription.signIn.id", names="signed_in"),
    "Subscription.connectionEvents": lists(
        "subscription($after: String!) { connectionEvents(after: $after) { kind clientId } }", shows="client"
    ),
}


def _only_case(operation: str) -> Try:
    """Of what takes one id, that."""
    (path,) = (path for path in CASES if path.startswith(f"{operation}."))
    return case(path)


TRIES |= {
    operation: _only_case(operation)
    for operation in RULES
    if operation not in TRIES and any(path.startswith(f"{operation}.") for path in CASES)
}
