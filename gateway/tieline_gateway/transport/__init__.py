"""GraphQL over HTTP and WebSocket for any Strawberry schema: who asks, how much, and what they are told.

endpoint      GraphQLTransport: puts the rest together, answers the routes
├── http          POST, the GraphQL-over-HTTP specification
│   └── negotiation   media types
├── sockets       graphql-transport-ws
│   └── callers       who is on the other end
└── operations    one operation, from request to outcome
    ├── aside         a thread for what takes milliseconds
    ├── incoming      JSON from strangers, bearer tokens
    ├── documents     parse, validate, keep
    │   ├── limits        depth, fields, aliases, directives, operations, cost
    │   ├── rules         the standard ones, bounded
    │   └── leavings      what a reading leaves behind
    ├── served        the schema, which takes all that as it is
    └── errors        what callers are told
"""

from tieline_gateway.transport.endpoint import GraphQLTransport
from tieline_gateway.transport.limits import Limits

__all__ = ["GraphQLTransport", "Limits"]
