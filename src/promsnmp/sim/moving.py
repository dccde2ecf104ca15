"""Values that move with time, so that ``rate()`` has something to show.

Each is a pure function of the seconds since its agent started. So a value never needs an update, two tools read
the same value at the same moment, tests can choose the moment, and a reboot sets all counters back to 0 automatically.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from promsnmp.sim.mib import Mib, MovingValue, Value
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids

Curve = Callable[[float], float]
"""Seconds since the start -> an amount that never falls (for counters), or any level (for gauges)."""

SYS_UP_TIME = oids.encode("1.3.6.1.2.1.1.3.0")
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount that grows by about ``rate`` a second, with slow swings; never backwards, 0 at the start.

    ``swing`` (0 to below 1) is how far the rate leaves its mean; ``seed`` decides when. The swings are sines, whose sum
    can be computed for any moment without a history.
    """

    rate: float
    swing: float = 0.8
    seed: int | str = 0
    _waves: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self) -> None:
        rng = random.Random(f"flow {self.seed}")
        waves = []
        for share, slowest in zip((0.6, 0.3, 0.1), (600.0, 120.0, 20.0), strict=True):
            omega = math.tau / (slowest * rng.uniform(0.5, 1.0))
            waves.append((self.swing * share, omega, rng.uniform(0.0, math.tau)))
        object.__setattr__(self, "_waves", tuple(waves))

    def __call__(self, uptime: float) -> float:
        total = uptime
        for amplitude, omega, phase in self._waves:
            total += amplitude / omega * (math.cos(phase) - math.cos(omega * uptime + phase))
        return self.rate * total

    def scaled(self, factor: float) -> Curve:
        """The same swings at another rate: packets that go with octets."""
        return lambda uptime: self(uptime) * factor


def counter32(curve: Curve) -> MovingValue:
    """A Counter32 of a curve; wraps at 2^32 (RFC 2578 section 7.1.6)."""
    return lambda uptime: ber.encode_integer(int(curve(uptime)) & 0xFFFFFFFF, ber.COUNTER32)


def counter64(curve: Curve) -> MovingValue:
    """A Counter64 of a curve; wraps at 2^64 (RFC 2578 section 7.1.10)."""
    return lambda uptime: ber.encode_integer(int(curve(uptime)) & 0xFFFFFFFFFFFFFFFF, ber.COUNTER64)


def gauge(low: float, high: float, *, tag: int = ber.GAUGE32, seed: int | str = 0) -> MovingValue:
    """A whole number that wanders between ``low`` and ``high``; ``tag`` Gauge32 or INTEGER."""
    rng = random.Random(f"gauge {seed}")
    fast, slow = math.tau / rng.uniform(40, 90), math.tau / rng.uniform(300, 900)
    one, two = rng.uniform(0, math.tau), rng.uniform(0, math.tau)
    middle, reach = (low + high) / 2, (high - low) / 2

    def value(uptime: float) -> bytes:
        level = 0.7 * math.sin(slow * uptime + two) + 0.3 * math.sin(fast * uptime + one)
        return ber.encode_integer(round(middle + reach * level), tag)

    return value


def ticks(uptime: float) -> bytes:
    """The uptime as TimeTicks, hundredths of a second modulo 2^32 (RFC 2578 section 7.1.8)."""
    return ber.encode_integer(int(uptime * 100) & 0xFFFFFFFF, ber.TIME_TICKS)


def recorded_uptime(mib: Mib) -> float:
    """Uptime of a recorded device in seconds (its sysUpTime); a day when sysUpTime is missing or very short."""
    value = mib.get(SYS_UP_TIME)
    ticked = ber.integer_value(value[0], value[2:]) if value is not None and value[0] == ber.TIME_TICKS else None
    return ticked / 100 if ticked is not None and ticked >= 6000 else DAY


def animated(mib: Mib) -> Mib:
    """A recorded device brought to life: sysUpTime ticks, and each counter goes on at its own mean rate.

    That rate is what the counter held, divided by the uptime that the recording gives. An agent that starts with
    ``uptime=recorded_uptime(mib)`` answers with the recorded values first.
    """
    uptime = recorded_uptime(mib)
    return Mib.of({name: _animated(name, value, uptime) for name, value in mib.objects.items()})


def _animated(name: bytes, value: Value, uptime: float) -> Value:
    if not isinstance(value, bytes):
        return value
    if name == SYS_UP_TIME and value[0] == ber.TIME_TICKS:
        return ticks
    held = ber.integer_value(value[0], value[2:]) if value[0] in (ber.COUNTER32, ber.COUNTER64) else None
    if not held or held < 0:
        return value
    milliseconds = int(uptime * 1000)
    tag, mask = (value[0], 0xFFFFFFFF if value[0] == ber.COUNTER32 else 0xFFFFFFFFFFFFFFFF)
    return lambda now: ber.encode_integer((held * round(now * 1000) // milliseconds) & mask, tag)
