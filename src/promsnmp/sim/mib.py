"""The objects of a simulated agent in MIB order, each already encoded as a varbind.

Managers request the same objects again and again, and mostly the successor of the last one. So a varbind is encoded
once, and the position after a known object is a lookup; only an unknown OID costs a search.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids

MovingValue = Callable[[float], bytes]
"""A value that changes: seconds since the agent started -> the encoded value (BER tag, length, content)."""

Value = bytes | MovingValue
"""An encoded value, or one that moves."""


def _moving_row(name: bytes, value: MovingValue) -> MovingValue:
    head = ber.tlv(ber.OBJECT_IDENTIFIER, name)
    return lambda uptime: ber.tlv(ber.SEQUENCE, head + value(uptime))


class Mib:
    """Objects in MIB order (RFC 3416 section 4.2.2). OIDs are content octets, positions count from 0.

    A moving value keeps its type: an object that is a Counter64 stays one.
    """

    __slots__ = ("_counter64", "_is_moving", "_limit", "_oids", "_positions", "_rows", "_values")

    def __init__(self, names: Sequence[bytes], values: Sequence[Value]) -> None:
        """Raises ValueError unless ``names`` increase and there is one value for each."""
        if len(names) != len(values):
            raise ValueError(f"{len(names)} OIDs, but {len(values)} values")
        for before, after in pairwise(names):
            if not ber.oid_follows(after, before):
                raise ValueError(f"OID {oids.to_text(after)} does not follow {oids.to_text(before)}")
        self._oids = list(names)
        self._values = list(values)
        self._rows: list[Value] = [self._row(name, value) for name, value in zip(names, values, strict=True)]
        self._positions = {name: at + 1 for at, name in enumerate(names)}
        self._limit = 2 * len(names) + 1000
        tags = ((value if isinstance(value, bytes) else value(0.0))[:1] for value in values)
        self._counter64 = bytes(tag == bytes((ber.COUNTER64,)) for tag in tags)
        self._is_moving = not all(isinstance(value, bytes) for value in values)

    @classmethod
    def of(cls, objects: Mapping[bytes, Value] | Mapping[str, Value]) -> Mib:
        """The MIB of ``objects`` in any order, their OIDs dotted text or content octets."""
        octets = {name if isinstance(name, bytes) else oids.encode(name): value for name, value in objects.items()}
        names = sorted(octets, key=oids.decode_subids)
        return cls(names, [octets[name] for name in names])

    def altered(self, values: Mapping[bytes, Value]) -> Mib:
        """The same objects with other ``values`` for some of them; shares the rest instead of copying it.

        Raises KeyError for an object that is not there.
        """
        other = Mib((), ())
        other._oids, other._positions, other._limit = self._oids, self._positions, self._limit
        other._counter64 = self._counter64
        other._values, other._rows = self._values.copy(), self._rows.copy()
        for name, value in values.items():
            at = self.position(name)
            if at < 0:
                raise KeyError(oids.to_text(name))
            other._values[at], other._rows[at] = value, self._row(name, value)
        other._is_moving = not all(isinstance(value, bytes) for value in other._values)
        return other

    @staticmethod
    def _row(name: bytes, value: Value) -> Value:
        return ber.encode_varbind(name, value) if isinstance(value, bytes) else _moving_row(name, value)

    def __len__(self) -> int:
        return len(self._oids)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, bytes) and self.position(name) >= 0

    @property
    def objects(self) -> dict[bytes, Value]:
        """A copy of all objects, to make another MIB of."""
        return dict(zip(self._oids, self._values, strict=True))

    def oid(self, at: int) -> bytes:
        """The OID of the object at a position."""
        return self._oids[at]

    def position(self, name: bytes) -> int:
        """The position of the object ``name``; -1 when it does not exist."""
        at = self._positions.get(name, 0) - 1
        return at if at >= 0 and self._oids[at] == name else -1

    def position_after(self, name: bytes) -> int:
        """The position of the first object after ``name``; the number of objects when none follows."""
        at = self._positions.get(name)
        if at is None:
            at = bisect_right(self._oids, oids.decode_subids(name), key=oids.decode_subids)
            if len(self._positions) < self._limit:
                self._positions[name] = at
        return at

    def get(self, name: bytes, uptime: float = 0.0) -> bytes | None:
        """The encoded value of an object; None when the object does not exist."""
        at = self.position(name)
        if at < 0:
            return None
        value = self._values[at]
        return value if isinstance(value, bytes) else value(uptime)

    def rows(self, first: int, stop: int, uptime: float) -> list[bytes]:
        """The encoded varbinds of the positions from ``first`` to before ``stop``; fewer at the end of the MIB."""
        rows = self._rows[first:stop]
        if not self._is_moving:
            return rows  # type: ignore[return-value]  # all are bytes, as the constructor saw
        return [row if isinstance(row, bytes) else row(uptime) for row in rows]

    def is_counter64(self, at: int) -> bool:
        """Whether the object at a position has a type that v1 cannot carry (RFC 3584 section 4.2.2.1)."""
        return bool(self._counter64[at])
