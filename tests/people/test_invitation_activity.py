"""Who asked whom in, and who came, is told as all that people do: by ids and words, without an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.books import Books
from tieline.activity.service import list_activity
from tieline.identity.tokens import Identity
from tieline.ids import new_id
from tieline.practices.invitations.accepting import accept_invitation
from tieline.practices.invitations.service import (
    NewInvitation,
    invite_client_member,
    invite_member,
    revoke_invitation,
)
from tieline.principal import ClientAccess, ClientRole, Permission


async def told(books: Books) -> list[tuple[object, ...]]:
    """All but how the practice began, the earliest first."""
    rows = (await list_activity(books.admin)).rows
    return [
        (done.kind, done.person_id, done.client_id, done.subject_id, done.details)
        for done in reversed(rows)
        if done.kind != "CLIENT_CREATED"
    ]


async def test_who_came_in_is_told_as_the_person_that_it_became(books: Books) -> None:
    ann = Identity(
        issuer="https://login.example",
        subject=f"auth0|{new_id()}",
        email=None,
        email_verified=None,
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
    )
    new = NewInvitation(
        email="ann@firm.invalid",
        name="Ann",
        permissions=frozenset({Permission.SYNC, Permission.PUBLISH}),
        client_access=ClientAccess.LISTED,
    )

    issued = await invite_member(books.admin, new)
    accepted = await accept_invitation(ann, issued.token.reveal())
    assert await accept_invitation(ann, issued.token.reveal()) == accepted

    invitation, asked = {"invitation_id": str(issued.invitation.id)}, issued.invitation.id
    as_what = {"role": "MEMBER", "permissions": ["PUBLISH", "SYNC"], "client_access": "LISTED"}
    by_ann = invitation | {"person_id": str(accepted.person_id)}
    assert await told(books) == [
        ("PERSON_INVITED", books.me, None, asked, invitation | as_what),
        ("INVITATION_ACCEPTED", accepted.person_id, None, asked, by_ann),
    ]


async def test_an_invitation_to_a_client_is_told_of_it_and_revoked_once(books: Books) -> None:
    client = await books.client("Acorn")
    theirs = await books.of_client(client, ClientRole.ADMINISTRATOR)

    issued = await invite_client_member(
        theirs, client.id, email="ben@c.invalid", name="Ben", role=ClientRole.READER
    )
    for _ in range(2):
        await revoke_invitation(books.admin, issued.invitation.id)

    invitation, asked = {"invitation_id": str(issued.invitation.id)}, issued.invitation.id
    as_what: dict[str, object] = {"role": "READER", "permissions": [], "client_access": None}
    assert await told(books) == [
        ("PERSON_INVITED", theirs.person_id, client.id, asked, invitation | as_what),
        ("INVITATION_REVOKED", books.me, client.id, asked, invitation),
    ]
