"""Writers that add devices at once through all replicas; compares the answers that they got with the inventory."""

from __future__ import annotations

import http.client
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.storage.key import InventoryKey
from tests.support.cluster.replica import DEVICES, KEY, Replica
from tests.support.failures.load.thread_group import ThreadGroup

TIMEOUT = 150.0
"""Longer than a replica takes before it gives up."""
UNKNOWN = 504
"""The status for an unknown outcome."""


def inventory_in(folder: Path) -> Inventory:
    """The inventory in the file that the replicas share."""
    found = EncryptedFile(folder / "inventory.json", InventoryKey(KEY.encode())).read()
    return found[0] if found is not None else Inventory()


def add(port: int, name: str, *, timeout: float = TIMEOUT) -> int:
    """Adds a device at the replica on ``port``; returns the status. Raises OSError and HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        body = json.dumps({"sysName": name, "agents": []})
        connection.request("POST", DEVICES, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of adding one device: a status, or 0 and the error of the connection. Times are by ``lease_clock``."""

    name: str
    replica: str
    asked_at: float
    told_at: float
    status: int
    error: str = ""

    @property
    def done(self) -> bool:
        return 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """``unknown``: a replica reported an unknown outcome; ``cut``: there was no answer."""
        return {0: "cut", UNKNOWN: "unknown"}.get(self.status, "done" if self.done else "refused")


@dataclass
class WriteLog:
    """The results of all writers."""

    told: list[WriteResult] = field(default_factory=list)

    def write(self, replica: Replica, name: str) -> WriteResult:
        """Adds a device at a replica, and records the result."""
        asked_at = lease_clock()
        try:
            status, error = add(replica.port, name), ""
        except (OSError, http.client.HTTPException) as problem:
            status, error = 0, repr(problem)
        found = WriteResult(name, replica.name, asked_at, lease_clock(), status, error)
        self.told.append(found)
        return found

    @property
    def counts(self) -> Counter[str]:
        return Counter(one.outcome for one in self.told)

    def wrong(self, inventory: Inventory) -> list[str]:
        """Contradictions between the inventory and the results: devices that are missing, unexpected or there twice."""
        there = Counter(device.sys_name for device in inventory.devices)
        found = []
        for one in self.told:
            least, most = (1, 1) if one.done else (0, 1) if one.outcome in ("cut", "unknown") else (0, 0)
            if not least <= there[one.name] <= most:
                found.append(f"{one} is there {there[one.name]} times")
        return found


class Writers(ThreadGroup):
    """``count`` writers that add one device after another at any of ``replicas()``, until closed.

    Each pauses for about ``rest`` seconds between devices. ``close`` waits for every answer.
    """

    def __init__(self, books: WriteLog, replicas: Callable[[], Sequence[Replica]], *, count: int, rest: float) -> None:
        super().__init__(self._write, count=count, patience=2 * TIMEOUT)
        self._books = books
        self._replicas = replicas
        self._rest = rest
        self._run = f"{random.getrandbits(32):08x}"
        self.start()

    def _write(self, writer: int) -> None:
        number = 0
        chance = random.Random(writer)
        while not self.ended.wait(chance.uniform(0, 2 * self._rest)):
            if there := self._replicas():
                self._books.write(chance.choice(there), f"by-{self._run}-{writer}-{number}")
                number += 1
