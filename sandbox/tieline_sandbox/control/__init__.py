"""The control API under `/_control`: JSON in, JSON out; it moves everything that a provider's API would not.

steering    clock, faults, log, delays: how everything behaves; Xero's limits
portal      Xero's apps, people, organisations, consents: what is there
books       Xero's books from above
quickbooks  all of the same for QuickBooks Online, under `/quickbooks`
webhooks    what apps are told of changes, on command
"""

from __future__ import annotations

from starlette.routing import Route

from tieline_sandbox.control import books, portal, quickbooks, steering, webhooks
from tieline_sandbox.control.endpoint import endpoint
from tieline_sandbox.sandbox import Sandbox


def routes(sandbox: Sandbox) -> list[Route]:
    """Every address of the control API; handlers take the sandbox, the path's words and the body."""
    table = {
        **portal.HANDLERS,
        **steering.HANDLERS,
        **books.HANDLERS,
        **quickbooks.HANDLERS,
        **webhooks.HANDLERS,
    }
    paths = sorted({path for _, path in table})
    return [
        Route(
            path,
            endpoint(
                sandbox, {method: handler for (method, where), handler in table.items() if where == path}
            ),
            methods=[method for method, where in table if where == path],
        )
        for path in paths
    ]
