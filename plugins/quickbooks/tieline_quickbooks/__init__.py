"""QuickBooks Online as a provider of Tieline.

provider    the provider itself: data, and calls to Intuit
feeds       what is read of a company, in which order, how often
identity    which company was consented to
company     a company's details and preferences
reading     a feed, page by page
taxes       tax codes with their rates, in one page
asking      the calls: change data capture and queries
places      where the reading of what changes stands
mapping     Intuit's records as canonical ones
wire        values as Intuit writes them
limits      how much Intuit allows
faults      what Intuit's answers mean
said        what a fault in them says, in whichever form
webhooks    what it tells by itself
"""

from tieline.plugins import hookimpl
from tieline_quickbooks.provider import QuickBooks

__all__ = ["QuickBooks", "tieline_provider"]


@hookimpl
def tieline_provider() -> QuickBooks:
    return QuickBooks()
