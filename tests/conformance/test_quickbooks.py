"""QuickBooks Online keeps every rule of the conformance kit."""

from tests.conformance.at_quickbooks import pretending
from tests.conformance.sandboxed import unchanged_calls
from tieline.testing.suite import conformance
from tieline_quickbooks import QuickBooks

test_conformance = conformance(QuickBooks(), pretending, unchanged_calls=unchanged_calls("quickbooks"))
