"""Bodies of requests: read with a bound on their size, and understood as JSON without quoting them in errors."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import Request

from promsnmp.http.responses.errors import Problem
from promsnmp.inventory.document.write import parse_json

LARGE = 64 * 1024
"""Bytes from which on a body is parsed outside the event loop."""


async def read_json(request: Request, *, most: int) -> object:
    """The body as JSON. Raises InventoryInvalid when it is none, and Problem 413 when it is larger than ``most``
    bytes."""
    body = await read_body(request, most=most)
    return parse_json(body) if len(body) < LARGE else await asyncio.to_thread(parse_json, body)


async def read_body(request: Request, *, most: int) -> bytes:
    """The body, refused as soon as it is known to be larger than ``most`` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > most:
            raise _too_large(most)
    return bytes(received)


def _too_large(most: int) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {most} bytes")
