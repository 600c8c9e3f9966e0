"""What a refusal of ours looks like at each kind of path, before anything of the request is read.

    /graphql            JSON with a code, as whatever else is refused there
    /oauth/…/callback   a sentence for the person in the browser
    /webhooks/…         no body

Each says in `Retry-After` when to come again.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from tieline_gateway.metrics import Metrics
from tieline_gateway.routes.consent_page import sentence_page
from tieline_gateway.routes.oauth import CALLBACK_LABEL
from tieline_gateway.routes.webhooks import NOBODY, WEBHOOK_LABEL
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.http import refusal
from tieline_gateway.transport.negotiation import JSON


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Makes them, and counts webhooks, of which their route sees nothing then."""

    metrics: Metrics

    def at(self, label: str, error: RequestRefused, *, why: str) -> Response:
        """`why` is for people: what there was too much of, as a sentence."""
        if label == WEBHOOK_LABEL:
            self.metrics.webhooks.labels(NOBODY, "limited").inc()
            response = Response(status_code=error.status or 400)
        elif label == CALLBACK_LABEL:
            sentence = f"{why} Reload this page in {error.retry_after} s."
            response = sentence_page(sentence, status=error.status or 400)
        else:
            return refusal(error, JSON)
        if error.retry_after is not None:
            response.headers["retry-after"] = str(error.retry_after)
        return response
