"""Bodies of requests: the limit, a client that disconnects, and a body that is read again."""

from __future__ import annotations

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from promsnmp.http.responses.bodies import BodyTooLarge, read_body, replay_body

DISCONNECT: Message = {"type": "http.disconnect"}


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def receiving(*messages: Message) -> Receive:
    """A ``receive`` that gives ``messages`` one after the other."""
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    return receive


async def test_the_parts_of_a_body_are_joined() -> None:
    receive = receiving(part(b"one ", more=True), part(b"two", more=False))
    assert await read_body({"headers": []}, receive, max_bytes=7) == b"one two"


async def test_a_body_that_declares_too_much_is_refused_unread() -> None:
    with pytest.raises(BodyTooLarge) as caught:
        await read_body({"headers": [(b"content-length", b"8")]}, receiving(), max_bytes=7)
    assert caught.value.status_code == 413


async def test_a_body_is_refused_at_the_part_that_exceeds_the_limit() -> None:
    with pytest.raises(BodyTooLarge):
        await read_body({"headers": []}, receiving(part(b"12345678", more=True)), max_bytes=7)


async def test_a_body_that_ends_early_is_never_complete() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body({"headers": []}, receiving(part(b"[", more=True), DISCONNECT), max_bytes=7)


async def test_a_replayed_body_is_followed_by_what_the_client_sends_next() -> None:
    receive = replay_body(b"again", receiving(DISCONNECT))
    assert await receive() == part(b"again", more=False)
    assert await receive() == DISCONNECT
