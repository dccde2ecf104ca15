"""The message by which a replica says how the last polls of its devices ended: gzip of JSON, a line for each device.

A line is made once for each poll and kept, since a replica is asked more often than it polls a device. The texts of a
device are cut, and all of them together are bounded: beyond that, only states are sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from math import isfinite
from typing import Any

from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.observe.counts import OUTCOMES
from promsnmp.polling.health.summary import MOST_NAMES, NO_SUMMARY, HealthSummary, NamedValue
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.support.compression import GzipWriter, decompress_parts
from promsnmp.web.rates import PollRates

VERSION = 1
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


class StatusEncoder:
    """Makes messages; keeps the line of each device until its next poll."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[PollStatus, str]] = {}

    def message(self, statuses: Iterable[tuple[Device, PollStatus]], rates: PollRates) -> bytes:
        """A message with these statuses, and with the rates of all polls of this replica."""
        writer, lines, octets = GzipWriter(), dict[str, tuple[PollStatus, str]](), 0
        writer.write((_DUMPS({"version": VERSION, "rates": astuple(rates)}) + "\n").encode())
        for device, status in statuses:
            known = self._lines.get(device.id)
            line = known[1] if known is not None and known[0] is status else _line(device.id, status)
            lines[device.id] = status, line
            octets += len(line)
            writer.write((line if octets <= MAX_TEXTS else _short_line(device.id, status)).encode())
        self._lines = lines
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


KnownLines = Mapping[bytes, tuple[str, PollStatus]]
"""Device id and status by the line of a message."""


def read_message(body: bytes, known: KnownLines) -> tuple[KnownLines, PollRates]:
    """The lines of a message, and the rates. ``known`` are the lines of the message before: the same line has the same
    status, which saves most of the work. Raises PeerError when the message is invalid."""
    found: dict[bytes, tuple[str, PollStatus]] = {}
    try:
        lines = _lines(body)
        per_second, failed, lag, duration = json.loads(next(lines))["rates"]
        rates = PollRates(_number(per_second), _number(failed), _optional(lag), _optional(duration))
        for line in lines:
            found[line] = known.get(line) or _read_line(line)
    except (ValueError, TypeError, KeyError, IndexError, StopIteration, RecursionError, OSError) as error:
        raise PeerError(f"unexpected message: {type(error).__name__}") from None
    return found, rates


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
