"""What all handlers of the control API share: how they are called, and how they say no."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tieline_sandbox.codec import Malformed, encode
from tieline_sandbox.sandbox import Sandbox


class Unknown(Exception):
    """There is no such thing."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name}.")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`path` and `query` hold the words of the address, `body` the JSON object that came ({} for none)."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]


Handler = Callable[[Sandbox, Asked], Any]
"""Some take their time: what is awaitable is awaited."""

Handlers = dict[tuple[str, str], Handler]


def endpoint(sandbox: Sandbox, handlers: Mapping[str, Handler]) -> Callable[[Request], Any]:
    """One address: the handler of the method, its result as JSON, its refusals as 400 and 404."""

    async def answer(request: Request) -> Response:
        try:
            asked = Asked(path=request.path_params, query=request.query_params, body=await _body(request))
            result = handlers[request.method if request.method != "HEAD" else "GET"](sandbox, asked)
            if inspect.isawaitable(result):
                result = await result
        except Malformed as error:
            return JSONResponse({"error": str(error)}, 400)
        except Unknown as error:
            return JSONResponse({"error": str(error)}, 404)
        if request.method != "GET":
            sandbox.store.changed()
            await sandbox.store.settle()
        return result if isinstance(result, Response) else JSONResponse(encode(result))

    return answer


async def _body(request: Request) -> dict[str, Any]:
    text = await request.body()
    try:
        body = json.loads(text, parse_float=Decimal) if text else {}
    except ValueError as error:
        raise Malformed("", "must be JSON") from error
    if not isinstance(body, dict):
        raise Malformed("", "must be an object")
    return body
