"""Turns datagrams into notifications: limits, security, the device, copies, the sink, the acknowledgement.

An inform is acknowledged when the sink has accepted it (RFC 3416 section 4.2.7), and not before; a copy of one that is
accepted already is acknowledged again. Everything that is dropped is counted by reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from promsnmp.snmp import ber
from promsnmp.snmp.ber import Malformed
from promsnmp.snmp.credentials import SecurityLevel, Version
from promsnmp.traps.identify import DeviceFinder, Sender
from promsnmp.traps.model import Notification
from promsnmp.traps.receive.counts import Dropped, TrapCounts
from promsnmp.traps.receive.duplicates import Duplicates, key_of
from promsnmp.traps.receive.limits import TrapLimits
from promsnmp.traps.receive.listener import Datagram
from promsnmp.traps.receive.pdu import (
    TooManyVarbinds,
    TrapPdu,
    UnsupportedPdu,
    read_pdu,
    read_v1_pdu,
    response_pdu,
    trap_pdu,
)
from promsnmp.traps.receive.queue import DatagramQueue
from promsnmp.traps.receive.usm import OpenedMessage, Refused, TrapReceiverModel

log = logging.getLogger(__name__)

WORKERS = 32
"""Notifications that wait for the sink at the same time."""
TURN_SECONDS = 0.002
"""Seconds that processing takes of one turn of the event loop, about."""
SMALLEST_RESPONSE = 484
"""Octets that every sender takes (RFC 3412 section 6.3)."""

Sink = Callable[[Notification], Awaitable[object]]
"""Accepts a notification, or raises: then it is not acknowledged."""


class Claim(StrEnum):
    """What all replicas together know of a notification."""

    NEW = "new"
    PENDING = "pending"
    """Another replica is processing it."""
    DONE = "done"
    """It is safe already."""


class Claims(Protocol):
    """Asks whether a notification is new on all replicas, by its key."""

    async def claim(self, notification: Notification, key: bytes) -> Claim: ...

    def done(self, notification: Notification, key: bytes) -> None:
        """It is safe."""

    def release(self, notification: Notification, key: bytes) -> None:
        """It was not accepted."""


class NoClaims:
    """For one process, which recognises copies on its own."""

    async def claim(self, notification: Notification, key: bytes) -> Claim:
        return Claim.NEW

    def done(self, notification: Notification, key: bytes) -> None: ...

    def release(self, notification: Notification, key: bytes) -> None: ...


class Opened(NamedTuple):
    """A message that passed the checks of its version."""

    version: Version
    pdu: TrapPdu
    level: SecurityLevel = SecurityLevel.NO_AUTH_NO_PRIV
    v3: OpenedMessage | None = None
    community: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverOptions:
    """``rate`` and ``sender_rate`` as for TrapLimits; ``queue_octets`` in bytes."""

    rate: float = 2000
    sender_rate: float = 100
    queue_octets: int = 16 * 1024 * 1024
    unknown_senders: bool = False
    """Whether senders that are no device of the inventory are accepted."""


class TrapReceiver:
    """Processes datagrams (``take``) in the background while it runs, and gives notifications to ``sink``."""

    def __init__(
        self,
        usm: TrapReceiverModel,
        finder: DeviceFinder,
        sink: Sink,
        counts: TrapCounts,
        options: ReceiverOptions,
        *,
        claims: Claims | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._usm = usm
        self._finder = finder
        self._sink = sink
        self._claims = claims or NoClaims()
        self._counts = counts
        self._options = options
        self._limits = TrapLimits(rate=options.rate, sender_rate=options.sender_rate, clock=clock)
        self._queue = DatagramQueue(options.queue_octets)
        self._duplicates = Duplicates(clock)
        self._wall = wall
        self._workers: list[asyncio.Task[None]] = []
        self._turn_ends = 0.0
        self._sink_failed = False

    @property
    def waiting(self) -> int:
        """Datagrams that wait for being processed."""
        return len(self._queue)

    @property
    def waiting_octets(self) -> int:
        """Bytes of these."""
        return self._queue.octets

    def start(self) -> None:
        self._workers = [asyncio.create_task(self._work(), name="traps") for _ in range(WORKERS)]

    async def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def take(self, datagram: Datagram) -> None:
        """Queues a datagram, or drops it when it is over a limit."""
        refused = self._limits.refuse(datagram.sender, is_known=self._finder.is_known(datagram.sender))
        if refused is None and not self._queue.put(datagram):
            refused = Dropped.QUEUE
        if refused is not None:
            self._counts.drop(refused, datagram.sender)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            datagram = await self._queue.get()
            try:
                await self.process(datagram)
            except Exception:  # a mistake about one trap must not end the receiving of others
                self._counts.drop(Dropped.MALFORMED, datagram.sender)
                log.exception("unexpected error while processing a trap of %s", datagram.sender)
            if loop.time() >= self._turn_ends:
                await asyncio.sleep(0)
                self._turn_ends = max(self._turn_ends, loop.time() + TURN_SECONDS)

    async def process(self, datagram: Datagram) -> None:
        """Processes one datagram to the end."""
        opened = self._open(datagram)
        if opened is None:
            return
        header = opened.v3.header if opened.v3 is not None else None
        engine_id = header.engine_id if header is not None and not opened.pdu.is_inform else b""
        sender = self._finder.find(
            datagram.sender,
            engine_id=engine_id,
            claimed=opened.pdu.claimed_address,
            is_authenticated=opened.level is not SecurityLevel.NO_AUTH_NO_PRIV,
        )
        if sender.device is None and not self._options.unknown_senders:
            self._counts.drop(Dropped.SENDER, datagram.sender)
            return
        boots = header.boots if header is not None and engine_id else 0
        key = key_of(engine_id or sender.address.encode(), boots, opened.pdu)
        is_safe = self._duplicates.begin(key)
        if is_safe is not None:
            self._counts.drop(Dropped.DUPLICATE)
            if is_safe:
                self._acknowledge(datagram, opened)
            return
        await self._give_to_sink(datagram, opened, self._notification(opened, sender, engine_id), key)

    async def _give_to_sink(self, datagram: Datagram, opened: Opened, notification: Notification, key: bytes) -> None:
        try:
            claim = await self._claims.claim(notification, key)
            if claim is Claim.NEW:
                await self._sink(notification)
        except Exception as error:  # noqa: BLE001  # whatever it is, the notification is not safe
            self._duplicates.forget(key)
            self._claims.release(notification, key)
            self._counts.drop(Dropped.SINK, datagram.sender)
            if not self._sink_failed:
                log.error("traps are not stored, informs are not acknowledged: %s", str(error) or type(error).__name__)
            self._sink_failed = True
            return
        except BaseException:  # the process stops; raised again
            self._duplicates.forget(key)
            self._counts.drop(Dropped.SINK)
            raise
        if claim is Claim.PENDING:  # the replica that processes it acknowledges it, or a later copy is new
            self._counts.drop(Dropped.DUPLICATE)
            self._duplicates.forget(key)
            return
        if claim is Claim.NEW:
            self._sink_failed = False
            self._counts.accepted += 1
            self._claims.done(notification, key)
        else:
            self._counts.drop(Dropped.DUPLICATE)
        self._duplicates.finish(key)
        self._acknowledge(datagram, opened)

    def _notification(self, opened: Opened, sender: Sender, engine_id: bytes) -> Notification:
        pdu, device = opened.pdu, sender.device
        return Notification(
            received_at=self._wall(),
            sender=sender.address,
            version=opened.version,
            security_level=opened.level,
            user=opened.v3.user.name if opened.v3 is not None else "",
            is_inform=pdu.is_inform,
            oid=pdu.oid,
            uptime=pdu.uptime,
            varbinds=pdu.varbinds,
            engine_id=engine_id,
            request_id=pdu.request_id,
            device_id=device.id if device is not None else "",
            is_new=opened.v3.is_new if opened.v3 is not None else True,
            device_name=(device.sys_name or sender.address) if device is not None else "",
        )

    # ---------------------------------------------------------------------------------------------- opening, replies

    def _open(self, datagram: Datagram) -> Opened | None:
        """The message in a datagram; None when it was dropped, which is counted."""
        try:
            return self._checked(datagram)
        except Refused as refused:
            self._counts.drop(refused.reason, datagram.sender)
            if refused.report:
                datagram.reply(refused.report)
        except Malformed:
            self._counts.drop(Dropped.MALFORMED, datagram.sender)
        except UnsupportedPdu:
            self._counts.drop(Dropped.UNSUPPORTED, datagram.sender)
        except TooManyVarbinds:
            self._counts.drop(Dropped.TOO_MANY_VARBINDS, datagram.sender)
        return None

    def _checked(self, datagram: Datagram) -> Opened:
        data = datagram.data
        pos, end = ber.read(data, 0, len(data), ber.SEQUENCE)
        version, at = ber.read_integer(data, pos, end)
        if version == Version.V3:
            opened = self._usm.open(data, preferred=self._finder.credentials(datagram.sender))
            pdu = trap_pdu(opened.scoped.buffer, opened.scoped.pdu)
            return Opened(Version.V3, pdu, opened.header.level, opened)
        if version not in (Version.V1, Version.V2C):
            raise Malformed(f"unknown version {version}")
        start, at = ber.read(data, at, end, ber.OCTET_STRING)
        community = data[start:at]
        if community not in self._usm.accepted.communities:
            raise Refused(Dropped.COMMUNITY)
        _, _, stop = ber.read_any(data, at, end)
        if version == Version.V1:
            return Opened(Version.V1, read_v1_pdu(data, at, stop))
        return Opened(Version.V2C, read_pdu(data, at, stop), community=community)

    def _acknowledge(self, datagram: Datagram, opened: Opened) -> None:
        """Answers an inform."""
        if not opened.pdu.is_inform:
            return
        reply = self._response(opened, response_pdu(opened.pdu))
        most = opened.v3.header.max_size if opened.v3 is not None else len(datagram.data) + SMALLEST_RESPONSE
        if len(reply) > most:
            reply = self._response(opened, response_pdu(opened.pdu, too_big=True))
        self._counts.acknowledged += 1
        datagram.reply(reply)

    def _response(self, opened: Opened, pdu: bytes) -> bytes:
        if opened.v3 is not None:
            return self._usm.response(opened.v3, pdu)
        community = ber.encode_integer(Version.V2C) + ber.tlv(ber.OCTET_STRING, opened.community)
        return ber.tlv(ber.SEQUENCE, community + pdu)
