"""Whom an invitation is for, as somebody typed it: an address that anybody can read, and all that is wrong at once."""

from __future__ import annotations

import pytest

from tests.support.books import Books
from tieline.errors import Invalid, SeveralInvalid
from tieline.practices.invitations.service import NewInvitation, invite_member


async def test_white_space_around_an_address_and_its_case_do_not_count(books: Books) -> None:
    issued = await invite_member(books.admin, NewInvitation(email=" Ann@Firm.invalid\n", name=" Ann "))

    assert (issued.invitation.email, issued.invitation.name) == ("ann@firm.invalid", "Ann")


@pytest.mark.parametrize(
    "email", ["\u202eann@firm.invalid", "ann@fi\u200brm.invalid", "ann @firm.invalid", "ann", ""]
)
async def test_an_address_that_reads_otherwise_than_it_is_written_is_none(books: Books, email: str) -> None:
    with pytest.raises(Invalid, match="is not an e-mail address") as refused:
        await invite_member(books.admin, NewInvitation(email=email, name="Ann"))

    assert refused.value.field == "email"


async def test_all_that_does_not_fit_is_told_at_once(books: Books) -> None:
    with pytest.raises(SeveralInvalid) as refused:
        await invite_member(books.admin, NewInvitation(email="ann", name=" "))

    assert [part.field for part in refused.value.parts] == ["email", "name"]
