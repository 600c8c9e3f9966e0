"""Changes to the practice itself."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.practices import changing
from tieline.practices.changing import PracticeChange
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN
from tieline_gateway.graphql.practices.types import Practice
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.input(description="What is to be otherwise with the practice; what is left out stays as it is.")
class UpdatePracticeInput:
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    consent_life_days: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many days a consent lasts, 1 to 3,650, those that were given already too; null: they do not "
        "run out by themselves.",
    )

    def read(self) -> PracticeChange:
        is_set = self.consent_life_days is not strawberry.UNSET
        return PracticeChange(
            name=self.name,
            sets_consent_life=is_set,
            consent_life_days=self.consent_life_days if is_set else None,
        )


@strawberry.type(description="The practice that was changed.")
class UpdatePracticePayload:
    practice: Practice | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type
class PracticeMutations:
    @strawberry.mutation(
        description="Change the practice's name, and how long its consents last. For practice admins."
    )
    async def update_practice(
        self, info: Info, input: Annotated[UpdatePracticeInput, GIVEN]
    ) -> UpdatePracticePayload:
        try:
            practice = await changing.update_practice(info.context.principal, input.read())
        except EXPECTED as error:
            return UpdatePracticePayload(practice=None, errors=UserError.of(error))
        return UpdatePracticePayload(practice=Practice.of(practice), errors=[])
