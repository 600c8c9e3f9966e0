"""A plugin that raises, answers with what was not asked for, or never: a sign-in gets by without what it owes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.support.logged import logging_to
from tests.support.sandbox import Person
from tieline.credentials import asking
from tieline.errors import ProviderBroken
from tieline.plugins import Grant, Reached, Subject
from tieline.sign_ins.details import read_details
from tieline.sign_ins.service import complete_sign_in, get_sign_in
from tieline.sign_ins.states import Failure
from tieline_xero import Xero


async def raises(*_: object) -> Any:
    raise KeyError("secret")


async def gives_nothing(*_: object) -> Any:
    return None


async def hangs(*_: object) -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize("organisation", [raises, gives_nothing])
async def test_details_that_a_plugin_fails_to_tell_are_done_without(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch, organisation: Callable[..., Awaitable[Any]]
) -> None:
    ready = await desk.ready(kim)
    monkeypatch.setattr(Xero, "organisation", organisation)

    assert await read_details(desk.practice_id, ready.id) is None

    told = await get_sign_in(desk.admin, ready.id)
    assert (told.details_done, told.organisations_total) == (3, 3)


async def test_details_that_never_come_are_given_up_and_asked_for_again_later(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await desk.ready(kim)
    monkeypatch.setattr(Xero, "organisation", hangs)
    monkeypatch.setattr(asking, "_ASK_SECONDS", 0.1)
    assert await read_details(desk.practice_id, ready.id) is not None
    monkeypatch.undo()

    assert await read_details(desk.practice_id, ready.id) is None

    assert (await get_sign_in(desk.admin, ready.id)).details_done == 3


@pytest.mark.parametrize("subject", ["ada", Subject(id="ada", login=7, consent=None)])  # type: ignore[arg-type]
async def test_a_subject_that_is_none_fails_the_consent_with_its_plugin_to_blame(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch, subject: Any
) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    monkeypatch.setattr(Xero, "subject", lambda *_: subject)

    assert (await desk.back(parameters)).failure is Failure.CONSENT_FAILED


async def test_an_organisation_without_a_name_is_the_plugins_fault_and_the_consent_stays(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def organisations(*_: object) -> Any:
        return [Reached(external_id="x", name=None, consented=True)]  # type: ignore[arg-type]

    sign_in_id, proof = await desk.consented(kim)
    monkeypatch.setattr(Xero, "organisations", organisations)
    with pytest.raises(ProviderBroken, match="its plugin could not tell what a login reaches"):
        await complete_sign_in(desk.admin, sign_in_id, proof)
    monkeypatch.undo()

    assert (await complete_sign_in(desk.admin, sign_in_id, proof)).organisations_total == 3


async def test_a_subject_that_a_plugin_fails_to_tell_is_logged_without_what_it_quotes(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = await desk.consent(await desk.start(), kim)

    def quoting(_: object, grant: Grant) -> Subject:
        raise ValueError(grant.tokens.access.reveal() + "is-what-it-got")

    monkeypatch.setattr(Xero, "subject", quoting)

    with logging_to() as written:
        assert (await desk.back(parameters)).failure is Failure.CONSENT_FAILED

    [line] = [line for line in written.getvalue().splitlines() if "plugin.failed" in line]
    assert "in quoting" in line
    assert line.count("is-what-it-got") == 1  # the line of code
