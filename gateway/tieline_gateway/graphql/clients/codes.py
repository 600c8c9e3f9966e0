"""The practice's own codes by spreadsheet: first what it would do, then the rows that a person has confirmed."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

import strawberry

from tieline import errors
from tieline.clients.codes.decisions import Coded
from tieline.clients.codes.matching import Ambiguous, Match, MatchedBy
from tieline.clients.codes.reading import Layout, Line, Wrong
from tieline.clients.codes.service import CodeOutcome, CodesPreview, preview_codes, set_codes
from tieline.ids import ClientId
from tieline.spreadsheets import MAX_ROWS
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, LOOKED_AT, made_at_once, read_id, told_of_input
from tieline_gateway.graphql.rows import WHY_REFUSED, Place, outcomes_of
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.transport.rows import RowsOf

_ROWS = RowsOf(part="rows", most=MAX_ROWS)
_LINES = RowsOf(part="csv", most=MAX_ROWS, shared=True)

_IN_CSV = "input.csv"  # a refusal's line is told beside it

strawberry.enum(
    MatchedBy,
    name="PracticeCodeMatch",
    description="What a line and its client have in common; by PRACTICE_CODE, the client is called otherwise.",
)


@strawberry.enum(description="What became of one row; all but SET changed nothing.")
class PracticeCodeOutcomeCode(StrEnum):
    SET = "SET"
    UNCHANGED = "UNCHANGED"
    NOT_FOUND = errors.NotFound.code
    FORBIDDEN = errors.Forbidden.code
    INVALID = errors.Invalid.code
    NAMED_TWICE = errors.NamedTwice.code
    CODE_TAKEN = errors.CodeTaken.code


@strawberry.input(description="A spreadsheet of practice codes, and where they stand in it.")
class PracticeCodesInput:
    csv: str = strawberry.field(
        description="At most 5,000 rows and 900,000 characters, separated by commas, semicolons or tabs."
    )
    has_header: bool = strawberry.field(default=True, description="Whether the first row names the columns.")
    code_column: int | None = strawberry.field(
        default=None, description="Its number, from 1 on; null finds it by its header, such as Practice code."
    )
    name_column: int | None = strawberry.field(
        default=None, description="The same for the client's name, such as Name."
    )
    client_id_column: int | None = strawberry.field(
        default=None, description="The same for the client's id, such as Client ID; it decides alone."
    )

    def read(self) -> Layout:
        return Layout(
            has_header=self.has_header,
            code=self.code_column,
            name=self.name_column,
            client_id=self.client_id_column,
        )


@strawberry.type(description="A line that is about one client.")
class MatchedPracticeCode:
    line: int = strawberry.field(description="The row in the spreadsheet, from 1 on.")
    practice_code: str
    name: str = strawberry.field(description="As the spreadsheet has it; perhaps empty.")
    client: Client
    by: MatchedBy
    outcome: PracticeCodeOutcomeCode = strawberry.field(
        description="What `setPracticeCodes` would answer if it were sent all that is matched."
    )
    error: UserError | None = strawberry.field(description=WHY_REFUSED)

    @classmethod
    def of(cls, match: Match, became: CodeOutcome) -> MatchedPracticeCode:
        return cls(
            line=match.line.number,
            practice_code=match.line.code,
            name=match.line.name,
            client=Client.of(match.client),
            by=match.by,
            outcome=PracticeCodeOutcomeCode(became.outcome),
            error=UserError.single(became.refusal, field=_IN_CSV) if became.refusal else None,
        )


@strawberry.type(description="A line whose client is not among those that the caller sees.")
class UnmatchedPracticeCode:
    line: int
    practice_code: str
    name: str

    @classmethod
    def of(cls, line: Line) -> UnmatchedPracticeCode:
        return cls(line=line.number, practice_code=line.code, name=line.name)


@strawberry.type(description="A line that may be about any of several clients: let a person choose.")
class AmbiguousPracticeCode:
    line: int
    practice_code: str
    name: str
    clients: list[Client] = strawberry.field(description="At most ten.")

    @classmethod
    def of(cls, found: Ambiguous) -> AmbiguousPracticeCode:
        return cls(
            line=found.line.number,
            practice_code=found.line.code,
            name=found.line.name,
            clients=[Client.of(client) for client in found.clients],
        )


@strawberry.type(description="A line that cannot be used.")
class WrongPracticeCode:
    line: int
    error: UserError = strawberry.field(description="Why.")

    @classmethod
    def of(cls, wrong: Wrong) -> WrongPracticeCode:
        return cls(line=wrong.number, error=UserError.single(wrong.refusal, field=_IN_CSV))


@strawberry.type(name="PracticeCodesPreview", description="What the lines of a spreadsheet are about.")
class PracticeCodesPreviewType:
    matched: list[MatchedPracticeCode] = strawberry.field(metadata=_LINES.declared)
    unmatched: list[UnmatchedPracticeCode] = strawberry.field(metadata=_LINES.declared)
    ambiguous: list[AmbiguousPracticeCode] = strawberry.field(metadata=_LINES.declared)
    wrong: list[WrongPracticeCode] = strawberry.field(metadata=_LINES.declared)
    without_code: int = strawberry.field(description="How many lines say no code; they change nothing.")

    @classmethod
    def of(cls, preview: CodesPreview) -> PracticeCodesPreviewType:
        return cls(
            matched=[MatchedPracticeCode.of(match, became) for match, became in preview.matched],
            unmatched=[UnmatchedPracticeCode.of(line) for line in preview.unmatched],
            ambiguous=[AmbiguousPracticeCode.of(found) for found in preview.ambiguous],
            wrong=[WrongPracticeCode.of(wrong) for wrong in preview.wrong],
            without_code=preview.without_code,
        )


@made_at_once
@strawberry.input(description="A client, and its code.")
class PracticeCodeRow:
    client_id: strawberry.ID
    practice_code: str | None = strawberry.field(
        default=None, description="1 to 64 characters; null, or an empty one, takes the client's code away."
    )

    def read(self) -> Coded:
        """Raises NotFound for an id that is none."""
        return Coded(
            client_id=ClientId(read_id("client", self.client_id, field="clientId")), code=self.practice_code
        )


@strawberry.input(description="The codes to give, all at once.")
class SetPracticeCodesInput:
    rows: list[PracticeCodeRow] = strawberry.field(description="At most 5,000.")


@strawberry.type(description="What became of one row.")
class PracticeCodeOutcome:
    client_id: strawberry.ID
    code: PracticeCodeOutcomeCode
    error: UserError | None = strawberry.field(description=WHY_REFUSED)
    client: Client | None = strawberry.field(description="As it is now; null for a row that is refused.")

    @classmethod
    def of(cls, place: Place, row: PracticeCodeRow, became: CodeOutcome) -> PracticeCodeOutcome:
        return cls(
            client_id=row.client_id,
            code=PracticeCodeOutcomeCode(became.outcome),
            error=place.error(became.refusal),
            client=Client.of(became.client) if became.client else None,
        )

    @classmethod
    def unknown(cls, place: Place, row: PracticeCodeRow, refusal: errors.NotFound) -> PracticeCodeOutcome:
        return cls(
            client_id=row.client_id,
            code=PracticeCodeOutcomeCode.NOT_FOUND,
            error=place.error(refusal),
            client=None,
        )


@strawberry.type(description="What became of each row.")
class SetPracticeCodesPayload:
    outcomes: list[PracticeCodeOutcome] = strawberry.field(
        description="One a row, in their order; none when nothing was tried.", metadata=_ROWS.declared
    )
    errors: list[UserError] = strawberry.field(description="About the request as a whole.")


@strawberry.type
class PracticeCodeQueries:
    @strawberry.field(
        description="Which clients, of those that the caller sees, a spreadsheet gives which practice codes, and what "
        "setting them would come to. Nothing changes. Null, with an error, for what is no CSV, or where its columns "
        "cannot be told."
    )
    async def practice_codes_preview(
        self,
        info: Info,
        input: Annotated[PracticeCodesInput, LOOKED_AT],
    ) -> PracticeCodesPreviewType | None:
        with told_of_input():
            preview = await preview_codes(info.context.principal, input.csv, input.read())
        return PracticeCodesPreviewType.of(preview)


@strawberry.type
class PracticeCodeMutations:
    @strawberry.mutation(
        description="Give up to 5,000 clients their practice codes at once; clients may swap theirs. Each row has an "
        "outcome of its own, in the order of the rows, and good rows are carried out whatever the others are. The same "
        "again changes nothing. Codes are the practice's own, so it takes MANAGE_CONNECTIONS."
    )
    async def set_practice_codes(
        self, info: Info, input: Annotated[SetPracticeCodesInput, GIVEN]
    ) -> SetPracticeCodesPayload:
        try:
            outcomes = await outcomes_of(
                input.rows,
                PracticeCodeRow.read,
                partial(set_codes, info.context.principal),
                of=PracticeCodeOutcome.of,
                unknown=PracticeCodeOutcome.unknown,
            )
        except EXPECTED as error:
            return SetPracticeCodesPayload(outcomes=[], errors=UserError.of(error))
        return SetPracticeCodesPayload(outcomes=outcomes, errors=[])
