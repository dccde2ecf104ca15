"""The alerts that fire: kept until a notification resolves them or their time is over, also over restarts."""

from __future__ import annotations

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MAX_ALERTS = 10_000
MAX_OCTETS = 32 << 20
"""Alerts that fire at the same time, at most, and octets of their labels and texts; the oldest are given up."""
Key = str
"""Device, name and group as JSON."""


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """What is sent while it fires. Times are Unix seconds."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    ends_at: float
    """When it ends if nothing resolves it."""
    fired_at: float = 0.0
    """When the last notification that fires it came."""
    event_id: str = ""
    """The id of that notification."""
    is_authenticated: bool = False
    """Whether the sender of that proved itself: then only one that does so changes or ends the alert."""

    @property
    def octets(self) -> int:
        texts = (*self.labels.items(), *self.annotations.items())
        return sum(len(name) + 4 * len(value) + 100 for name, value in texts)


class ActiveAlerts:
    """Alerts by key, the oldest first. With a file, ``save`` makes them survive the process."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._alerts: OrderedDict[Key, ActiveAlert] = OrderedDict()
        self._octets = 0
        self._is_changed = False
        self.given_up = 0
        """Alerts that were dropped because there were too many."""
        if file is not None:
            self._load(file)

    def __len__(self) -> int:
        return len(self._alerts)

    def __iter__(self) -> Iterator[ActiveAlert]:
        return iter(list(self._alerts.values()))

    def get(self, key: Key) -> ActiveAlert | None:
        return self._alerts.get(key)

    def put(self, key: Key, alert: ActiveAlert) -> None:
        self.pop(key)
        self._alerts[key] = alert
        self._octets += alert.octets
        self._is_changed = True
        while len(self._alerts) > MAX_ALERTS or self._octets > MAX_OCTETS:
            self.pop(next(iter(self._alerts)))
            self.given_up += 1

    def pop(self, key: Key) -> ActiveAlert | None:
        """Removes an alert, if it is there."""
        alert = self._alerts.pop(key, None)
        if alert is not None:
            self._octets -= alert.octets
            self._is_changed = True
        return alert

    def expire(self, now: float) -> None:
        """Removes those whose time is over; Alertmanager knows that, too."""
        for key in [key for key, alert in self._alerts.items() if alert.ends_at <= now]:
            self.pop(key)

    def save(self) -> None:
        """Writes the file if something has changed; blocks. Raises OSError."""
        if self._file is None or not self._is_changed:
            return
        temporary = self._file.with_name(f"{self._file.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({key: asdict(alert) for key, alert in self._alerts.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)
        self._is_changed = False

    def adopt(self, file: Path) -> None:
        """Takes the alerts of another process's file that are not among these, and saves. Raises OSError."""
        self._load(file, is_own=False)
        self.save()

    def _load(self, file: Path, *, is_own: bool = True) -> None:
        try:
            for key, fields in json.loads(file.read_text(encoding="utf-8")).items():
                if is_own or key not in self._alerts:
                    self.put(key, ActiveAlert(**fields))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("%s: the firing alerts cannot be read, and are not repeated: %s", file, error)
        self._is_changed = self._is_changed and not is_own
