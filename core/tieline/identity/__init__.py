"""From what a caller sends to who it is: an API key of ours, or a token of the issuer that the operator trusts.

authenticate(token, practice)
├── an API key       its hash says which practice and which person it is
└── anything else    a JWT of the trusted issuer: `issuer` has its keys, `tokens` its rules;
                     its issuer and subject say which people of which practices it is
"""

from tieline.identity.bearer import authenticate, identify

__all__ = ["authenticate", "identify"]
