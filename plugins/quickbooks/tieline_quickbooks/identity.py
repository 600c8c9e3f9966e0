"""Which company was consented to, and by whom: the callback names it as `realmId`, the tokens neither.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tieline.errors import ProviderBroken
from tieline.plugins import Grant, Subject

_REALM = re.compile(r"[0-9]{1,32}")
_MAX_LOGIN = 254


def subject_of(grant: Grant, *, provider: str) -> Subject:
    """The company, and the person's address there. Raises ProviderBroken when the callback does not name a company."""
    realm = grant.parameters.get("realmId", "")
    if not _REALM.fullmatch(realm):
        raise ProviderBroken(provider, "the callback names no company")
    return Subject(id=realm, login=_login(grant.claims), consent=None)


def _login(claims: Mapping[str, Any]) -> str | None:
    """Only a name for people to see; a person's own where no address is told."""
    person = " ".join(_text(claims, claim) for claim in ("givenName", "familyName"))
    tidy = (" ".join(name.split()) for name in (_text(claims, "email"), person))
    return next((name for name in tidy if name and name.isprintable() and len(name) <= _MAX_LOGIN), None)


def _text(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    return value if isinstance(value, str) else ""
