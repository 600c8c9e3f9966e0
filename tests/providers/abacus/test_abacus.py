"""Abacus keeps every rule of the conformance kit."""

from pretended_abacus import pretending
from tieline.testing.suite import conformance
from tieline_abacus import Abacus

test_conformance = conformance(Abacus(), pretending, unchanged_calls={"accounts": 1, "tax_rates": 1})
