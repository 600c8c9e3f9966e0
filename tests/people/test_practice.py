"""The practice itself: its admins name it and say how long consents last; what it has bought is the operator's."""

from __future__ import annotations

import pytest

from tests.support.books import Books
from tieline.activity.service import list_activity
from tieline.errors import Forbidden, Invalid, SeveralInvalid
from tieline.practices.changing import PracticeChange, set_plan, update_practice
from tieline.practices.plan import Plan
from tieline.practices.service import view
from tieline.principal import Permission


async def test_an_admin_changes_the_name_and_the_life_of_consents(books: Books) -> None:
    named = await update_practice(books.admin, PracticeChange(name=" New  Name "))
    for_ever = await update_practice(books.admin, PracticeChange(sets_consent_life=True))
    shorter = PracticeChange(sets_consent_life=True, consent_life_days=180)
    short = await update_practice(books.admin, shorter)
    again = await update_practice(books.admin, shorter)

    assert (named.name, named.consent_life_days) == ("New Name", 365)
    assert (for_ever.name, for_ever.consent_life_days) == ("New Name", None)
    assert (short.consent_life_days, again) == (180, short)
    assert (await view(books.admin)).practice == short
    told = (await list_activity(books.admin)).rows
    assert [(done.kind, done.subject_id, done.details["changed"]) for done in told] == [
        ("PRACTICE_CHANGED", books.practice_id, ["consentLifeDays"]),
        ("PRACTICE_CHANGED", books.practice_id, ["consentLifeDays"]),
        ("PRACTICE_CHANGED", books.practice_id, ["name"]),
    ]
    assert [done.details["consent_life_days"] for done in told] == [180, None, 365]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (PracticeChange(name="  "), "name"),
        (PracticeChange(sets_consent_life=True, consent_life_days=0), "consentLifeDays"),
        (PracticeChange(sets_consent_life=True, consent_life_days=3_651), "consentLifeDays"),
    ],
)
async def test_what_does_not_fit_changes_nothing(books: Books, change: PracticeChange, field: str) -> None:
    before = (await view(books.admin)).practice

    with pytest.raises(Invalid) as refused:
        await update_practice(books.admin, change)

    assert refused.value.field == field
    assert (await view(books.admin)).practice == before


async def test_all_that_does_not_fit_is_told_at_once(books: Books) -> None:
    with pytest.raises(SeveralInvalid) as refused:
        await update_practice(
            books.admin, PracticeChange(name="", sets_consent_life=True, consent_life_days=0)
        )

    assert [part.field for part in refused.value.parts] == ["name", "consentLifeDays"]


async def test_only_admins_by_a_key_that_is_not_narrowed_change_it(books: Books) -> None:
    for caller in (
        await books.member(*Permission),
        await books.calling(books.me, scopes=frozenset(Permission)),
        await books.calling(None, scopes=frozenset(Permission)),
    ):
        with pytest.raises(Forbidden):
            await update_practice(caller, PracticeChange(name="Mine"))


async def test_the_operator_says_what_it_has_bought(books: Books) -> None:
    await set_plan(books.practice_id, Plan.STANDARD)

    assert (await view(books.admin)).practice.plan is Plan.STANDARD
