"""Loaded last by the process that commands are forked from: what is there by then is garbage to none of them.

Else each would look through all of it at its first collection, and so have the pages copied that it shares. What every
one of them would make for itself is made here: the schema, and what clients of HTTP know of certificates.
"""

from __future__ import annotations

import gc
from functools import cache
from unittest.mock import patch

import httpx

from tieline_gateway.graphql.schema import build_schema

patch("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context)).start()
httpx.Client().close()
build_schema()
gc.collect()
gc.freeze()
