"""Xero keeps every rule of the conformance kit."""

from tests.conformance.at_xero import pretending
from tests.conformance.sandboxed import unchanged_calls
from tieline.testing.suite import conformance
from tieline_xero import Xero

test_conformance = conformance(Xero(), pretending, unchanged_calls=unchanged_calls("xero"))
