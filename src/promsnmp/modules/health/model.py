"""Health definitions as plain values: the columns of a table, and the readings that each of its rows becomes.

A definition says for which devices it is; its tables say which columns belong together, and each reading of a table is
one sample per row. ``docs/health.md`` describes the language, ``reader.py`` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from promsnmp.modules.health.expression import Expression
from promsnmp.modules.health.families import Kind
from promsnmp.modules.health.template import Template
from promsnmp.modules.regex import RegexPattern

STATES = ("ok", "degraded", "failed", "unknown")
"""The values of ``hw_state``."""
ABSENT = "absent"
"""The state of a component that is not there: it gets no samples."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column (or scalar, without its .0) of a table.

    ``at`` says in which row of it the value for a row of the table is: None in the row of the same index, else a
    template of sub-identifiers, such as ``0`` (a scalar), ``{i1}`` or ``{port}``.
    """

    oid: str
    at: Template | None = None
    extract: RegexPattern | None = None
    """What is taken of a text: the first group, or else the match."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Texts of numbers, for templates."""


@dataclass(frozen=True, slots=True)
class StatusValues:
    """What the values of a status mean: a state (or ``absent``) by number, and by text in lower case."""

    numbers: Mapping[int, str]
    texts: Mapping[str, str]
    default: str = "unknown"
    """The state of any other value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A sample per row: of one kind, with the value of an expression."""

    kind: Kind
    values: Mapping[str, Expression]
    """By part: ``value``, or ``used``, ``free``, ``limit`` and ``ratio``."""
    name: Template | None = None
    """``hw_name``; for processors, memory and file systems the label that tells them apart."""
    id: str = ""
    """Tells the readings of one row and kind apart; the end of ``hw_id``."""
    where: Expression | None = None
    valid: Expression | None = None
    """A condition on ``value``: others are no readings."""
    limits: Mapping[str, Expression] = field(default_factory=dict)
    """By ``limit_type``."""
    status: StatusValues | None = None
    component: str = ""
    """``hw_type`` of a status."""
    direction: str = ""
    location: Template | None = None
    parent: Template | None = None
    interface: Template | None = None
    """The ``ifIndex`` of the interface that the reading belongs to."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns that share an index, and what their rows become. ``name`` is the beginning of ``hw_id``."""

    name: str
    columns: Mapping[str, Column]
    readings: tuple[Reading, ...]
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class InfoSource:
    """Labels of ``snmp_device_info``, from the first row that has them."""

    columns: Mapping[str, Column]
    labels: Mapping[str, Template]
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """The readings of some devices.

    It suits a device whose sysObjectID is at or below one of ``devices``, if there are any, and that has something at
    or below one of ``answers``, if there are any.
    """

    name: str
    devices: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    fallback: frozenset[str] = frozenset()
    """Kinds of readings that count only where no other definition brings any of this kind."""
    info: tuple[InfoSource, ...] = ()
    tables: tuple[Table, ...] = ()
