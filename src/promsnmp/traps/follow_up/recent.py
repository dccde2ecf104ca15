"""The last notifications that this replica has received, for people: in memory, bounded in bytes."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.names.model import NamedNotification, Severity, State

MAX_OCTETS = 2 * 1024 * 1024
"""Bytes of all of them, about; the oldest are forgotten."""
MAX_COUNT = 2_000
_OVERHEAD = 1_000
"""Bytes of memory of one besides its texts, about."""
MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of all of them as another replica gets them."""
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MAX_TEXT = 512
"""Characters of each text, at most."""


@dataclass(frozen=True, slots=True)
class RecentTrap:
    """What is shown of a notification. ``confirmation`` is empty where no poll has said anything yet."""

    id: str
    at: float
    """Unix seconds."""
    trap: str
    severity: str
    state: str
    text: str
    device_id: str
    device: str
    sender: str
    version: str
    is_authenticated: bool
    confirmation: str = ""

    @property
    def octets(self) -> int:
        """What it takes, about: up to four bytes for a character."""
        texts = (self.trap, self.text, self.device_id, self.device, self.sender)
        return _OVERHEAD + 4 * sum(map(len, texts))

    def document(self) -> dict[str, object]:
        """For another replica, as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_recent(document: Mapping[str, Any]) -> RecentTrap:
    """What another replica has of a notification. Raises ValueError, KeyError, TypeError."""
    texts = {
        name: str(document[name])[:MAX_TEXT]
        for name in ("id", "trap", "text", "device_id", "device", "sender", "version")
    }
    confirmation = str(document["confirmation"])
    return RecentTrap(
        **texts,
        at=float(document["at"]),
        severity=Severity(document["severity"]).value,
        state=State(document["state"]).value,
        is_authenticated=document["is_authenticated"] is True,
        confirmation=Finding(confirmation).value if confirmation else "",
    )


def read_message(body: bytes) -> list[RecentTrap]:
    """What another replica has. Raises ValueError."""
    try:
        return [read_recent(one) for one in json.loads(body)["traps"][:MAX_COUNT]]
    except (KeyError, TypeError, RecursionError):
        raise ValueError("invalid answer about traps") from None


class RecentTraps:
    """The last notifications, by id."""

    def __init__(self) -> None:
        self._traps: OrderedDict[str, RecentTrap] = OrderedDict()
        self._octets = 0
        self.number = 0
        """Changes since the start."""
        self._message = (0, b'{"traps":[]}')
        """What other replicas got, after how many changes."""

    def __len__(self) -> int:
        return len(self._traps)

    def __iter__(self) -> Iterator[RecentTrap]:
        """The newest first."""
        return iter(list(reversed(self._traps.values())))

    def add(self, named: NamedNotification) -> None:
        """Remembers one that was accepted, and that no rule drops."""
        sent = named.notification
        trap = RecentTrap(
            sent.id,
            sent.received_at,
            named.name[:MAX_TEXT],
            named.severity.value,
            named.state.value,
            named.text[:MAX_TEXT],
            sent.device_id,
            sent.device_name[:MAX_TEXT],
            sent.sender,
            {0: "1", 1: "2c", 3: "3"}[int(sent.version)],
            sent.authenticated,
        )
        self._traps[trap.id] = trap
        self._octets += trap.octets
        self.number += 1
        while self._octets > MAX_OCTETS or len(self._traps) > MAX_COUNT:
            _, gone = self._traps.popitem(last=False)
            self._octets -= gone.octets

    def message(self, _: bytes = b"") -> bytes:
        """All of them for another replica, the newest first, as JSON of MAX_MESSAGE bytes at most."""
        if self._message[0] != self.number:
            lines: list[str] = []
            left = MAX_MESSAGE - 100
            for trap in self:
                line = _to_json(trap.document())
                if (left := left - 4 * len(line) - 1) < 0:
                    break
                lines.append(line)
            self._message = self.number, f'{{"traps":[{",".join(lines)}]}}'.encode("utf-8", "replace")
        return self._message[1]

    def confirm(self, trap_id: str, finding: Finding) -> None:
        """A poll has found whether it was right."""
        if (trap := self._traps.get(trap_id)) is not None:
            self._traps[trap_id] = replace(trap, confirmation=finding.value)
            self.number += 1
