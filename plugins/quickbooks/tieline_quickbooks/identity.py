"""Which company was consented to: the callback names it as `realmId`, the tokens do not.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
"""

from __future__ import annotations

import re

from tieline.errors import ProviderBroken
from tieline.plugins import Grant, Subject

_REALM = re.compile(r"[0-9]{1,32}")


def subject_of(grant: Grant, *, provider: str) -> Subject:
    """The company. Raises ProviderBroken when the callback does not name one."""
    realm = grant.parameters.get("realmId", "")
    if not _REALM.fullmatch(realm):
        raise ProviderBroken(provider, "the callback names no company")
    return Subject(id=realm, login=None, consent=None)
