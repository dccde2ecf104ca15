"""Writers that add devices concurrently at all replicas; compares the responses that they get with the inventory."""

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
"""Longer than a replica waits before it gives up."""
UNKNOWN = 504
"""The status for an unknown outcome."""


def inventory_in(folder: Path) -> Inventory:
    """The inventory in the file that the replicas share."""
    content = EncryptedFile(folder / "inventory.json", InventoryKey(KEY.encode())).read()
    return content[0] if content is not None else Inventory()


def add(port: int, name: str, *, timeout: float = TIMEOUT) -> int:
    """Adds a device at the replica on ``port``; returns the status. Raises OSError and HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        body = json.dumps({"sysName": name, "agents": []})
        connection.request("POST", DEVICES, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of adding a device: a status, or 0 and the error of the connection. Times are by ``lease_clock``."""

    name: str
    replica: str
    sent_at: float
    answered_at: float
    status: int
    error: str = ""

    @property
    def done(self) -> bool:
        return 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """``unknown``: a replica reported an unknown outcome; ``cut``: no response."""
        return {0: "cut", UNKNOWN: "unknown"}.get(self.status, "done" if self.done else "refused")


@dataclass
class WriteLog:
    """The results of all writers."""

    results: list[WriteResult] = field(default_factory=list)

    def write(self, replica: Replica, name: str) -> WriteResult:
        """Adds a device at a replica, and records the result."""
        sent_at = lease_clock()
        try:
            status, error = add(replica.port, name), ""
        except (OSError, http.client.HTTPException) as problem:
            status, error = 0, repr(problem)
        result = WriteResult(name, replica.name, sent_at, lease_clock(), status, error)
        self.results.append(result)
        return result

    @property
    def counts(self) -> Counter[str]:
        return Counter(result.outcome for result in self.results)

    def contradictions(self, inventory: Inventory) -> list[str]:
        """Devices that the inventory lacks, has twice, or has although the write was refused."""
        counts = Counter(device.sys_name for device in inventory.devices)
        problems = []
        for result in self.results:
            least, most = (1, 1) if result.done else (0, 1) if result.outcome in ("cut", "unknown") else (0, 0)
            if not least <= counts[result.name] <= most:
                problems.append(f"{result}: the inventory has this device {counts[result.name]} times")
        return problems


class Writers(ThreadGroup):
    """``count`` writers, each of which adds one device after another at any of ``replicas()``, until closed.

    Each pauses for about ``rest`` seconds between devices. ``close`` waits for every response.
    """

    def __init__(
        self, write_log: WriteLog, replicas: Callable[[], Sequence[Replica]], *, count: int, rest: float
    ) -> None:
        super().__init__(self._write, count=count, patience=2 * TIMEOUT)
        self._write_log = write_log
        self._replicas = replicas
        self._rest = rest
        self._run = f"{random.getrandbits(32):08x}"
        self.start()

    def _write(self, writer: int) -> None:
        number = 0
        chance = random.Random(writer)
        while not self.ended.wait(chance.uniform(0, 2 * self._rest)):
            if replicas := self._replicas():
                self._write_log.write(chance.choice(replicas), f"by-{self._run}-{writer}-{number}")
                number += 1
