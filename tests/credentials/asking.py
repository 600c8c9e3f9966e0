"""A process that asks for a credential's access token with many callers at once, and says what each of them got.

Tells `ready` when it may be told to go, by a line on its standard input; then one JSON list. `HANG_AT=write` stops
it for ever, once it has said `answered`, between the provider's answer and the write-back.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from typing import Any
from uuid import UUID

from tieline.cli.opened import configured
from tieline.credentials import refreshing
from tieline.credentials.tokens import CredentialTokens
from tieline.errors import TielineError
from tieline.ids import CredentialId, PracticeId
from tieline.lifespan import ready


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _hang(*_arguments: Any) -> bool:
    _say("answered")
    await asyncio.Event().wait()
    return False


async def ask(tokens: CredentialTokens) -> str:
    try:
        return fingerprint((await tokens.access()).reveal())
    except TielineError as error:
        return error.code


async def _main(practice_id: PracticeId, credential_id: CredentialId, callers: int) -> None:
    if os.environ.get("HANG_AT") == "write":
        setattr(refreshing, "_write_back", _hang)  # noqa: B010 - the one line at which it is to die
    async with ready(configured()):
        tokens = CredentialTokens(practice_id, credential_id)
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        _say(json.dumps(await asyncio.gather(*(ask(tokens) for _ in range(callers)))))


if __name__ == "__main__":
    practice, credential, count = sys.argv[1:]
    asyncio.run(_main(PracticeId(UUID(practice)), CredentialId(UUID(credential)), int(count)))
