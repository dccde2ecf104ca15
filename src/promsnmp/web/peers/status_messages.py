"""The message by which a replica says how the last polls of its devices ended: gzip of JSON, a line for each device.

A replica that asks again says which message it had last (epoch and number), and gets only the lines that are newer. The
texts of a device are cut, and those of a message are bounded: beyond that, only states are sent.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field
from math import isfinite
from typing import Any

from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.observe.counts import OUTCOMES
from promsnmp.polling.health.summary import MOST_NAMES, NO_SUMMARY, HealthSummary, NamedValue
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.support.compression import GzipWriter, decompress_parts
from promsnmp.web.rates import PollRates

VERSION = 2
MAX_MESSAGE = 32 * 1024 * 1024
"""Bytes of a message, at most."""
MAX_CONTENT = 128 * 1024 * 1024
"""Bytes of its content."""
MAX_TEXTS = 16 * 1024 * 1024
"""Characters of all lines of a message, beyond which lines have no texts."""
MOST_PROBLEM, MOST_NAME = 300, 80
"""Characters of a problem, and of the name of a component, a vendor or a model."""
MOST_ID = 200
_STATES = ("unknown", "up", "partial", "down")
_DUMPS = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class StatusChanges:
    """Notes which statuses have changed, so that a replica that has asked before gets only those."""

    def __init__(self) -> None:
        self._epoch = secrets.token_hex(8)
        self._number = 0
        self._lines: dict[str, tuple[int, PollStatus, str]] = {}
        """Number of the last change, status and line by device id; in the order of the numbers."""

    def update(self, statuses: Iterable[tuple[Device, PollStatus]]) -> None:
        """Takes the present statuses of all devices that this replica polls."""
        lines, number, seen = self._lines, self._number + 1, set()
        for device, status in statuses:
            seen.add(device.id)
            known = lines.get(device.id)
            if known is None or known[1] is not status:
                lines.pop(device.id, None)
                lines[device.id] = number, status, _line(device.id, status)
                self._number = number
        if len(seen) < len(lines):  # some are polled by others now: whoever asks starts afresh
            self._epoch = secrets.token_hex(8)
            self._lines = {key: line for key, line in lines.items() if key in seen}

    def message(self, epoch: str, since: int, rates: PollRates) -> bytes:
        """What has changed since the message with this epoch and number; everything when they are not known. ``rates``
        are those of all polls of this replica."""
        since = since if epoch == self._epoch else 0
        head = {
            "version": VERSION, "rates": astuple(rates), "epoch": self._epoch, "number": self._number, "since": since,
        }  # fmt: skip
        writer, octets = GzipWriter(), 0
        writer.write((_DUMPS(head) + "\n").encode())
        for device_id in reversed(self._lines):
            number, status, line = self._lines[device_id]
            if number <= since:
                break
            octets += len(line)
            writer.write((line if octets <= MAX_TEXTS else _short_line(device_id, status)).encode())
        return writer.finish()


def _short_line(device_id: str, status: PollStatus) -> str:
    head = [device_id, status.state, round(status.at, 3), round(status.seconds, 4), status.samples]
    return _DUMPS(head) + "\n"


def _line(device_id: str, status: PollStatus) -> str:
    if not status.problem and status.health is NO_SUMMARY and not status.outcome:
        return _short_line(device_id, status)
    head = [device_id, status.state, round(status.at, 3), round(status.seconds, 4), status.samples]
    tail: list[object] = [status.outcome, status.problem[:MOST_PROBLEM]]
    if (health := status.health) is not NO_SUMMARY:
        names = [name[:MOST_NAME] for name in health.names]
        tail += [health.failed, health.degraded, names, _pair(health.hottest), _pair(health.fullest)]
        tail += [health.vendor[:MOST_NAME], health.model[:MOST_NAME]]
    return _DUMPS([*head, *tail]) + "\n"


def _pair(value: NamedValue | None) -> list[object] | None:
    return None if value is None or not isfinite(value.value) else [value.name[:MOST_NAME], value.value]


@dataclass(slots=True)
class PeerStatuses:
    """What another replica has said, all its messages together."""

    epoch: str = ""
    number: int = 0
    statuses: dict[str, PollStatus] = field(default_factory=dict)
    """By device id."""
    rates: PollRates = field(default_factory=PollRates)
    octets: int = 0
    """Of the lines that were read."""
    seconds: float = 0.0
    """CPU that reading the last message took."""


def write_question(known: PeerStatuses | None) -> bytes:
    """Asks for what has changed since ``known``. After MAX_CONTENT bytes of changes, for everything."""
    if known is None or not known.epoch or known.octets > MAX_CONTENT:
        return b"{}"
    return _DUMPS({"epoch": known.epoch, "since": known.number}).encode()


def read_question(body: bytes) -> tuple[str, int]:
    """Epoch and number of what the asking replica has; nothing: an empty text and 0. Raises ValueError."""
    given = json.loads(body)
    if not isinstance(given, dict):
        raise ValueError("not a JSON object")
    return _text(given.get("epoch", ""), MOST_ID), _count(given.get("since", 0))


def read_statuses(body: bytes, known: PeerStatuses | None) -> PeerStatuses:
    """What a replica has said with this message, and said before (``known``). Raises PeerError when the message is
    invalid."""
    began, octets = time.thread_time(), 0
    try:
        lines = _lines(body)
        head = json.loads(next(lines))
        per_second, failed, lag, duration = head["rates"]
        rates = PollRates(_number(per_second), _number(failed), _optional(lag), _optional(duration))
        epoch, number, since = _text(head.get("epoch", ""), MOST_ID), _count(head.get("number", 0)), head.get("since")
        goes_on = known is not None and since and (known.epoch, known.number) == (epoch, since)
        if since and not goes_on:
            raise ValueError("changes of something else")
        statuses = dict(known.statuses) if goes_on and known is not None else {}
        for line in lines:
            octets += len(line)
            device_id, status = _read_line(line)
            statuses[device_id] = status
    except (ValueError, TypeError, KeyError, IndexError, StopIteration, RecursionError, OSError) as error:
        raise PeerError(f"unexpected message: {type(error).__name__}") from None
    if goes_on and known is not None:
        octets += known.octets
    return PeerStatuses(epoch, number, statuses, rates, octets, time.thread_time() - began)


def _read_line(line: bytes) -> tuple[str, PollStatus]:
    row = json.loads(line)
    return _text(row[0], MOST_ID), _read_status(row)


def _lines(body: bytes) -> Iterator[bytes]:
    rest, size = b"", 0
    for part in decompress_parts(body):
        size += len(part)
        if size > MAX_CONTENT:
            raise ValueError("too large")
        *lines, rest = (rest + part).split(b"\n")
        yield from lines
    if rest:
        raise ValueError("cut off")


def _read_status(row: list[Any]) -> PollStatus:
    _, state, at, seconds, samples, *tail = row
    if state not in _STATES:
        raise ValueError(state)
    outcome, problem, *health = tail or ("", "")
    if outcome not in ("", *OUTCOMES):
        raise ValueError(outcome)
    return PollStatus(
        state,
        _number(at),
        _text(problem, MOST_PROBLEM),
        _number(seconds),
        _count(samples),
        _read_health(health) if health else NO_SUMMARY,
        outcome,
    )


def _read_health(row: list[Any]) -> HealthSummary:
    failed, degraded, names, hottest, fullest, vendor, model = row
    if not isinstance(names, list) or len(names) > MOST_NAMES:
        raise ValueError
    return HealthSummary(
        _count(failed),
        _count(degraded),
        tuple(_text(name, MOST_NAME) for name in names),
        _read_pair(hottest),
        _read_pair(fullest),
        _text(vendor, MOST_NAME),
        _text(model, MOST_NAME),
    )


def _read_pair(value: Any) -> NamedValue | None:
    return None if value is None else NamedValue(_text(value[0], MOST_NAME), _number(value[1]))


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError
    return float(value)


def _optional(value: object) -> float | None:
    return None if value is None else _number(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError
    return value
