"""Collections of garbage: what stays for good is not looked through while others wait."""

from __future__ import annotations

import gc

from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.serve import collect_little_at_a_time


def test_what_a_gateway_keeps_for_good_is_not_looked_through_again() -> None:
    schema, before = build_schema(), gc.get_threshold()
    gc.unfreeze()  # what the tests themselves keep for good; it is kept again below

    collect_little_at_a_time()
    try:
        looked_through = len(gc.get_objects())
        kept = gc.get_freeze_count()
        threshold = gc.get_threshold()
    finally:
        gc.set_threshold(*before)

    assert schema.query is not None
    assert looked_through < kept / 50
    assert threshold == (700, 10, 1)
