"""The messages by which one replica hands pages and histograms to another: a line of JSON, then the pages' bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promsnmp.errors import PeerError
from promsnmp.exposition.utilization import transfer
from promsnmp.exposition.utilization.histogram import Utilization
from promsnmp.exposition.utilization.transfer import SeriesTransfer
from promsnmp.polling.pages.page import Format, RenderedPage

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message, at most; a page that does not fit is not handed over."""
MESSAGE_SIZE = 256 * 1024
"""Bytes after which a message is sent: reading one must not keep the event loop busy."""
MAX_SERIES = 400
"""Histograms in one part."""
_SERIES_SIZE = 300
_HEADER_ROOM = 64 * 1024


@dataclass(frozen=True, slots=True)
class DeviceHandover:
    """What is handed over of one target: its key and modules, its page, its histograms."""

    key: str
    modules: tuple[str, ...]
    page: RenderedPage | None = None
    utilization: Utilization | None = None

    @property
    def device(self) -> str:
        """The device, as ``Target.shard``."""
        return self.key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class HandoverPart:
    """A part of what is handed over of one target."""

    key: str
    modules: tuple[str, ...]
    page: RenderedPage | None = None
    series: SeriesTransfer | None = None


@dataclass(frozen=True, slots=True)
class HandoverMessage:
    """Parts for one replica. ``stamp`` is its own time that it sent before they were made; see rules of read leases."""

    sender: str
    receiver: str
    stamp: float | None
    parts: Sequence[HandoverPart]
    leaves: bool = False
    """The sender stops: the receiver owns the devices as soon as it is gone."""
    heard: float | None = None
    """The receiver's own time in the last message that the sender had got of it; version 0.3.0 sends none."""


def parts_of(devices: Sequence[DeviceHandover], *, now: float) -> Iterator[list[HandoverPart]]:
    """The parts of messages: first all histograms, which nobody can make again, then the pages. ``now`` is monotonic.

    A page is taken from ``devices`` only when its part is due.
    """
    batch: list[HandoverPart] = []
    size = 0
    for part, more in (*_series_parts(devices, now), *_page_parts(devices)):
        if batch and size + more > MESSAGE_SIZE:
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += more
    if batch:
        yield batch


def _series_parts(devices: Sequence[DeviceHandover], now: float) -> Iterator[tuple[HandoverPart, int]]:
    for one in devices:
        if one.utilization is not None:
            for series in transfer.transfers(one.utilization, most=MAX_SERIES, now=now):
                yield HandoverPart(one.key, one.modules, None, series), len(series.series) * _SERIES_SIZE


def _page_parts(devices: Sequence[DeviceHandover]) -> Iterator[tuple[HandoverPart, int]]:
    for one in devices:
        if one.page is not None:
            size = sum(map(len, one.page.texts().values()))
            if size < MAX_MESSAGE - _HEADER_ROOM:
                yield HandoverPart(one.key, one.modules, one.page), size


def encode(message: HandoverMessage, *, now: float) -> bytes:
    """The bytes of a message; ``now`` in seconds, monotonic."""
    blobs: list[bytes] = []
    parts = []
    for part in message.parts:
        page = part.page
        bodies = [] if page is None else [[one.name, len(body)] for one, body in page.texts().items()]
        blobs += [] if page is None else page.texts().values()
        parts.append(
            {
                "key": part.key,
                "modules": part.modules,
                "page": None if page is None else {"age": now - page.taken_at, "modules": page.modules},
                "bodies": bodies,
                "series": None if part.series is None else transfer.document(part.series, now=now),
            }
        )
    head = {
        "sender": message.sender,
        "receiver": message.receiver,
        "stamp": message.stamp,
        "leaves": message.leaves,
        "heard": message.heard,
        "parts": parts,
    }
    return b"\n".join((json.dumps(head).encode(), b"".join(blobs)))


def decode(body: bytes, *, now: float) -> HandoverMessage:
    """The message in some bytes; pages are valid from ``now`` (monotonic) on. Raises PeerError when it is invalid."""
    line, _, blobs = body.partition(b"\n")
    try:
        head = json.loads(line)
        parts, at = [], 0
        for one in head["parts"]:
            bodies: dict[Format, bytes] = {}
            for name, size in one["bodies"]:
                if not isinstance(size, int) or not 0 <= size <= len(blobs) - at:
                    raise ValueError
                bodies[Format[name]] = blobs[at : at + size]
                at += size
            parts.append(_part(one, bodies, now))
        stamp, heard = head["stamp"], head.get("heard")
        return HandoverMessage(
            str(head["sender"]),
            str(head["receiver"]),
            None if stamp is None else float(stamp),
            parts,
            bool(head["leaves"]),
            None if heard is None else float(heard),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        raise PeerError("invalid handover of a replica") from None


def _part(one: dict[str, object], bodies: dict[Format, bytes], now: float) -> HandoverPart:
    key, modules, page, series = one["key"], one["modules"], one["page"], one["series"]
    if not isinstance(key, str) or not isinstance(modules, list):
        raise TypeError
    names = tuple(map(str, modules))
    taken = None
    if isinstance(page, dict) and bodies:
        age = max(float(page["age"]), 0.0)
        taken = RenderedPage.handed_over(now - age, tuple(map(str, page["modules"])), bodies, valid_from=now)
    return HandoverPart(key, names, taken, None if series is None else transfer.read_document(series, now=now))
