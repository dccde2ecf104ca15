"""Tells the replica that polls a device about its traps, and learns from it whether a notification is new.

Whichever replica receives a notification gives it to the outputs; the device's owner counts it for the page and polls.
So all replicas ask the owner first, and it recognises copies: an inform that is repeated, and that the Service sends to
another replica. A claim is held until its replica says that the notification is safe, or for CLAIM_SECONDS: no copy is
acknowledged before that. Without an answer of the owner a notification counts as new: better twice than never.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cachetools import TTLCache

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.client import TRAPS_PATH
from promsnmp.errors import PeerError
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.confirm.object_states import table_of
from promsnmp.traps.events import TrapEvent
from promsnmp.traps.follow_up.peer_notes import notes_in
from promsnmp.traps.names.confirmations import Confirmation
from promsnmp.traps.naming import nothing_confirms
from promsnmp.traps.receive.duplicates import MAX_REMEMBERED, WINDOW
from promsnmp.traps.receive.receiver import Claim

log = logging.getLogger(__name__)

CLAIM_SECONDS = 10.0
"""Seconds after which another replica may claim a notification that is not safe yet."""
TIMEOUT = 1.0
SKIP_SECONDS = 2.0
"""Seconds for which an owner that did not answer is not asked."""
BATCH = 100
MAX_QUEUED = 10_000
"""Claims of one message, and keys that wait for one owner."""
MAX_VARBINDS, MAX_NAME, MAX_VALUE = 4, 192, 64
"""Varbinds that the owner needs to know what a trap is about, and octets of a name and a value."""
_HEADERS = ((b"content-type", b"application/json"),)


@dataclass(slots=True)
class _Held:
    until: float
    is_done: bool = False


class HeldClaims:
    """The claims of all replicas on the notifications of the devices of this one. ``clock``: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: TTLCache[bytes, _Held] = TTLCache(MAX_REMEMBERED, WINDOW, clock)

    def claim(self, key: bytes) -> Claim:
        """Claims a notification for whoever asks."""
        now, held = self._clock(), self._held.get(key)
        if held is not None and held.is_done:
            return Claim.DONE
        if held is not None and now < held.until:
            return Claim.PENDING
        self._held[key] = _Held(now + CLAIM_SECONDS)
        return Claim.NEW

    def done(self, key: bytes) -> None:
        """The notification is safe."""
        self._held[key] = _Held(0.0, is_done=True)

    def release(self, key: bytes) -> None:
        """The notification was not accepted."""
        self._held.pop(key, None)


@dataclass(slots=True)
class _Outbox:
    """What waits for one owner."""

    claims: list[tuple[bytes, TrapEvent, asyncio.Future[Claim]]] = field(default_factory=list)
    done: list[bytes] = field(default_factory=list)
    released: list[bytes] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    skipped_until: float = 0.0


async def ignore_note(kind: str, document: object) -> None:
    """Takes notes and does nothing with them."""


