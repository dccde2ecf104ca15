"""Reads the bodies of requests: with a limit on their size, and as JSON without quoting them in errors."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from promsnmp.http.responses.errors import ApiError
from promsnmp.inventory.document.write import parse_json

LARGE = 64 * 1024
"""Bytes from which on a body is parsed outside the event loop."""


class BodyTooLarge(ApiError):
    """The body is larger than ``max_bytes`` bytes."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {max_bytes} bytes")


async def read_json(request: Request, *, max_bytes: int) -> object:
    """The body as JSON. Raises InventoryInvalid when it is not JSON, and BodyTooLarge."""
    body = await read_body(request.scope, request.receive, max_bytes=max_bytes)
    return parse_json(body) if len(body) < LARGE else await asyncio.to_thread(parse_json, body)


async def read_body(scope: MutableMapping[str, Any], receive: Receive, *, max_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it is known to be larger than ``max_bytes`` bytes, and
    ClientDisconnect when the client closes the connection before the end."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLarge(max_bytes)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes)
        if not message.get("more_body"):
            return bytes(body)


def replay_body(body: bytes, receive: Receive, *, has_more: bool = False) -> Receive:
    """A ``receive`` for an application that is to read ``body``, which was read already; with ``has_more`` it is the
    beginning of the body."""
    first = True

    async def receive_again() -> Message:
        nonlocal first
        if not first:
            return await receive()
        first = False
        return {"type": "http.request", "body": body, "more_body": has_more}

    return receive_again
