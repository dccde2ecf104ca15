"""Scrapes several replicas as Prometheus does, while the replicas suffer faults."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from promsnmp.cluster.election.rules import lease_clock
from tests.support.cluster.replica import Replica

TIMEOUT = 10.0
"""Prometheus's default; sent to the server in a header."""
HEADERS = {"X-Prometheus-Scrape-Timeout-Seconds": f"{TIMEOUT:g}"}
WANTED = b"sysUpTime"
CONNECTION_CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed scrape; ``at`` is by ``lease_clock``."""

    at: float
    replica: str
    target: str
    what: str


class Scrapes:
    """Scrapes each of ``targets`` in turn, at each replica, ``rate`` times per second and replica.

    ``forget`` stops the scrapes of a replica, ``release`` stops them as soon as it accepts no more connections;
    ``include`` adds a replica. ``count`` and ``failures`` are the results, ``slowest`` is the longest scrape in
    seconds.
    """

    def __init__(self, replicas: Iterable[Replica], targets: Sequence[str], *, rate: float = 5.0) -> None:
        self.count = 0
        self.slowest = 0.0
        self.failures: list[Failure] = []
        self._targets = targets
        self._pause = 1 / rate
        self._ended = threading.Event()
        self._workers: dict[Replica, _Worker] = {}
        for replica in replicas:
            self.include(replica)

    def include(self, replica: Replica) -> None:
        """Starts the scrapes of another replica."""
        self._workers[replica] = worker = _Worker(self, replica)
        worker.start()

    def forget(self, replica: Replica) -> None:
        """Stops the scrapes of a replica, and waits for the one in progress."""
        worker = self._workers.pop(replica)
        worker.ended.set()
        worker.join(2 * TIMEOUT)

    def release(self, replica: Replica) -> None:
        """Allows this replica to stop listening; until it does, no scrape of it may fail."""
        self._workers[replica].may_stop = True

    def close(self) -> None:
        """Stops all scrapes."""
        for worker in self._workers.values():
            worker.ended.set()
        for replica in list(self._workers):
            self.forget(replica)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Worker(threading.Thread):
    """Scrapes one replica over a keep-alive connection, and retries once when that was closed, as Go's client does."""

    def __init__(self, scrapes: Scrapes, replica: Replica) -> None:
        super().__init__(name=f"scrapes at {replica.name}", daemon=True)
        self.may_stop = False
        self.ended = threading.Event()
        self._scrapes = scrapes
        self._name = replica.name
        self._host = httpx.URL(replica.url).host
        self._port = replica.port
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        number = 0
        while not self.ended.wait(self._scrapes._pause):
            target = self._scrapes._targets[number % len(self._scrapes._targets)]
            number += 1
            begun = time.monotonic()
            try:
                problem = self._problem(target)
            except ConnectionRefusedError as error:
                if self.may_stop:
                    break
                problem = repr(error)
            except (OSError, http.client.HTTPException) as error:
                if self.may_stop and isinstance(error, CONNECTION_CLOSED) and self._refuses():
                    break  # the connection was not accepted yet when the replica stopped listening
                problem = repr(error)
            self._scrapes.count += 1
            self._scrapes.slowest = max(self._scrapes.slowest, time.monotonic() - begun)
            if problem:
                self._scrapes.failures.append(Failure(lease_clock(), self._name, target, problem))
                self._close()
        self._close()

    def _refuses(self) -> bool:
        """Whether the replica no longer listens."""
        try:
            socket.create_connection((self._host, self._port), timeout=TIMEOUT).close()
        except ConnectionRefusedError:
            return True
        return False

    def _problem(self, target: str) -> str:
        """What is wrong with a scrape of ``target``; empty when it is correct."""
        if self._connection is not None:
            try:
                return self._scrape(self._connection, target)
            except CONNECTION_CLOSED:
                self._close()
        self._connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        return self._scrape(self._connection, target)

    def _scrape(self, connection: http.client.HTTPConnection, target: str) -> str:
        connection.request("GET", f"/snmp?target={target}", headers=HEADERS)
        response = connection.getresponse()
        page = response.read()
        if response.will_close:
            self._close()
        if response.status == 200 and WANTED in page:
            return ""
        return f"{response.status} {page[:200]!r}"

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
