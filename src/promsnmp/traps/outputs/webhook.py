"""A webhook: POST of JSON, signed with HMAC-SHA-256 where a secret is set (RFC 2104)."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence

from promsnmp.traps.outputs.event import Event, public
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.json_lines import NEVER

TIMESTAMP, SIGNATURE = b"x-promsnmp-timestamp", b"x-promsnmp-signature"


def signature(secret: bytes, timestamp: bytes, body: bytes) -> bytes:
    """``sha256=`` and the hexadecimal HMAC of timestamp, dot and body."""
    return b"sha256=" + hmac.new(secret, timestamp + b"." + body, hashlib.sha256).hexdigest().encode()


class WebhookOutput:
    """``{"version": 1, "events": [...]}``, at most 100 events in one request."""

    kind = "webhook"
    batch = 100

    def __init__(
        self, target: HttpTarget, *, name: str = "webhook", secret: bytes = b"", clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self._target, self._secret, self._clock = target, secret, clock

    def wants(self, event: Event) -> bool:
        return True

    async def send(self, events: Sequence[Event]) -> int:
        body = json.dumps({"version": 1, "events": [public(one) for one in events]}, ensure_ascii=False)
        octets = body.encode("utf-8", "replace")
        headers = []
        if self._secret:
            timestamp = str(int(self._clock())).encode()
            headers = [(TIMESTAMP, timestamp), (SIGNATURE, signature(self._secret, timestamp, octets))]
        await self._target.post(octets, headers)
        return 0

    async def idle(self) -> float:
        return NEVER

    async def close(self) -> None:
        self._target.close()
