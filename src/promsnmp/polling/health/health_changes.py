"""Looks whether the rows of a device are still those whose names were read: single values say nothing of it.

A device that restarts, or gets another module, may give its rows other numbers, and a value would stand under the name
of another component. So a poll that reads values only also reads what changes with the rows (sysUpTime,
entLastChangeTime and the like) and some names: the last one of each column, which another one takes when rows are
inserted, and others in turn, in the same packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from promsnmp.exposition.health.columns import Index
from promsnmp.modules.health.expression import Value
from promsnmp.polling.label_cache import CHANGE_INDICATORS, SYS_UP_TIME
from promsnmp.snmp import oid

NAMES_IN_TURN = 10
"""Names that a poll reads besides the last ones of the columns."""
MOST_LAST_NAMES = 40
"""Columns whose last name is read."""


@dataclass(slots=True)
class ChangeWatch:
    """What shows changes of one device."""

    values: dict[str, int] = field(default_factory=dict)
    """The indicators, as they were seen last."""
    missing: set[str] = field(default_factory=set)
    """Indicators that the device lacks, as seen since all was read last."""
    turn: int = 0
    """Names that have been read in turn."""
    is_restarted: bool = False
    """Whether the indicators have shown last that the device has restarted."""

    def indicators(self, columns: Iterable[str]) -> list[str]:
        """The indicators that concern some columns."""
        names = list(columns)
        return [
            one
            for one, trees in CHANGE_INDICATORS.items()
            if one not in self.missing
            and (one == SYS_UP_TIME or any(name.startswith(f"{tree}.") for name in names for tree in trees))
        ]

    def see(self, asked: Iterable[str], came: Mapping[str, Value]) -> bool:
        """Takes the indicators' values; returns whether one shows that rows may have changed."""
        self.is_restarted = is_changed = False
        for name in asked:
            value, before = came.get(name), self.values.get(name)
            if not isinstance(value, int):
                self.missing.add(name)
                continue
            if before is not None and name == SYS_UP_TIME:
                self.is_restarted = value < before
            elif before is not None:
                is_changed = is_changed or value != before
            self.values[name] = value
        return is_changed or self.is_restarted

    def names(self, rows: Mapping[str, dict[Index, Value]], columns: Sequence[str]) -> list[tuple[str, Index]]:
        """The names to read with the next values."""
        last = [(one, next(reversed(rows[one]))) for one in columns if rows.get(one)][:MOST_LAST_NAMES]
        count = sum(len(rows.get(one, ())) for one in columns)
        start = self.turn % count if count else 0
        every = ((one, index) for one in columns for index in rows.get(one, ()))
        in_turn = list(islice(every, start, start + NAMES_IN_TURN))
        self.turn = start + len(in_turn)
        return list(dict.fromkeys((*last, *in_turn)))


def instance(name: str) -> tuple[str, Index]:
    """The column and the index of an indicator, a scalar."""
    return name.removesuffix(".0"), (0,)


def encoded(column: str, index: Index) -> bytes:
    """The content octets of an object's OID."""
    return oid.encode(column) + oid.encode_subids(index)
