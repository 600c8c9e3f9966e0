"""Loaded last by the process that commands are forked from: what is there by then is garbage to none of them.

Else each would look through all of it at its first collection, and so have the pages copied that it shares.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
