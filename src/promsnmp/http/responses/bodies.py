"""Bodies of requests: read with a bound on their size, and understood as JSON without quoting them in errors."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import Request

from promsnmp.http.responses.errors import ApiError
from promsnmp.inventory.document.write import parse_json

LARGE = 64 * 1024
"""Bytes from which on a body is parsed outside the event loop."""


async def read_json(request: Request, *, max_bytes: int) -> object:
    """The body as JSON. Raises InventoryInvalid when it is none, and ApiError 413 when it is larger than ``max_bytes``
    bytes."""
    body = await read_body(request, max_bytes=max_bytes)
    return parse_json(body) if len(body) < LARGE else await asyncio.to_thread(parse_json, body)


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """The body, refused as soon as it is known to be larger than ``max_bytes`` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(received)


def _too_large(max_bytes: int) -> ApiError:
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {max_bytes} bytes")
