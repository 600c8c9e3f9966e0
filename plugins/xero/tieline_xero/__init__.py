"""Xero as a provider of Tieline.

provider       the provider itself: data, and calls to Xero
scopes         which scope each product needs, and why
feeds          what is read of an organisation, in which order, how often
identity       who consented, from the claims of the tokens
connections    the organisations that a Xero user has connected to the app
details        one organisation's details
endpoints      how each of Xero's endpoints is asked
reading        a feed, page by page
places         where the reading of a changing list stands
mapping        Xero's records as canonical ones
wire           values as Xero writes them
limits         how much Xero allows by tier, and what its answers say is left
faults         what Xero's answers mean
webhooks       what it tells by itself
"""

from tieline.plugins import hookimpl
from tieline_xero.provider import Xero

__all__ = ["Xero", "tieline_provider"]


@hookimpl
def tieline_provider() -> Xero:
    return Xero()
