"""A notification with names: what rules look at, outputs pass on and metrics count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from promsnmp.traps.model import Notification


class Severity(StrEnum):
    """How bad it is, in the words that Prometheus's alerts use."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class State(StrEnum):
    """What a notification says of an alert."""

    EVENT = "event"
    """Something happened; nothing will say that it is over."""
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class NamedVarbind:
    """One object of a notification."""

    name: str
    """Its name, such as ``ifOperStatus``; of an unknown one the longest known prefix and numbers."""
    index: str
    """The rest of its OID, dotted; empty for unknown objects."""
    value: int | str
    """As sent: a number, text, an OID or address, or hexadecimal digits."""
    text: str
    """The value for people: by enumeration and DISPLAY-HINT."""


@dataclass(frozen=True, slots=True)
class AlertKey:
    """What tells alerts apart: a notification that resolves one has the same key as the one that fired."""

    device: str
    """Id of the device in the inventory, else the sender's address."""
    name: str
    """Name of the notification that fires."""
    group: tuple[tuple[str, str], ...] = ()
    """Names and texts by which the rule groups: ``(("ifIndex", "3"),)``."""


@dataclass(frozen=True, slots=True)
class NamedNotification:
    """One notification with names, and with what the rules say of it."""

    notification: Notification
    mib: str
    """The MIB that defines it; empty for unknown ones."""
    name: str
    """Such as ``linkDown``; of an unknown one the longest known prefix and numbers."""
    varbinds: tuple[NamedVarbind, ...]
    left_out: int = 0
    """Varbinds that are not in ``varbinds``, because their texts would be too long together."""
    severity: Severity = Severity.INFO
    text: str = ""
    """One short line for people."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that rules add."""
    state: State = State.EVENT
    resolves: tuple[AlertKey, ...] = ()
    """The alerts that it ends; empty unless ``state`` is RESOLVED."""
    group: tuple[tuple[str, str], ...] = ()
    """The values that the rule groups by."""
    timeout: float = 0.0
    """Seconds after which its alert ends without a notification that resolves it; 0: the output's default."""
    outputs: tuple[str, ...] = ()
    """Kinds of the outputs that get it; empty: all."""

    @property
    def device_key(self) -> str:
        return self.notification.device_id or self.notification.sender

    @property
    def key(self) -> AlertKey:
        """The key of the alert that it fires."""
        return AlertKey(self.device_key, self.name, self.group)
