"""Who is on the other end of a socket: where it comes from, and what its `connection_init` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tieline.errors import Unauthenticated
from tieline_gateway.transport.incoming import PRACTICE_HEADER, Credentials
from tieline_gateway.transport.operations import Joined

_TOKEN = ("authorization",)
_PRACTICE = (PRACTICE_HEADER, PRACTICE_HEADER.replace("-", ""))


@dataclass(kw_only=True)
class Caller:
    """Who said to be on the other end of one socket: Strawberry's context, which it makes once per socket.

    `host` is the address it comes from, None where there is none; `joined` is there once it was let in.
    """

    host: str | None = None
    connection_params: dict[str, Any] | None = None
    joined: Joined | None = None

    def credentials(self) -> Credentials:
        """What `connection_init` says. Raises `Unauthenticated` for one thing twice, or an odd one."""
        return Credentials.read(
            self._only(*_TOKEN),
            self._only(*_PRACTICE),
            over_socket=True,
            host=self.host,
        )

    def brought(self) -> str:
        """All that is said of the caller, as one text, whatever it is worth; HTTP's headers would make the same."""
        said = [*self._said(*_TOKEN), *self._said(*_PRACTICE)]
        return " ".join(str(value) for value in said if value)

    def _said(self, *names: str) -> list[object]:
        return [value for name, value in (self.connection_params or {}).items() if name.lower() in names]

    def _only(self, *names: str) -> object:
        said = self._said(*names)
        if len(said) > 1:
            raise Unauthenticated
        return said[0] if said else None
