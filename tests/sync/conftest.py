"""What tests of syncs share: a provider that follows a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.sync.scripted import Reading, Script, reading, scripted


@pytest.fixture
def script(opened: Deployment) -> Iterator[Script]:  # noqa: ARG001 - must be open
    """The only provider of this process."""
    made = Script()
    with scripted(made):
        yield made


@pytest.fixture
async def client(books: Books, script: Script) -> Reading:
    """A client connected for BOOKKEEPING, with a run that is queued."""
    return await reading(books, script)
