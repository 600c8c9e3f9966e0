"""Refusals of sign-ins name a field that the caller's own input has."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import strawberry
from strawberry.utils.str_converters import to_camel_case

from tests.sign_ins.desk import Desk
from tests.support.sandbox import Person
from tieline import sign_ins
from tieline.errors import Refused
from tieline.host import host
from tieline.ids import ConnectionId, SignInId, new_id
from tieline.plugins import Product, Registry
from tieline.sign_ins.service import complete_sign_in, continue_sign_in
from tieline.sign_ins.states import Purpose
from tieline.vault import Secret
from tieline_gateway.graphql.sign_ins.mutations import (
    CompleteSignInInput,
    ContinueSignInInput,
    StartSignInInput,
)

WRONG = Secret("x" * 43)
ELSEWHERE = {"signInId"}  # told by actions that take a sign-in, whose inputs call it that


def fields(given: type) -> set[str]:
    described = strawberry.types.get_object_definition(given, strict=True)
    return {to_camel_case(field.python_name) for field in described.fields}


async def denied(desk: Desk, kim: Person) -> SignInId:
    started = await desk.start()
    await desk.back(await desk.consent(started, kim, allow=False))
    return started.sign_in.id


async def not_back(desk: Desk, _: Person) -> SignInId:
    return (await desk.start()).sign_in.id


async def nobodys(_: Desk, __: Person) -> SignInId:
    return SignInId(new_id())


async def back(desk: Desk, kim: Person) -> SignInId:
    return (await desk.consented(kim))[0]


async def run_out(desk: Desk, kim: Person) -> SignInId:
    ready = await desk.ready(kim)
    await desk.pass_time(timedelta(hours=25))
    return ready.id


async def without_its_plugin(desk: Desk, kim: Person) -> SignInId:
    sign_in_id = await back(desk, kim)
    object.__setattr__(host(), "registry", Registry.of())
    return sign_in_id


Given = Callable[[Desk, Person], Awaitable[SignInId]]


@pytest.fixture
def registry() -> Any:
    """As it was, when the test is over."""
    before = host().registry
    yield
    object.__setattr__(host(), "registry", before)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("given", "field"), [(denied, "id"), (not_back, "id"), (nobodys, "id"), (back, "proof"), (run_out, "id")]
)
async def test_completing_names_fields_of_its_input(
    desk: Desk, kim: Person, given: Given, field: str
) -> None:
    sign_in_id = await given(desk, kim)

    with pytest.raises(Refused) as refused:
        await complete_sign_in(desk.admin, sign_in_id, WRONG)

    assert refused.value.field == field
    assert field in fields(CompleteSignInInput)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("given", [nobodys, run_out, without_its_plugin])
async def test_continuing_names_fields_of_its_input(desk: Desk, kim: Person, given: Given) -> None:
    sign_in_id = await given(desk, kim)

    with pytest.raises(Refused) as refused:
        await continue_sign_in(desk.admin, sign_in_id)

    assert refused.value.field in fields(ContinueSignInInput)


@pytest.mark.parametrize(
    "asked",
    [
        {"products": ()},
        {"return_url": "https://evil.example/done"},
        {"connection_id": ConnectionId(new_id())},
        {"purpose": Purpose.RECONNECT, "connection_id": ConnectionId(new_id())},
        {"products": (Product.BOOKKEEPING,), "purpose": Purpose.RECONNECT},
    ],
)
async def test_starting_names_fields_of_its_input(desk: Desk, asked: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        await desk.start(**asked)

    assert refused.value.field in fields(StartSignInInput)


def test_every_field_that_sign_ins_name_is_one_of_these_inputs() -> None:
    known = fields(StartSignInInput) | fields(CompleteSignInInput) | fields(ContinueSignInInput) | ELSEWHERE
    folder = Path(sign_ins.__path__[0])

    named = {
        keyword.value.value
        for file in folder.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "field" and isinstance(keyword.value, ast.Constant)
    }

    assert named
    assert named <= known