class TrapPeers:
    """The claims of this replica. ``handle`` gets new events of the devices that it polls; ``on_note`` the kind and
    document of each note of another replica (``peer_notes.py``), and raises PeerError for one that it cannot take;
    ``confirmation_of`` knows what confirms a notification."""

    def __init__(
        self,
        cluster: Cluster,
        handle: Callable[[TrapEvent], None],
        on_note: Callable[[str, Any], Awaitable[None]] = ignore_note,
        *,
        confirmation_of: Callable[[bytes], Confirmation | None] = nothing_confirms,
    ) -> None:
        self._confirmation_of = confirmation_of
        self._on_note = on_note
        self._cluster = cluster
        self._handle = handle
        self._held = HeldClaims()
        self._outboxes: dict[str, _Outbox] = {}
        """By instance."""

    async def stop(self) -> None:
        """Ends all requests."""
        tasks = [box.task for box in self._outboxes.values() if box.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def claim(self, event: TrapEvent, key: bytes) -> Claim:
        """Whether a notification is new; its owner then handles the event."""
        owner = self._owner(event.device_id)
        if owner is None:
            return self._claim_here(event, key)
        box = self._outboxes.setdefault(owner.instance, _Outbox())
        if time.monotonic() < box.skipped_until or len(box.claims) >= MAX_QUEUED:
            return Claim.NEW
        future: asyncio.Future[Claim] = asyncio.get_running_loop().create_future()
        box.claims.append((key, event, future))
        self._send_soon(owner, box)
        return await future

    def done(self, device_id: str, key: bytes) -> None:
        """A notification that was claimed is safe."""
        owner = self._owner(device_id)
        if owner is None:
            self._held.done(key)
        elif (box := self._outboxes.get(owner.instance)) is not None and len(box.done) < MAX_QUEUED:
            box.done.append(key)
            self._send_soon(owner, box)

    def release(self, device_id: str, key: bytes) -> None:
        """A notification that was claimed was not accepted."""
        owner = self._owner(device_id)
        if owner is None:
            self._held.release(key)
        elif (box := self._outboxes.get(owner.instance)) is not None and len(box.released) < MAX_QUEUED:
            box.released.append(key)
            self._send_soon(owner, box)

    async def receive(self, body: bytes) -> bytes:
        """Answers the claims and notes of another replica. Raises PeerError for a message that it does not
        understand."""
        try:
            message = json.loads(body)
            claims = [(bytes.fromhex(one["key"]), _event(one)) for one in message["claims"]]
            done, released = (list(map(bytes.fromhex, message[name])) for name in ("done", "released"))
            notes = notes_in(message)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise PeerError("invalid message about traps") from None
        for key in done[:MAX_QUEUED]:
            self._held.done(key)
        for key in released[:MAX_QUEUED]:
            self._held.release(key)
        for kind, document in notes:
            await self._on_note(kind, document)
        return json.dumps({"results": [self._claim_here(event, key) for key, event in claims]}).encode()

    def _claim_here(self, event: TrapEvent, key: bytes) -> Claim:
        claim = self._held.claim(key)
        if claim is Claim.NEW:
            self._handle(event)
        return claim

    def _owner(self, device_id: str) -> Member | None:
        """The other replica that polls a device; None when this one does."""
        members = self._cluster.members
        if not self._cluster.has_peers or len(members.ring.members) < 2:
            return None
        name = members.ring.owner(device_id)
        found = None if name == members.ring.me else members.find(name)
        return None if found is None or found.instance == members.me.instance else found

    # --------------------------------------------------------------------------------------------------------- sending

    def _send_soon(self, owner: Member, box: _Outbox) -> None:
        if box.task is None or box.task.done():
            box.task = asyncio.create_task(self._send_all(owner, box), name="claims of traps")

    async def _send_all(self, owner: Member, box: _Outbox) -> None:
        claims: list[tuple[bytes, TrapEvent, asyncio.Future[Claim]]] = []
        try:
            while box.claims or box.done or box.released:
                claims, box.claims = box.claims[:BATCH], box.claims[BATCH:]
                done, box.done = box.done[:BATCH], box.done[BATCH:]
                released, box.released = box.released[:BATCH], box.released[BATCH:]
                message = {
                    "claims": [_document(key, event, self._confirmation_of(event.oid)) for key, event, _ in claims],
                    "done": [key.hex() for key in done],
                    "released": [key.hex() for key in released],
                }
                results = await self._ask(owner, box, message, len(claims))
                for (_, _, future), result in zip(claims, results, strict=True):
                    if not future.done():
                        future.set_result(result)
        finally:
            for _, _, future in (*claims, *box.claims):
                if not future.done():
                    future.cancel()

    async def _ask(self, owner: Member, box: _Outbox, message: dict[str, object], number: int) -> list[Claim]:
        try:
            answer = await self._cluster.peers.request(
                owner.address, "POST", TRAPS_PATH.encode(), _HEADERS, json.dumps(message).encode(), timeout=TIMEOUT
            )
            if answer.status != 200:
                raise PeerError(f"it answers with status {answer.status}; it may be an older version")
            return _results(answer.body, number)
        except PeerError as error:
            box.skipped_until = time.monotonic() + SKIP_SECONDS
            log.debug("cannot tell %s about traps of its devices: %s", owner.name, error)
            return [Claim.NEW] * number


def _document(key: bytes, event: TrapEvent, confirmation: Confirmation | None) -> dict[str, object]:
    varbinds = [(one.oid.hex(), one.tag, one.value.hex()) for one in _needed(event.varbinds, confirmation)]
    return {
        "key": key.hex(),
        "device": event.device_id,
        "oid": event.oid.hex(),
        "name": event.name,
        "at": event.received_at,
        "authenticated": event.is_authenticated,
        "varbinds": varbinds,
        "id": event.id,
        "receiver": event.receiver,
    }


def _needed(varbinds: Iterable[VarBind], confirmation: Confirmation | None) -> list[VarBind]:
    """Those that say which object a trap is about."""
    if confirmation is None:
        return []
    parts = tuple(one for one in (confirmation.object, confirmation.row, table_of(confirmation.object)) if one)
    short = (one for one in varbinds if len(one.oid) <= MAX_NAME and len(one.value) <= MAX_VALUE)
    found = [one for one in short if one.oid.startswith(parts)]
    return sorted(found, key=lambda one: not one.oid.startswith(parts[:2]))[:MAX_VARBINDS]


def _event(document: dict[str, object]) -> TrapEvent:
    """Raises ValueError, KeyError, TypeError."""
    device, name, at, varbinds = (document[key] for key in ("device", "name", "at", "varbinds"))
    if not (isinstance(device, str) and isinstance(name, str) and isinstance(at, int | float)):
        raise TypeError
    if not isinstance(varbinds, list):
        raise TypeError
    return TrapEvent(
        device,
        bytes.fromhex(str(document["oid"])),
        name[:128],
        float(at),
        document["authenticated"] is True,
        tuple(VarBind(bytes.fromhex(name), int(tag), bytes.fromhex(value)) for name, tag, value in varbinds[:16]),
        str(document.get("id", ""))[:64],
        str(document.get("receiver", ""))[:256],
    )


def _results(body: bytes, number: int) -> list[Claim]:
    try:
        results = [Claim(one) for one in json.loads(body)["results"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PeerError("invalid answer about traps") from None
    if len(results) != number:
        raise PeerError("invalid answer about traps")
    return results
