"""Scrapes through a simulated Kubernetes Service: each new connection goes to any ready replica, and stays there.

A replica that will stop leaves the endpoints first, and gets SIGTERM only when all clients know that (``preStop`` in
the manifests). Open connections stay open until it closes them.
"""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Sequence

import httpx

from tests.support.cluster.replica import Replica
from tests.support.failures.fleet.harness import Fleet
from tests.support.failures.load.scrapes import CONNECTION_CLOSED, HEADERS, TIMEOUT, WANTED
from tests.support.failures.load.thread_group import ThreadGroup
from tests.support.tools import wait_until

ENDPOINTS_DELAY = 0.5
"""Seconds until all clients know that a replica has left the endpoints; ten in the manifests."""
CLIENTS = 20
_CONNECTION_SCRAPES = 50
"""Then a client makes a new connection."""


class Service(ThreadGroup):
    """``rate`` scrapes per second in total, of ``targets`` in turn. ``failures`` lists what went wrong."""

    def __init__(self, replicas: Sequence[Replica], targets: Sequence[str], *, rate: float) -> None:
        super().__init__(self._scrape, count=CLIENTS, patience=2 * TIMEOUT)
        self.count = 0
        self.slowest = 0.0
        self.failures: list[str] = []
        self._endpoints = list(replicas)
        self._targets = targets
        self._pause = CLIENTS / rate
        self.start()

    def add(self, replica: Replica) -> None:
        """Adds a replica to the endpoints once it is ready."""
        wait_until(lambda: replica.client.get("/actuator/health/readiness").status_code == 200, deadline=60)
        self._endpoints = [*self._endpoints, replica]

    def remove(self, replica: Replica) -> None:
        """Sends no new connections to this replica."""
        self._endpoints = [endpoint for endpoint in self._endpoints if endpoint is not replica]

    def end(self, fleet: Fleet, replica: Replica) -> None:
        """Stops a replica as Kubernetes ends a pod."""
        self.remove(replica)
        time.sleep(ENDPOINTS_DELAY)
        assert fleet.stop(replica) == 0

    def _scrape(self, number: int) -> None:
        client, pause = _Client(self), self._pause
        due = time.monotonic() + pause * number / CLIENTS
        for turn in range(number, 1_000_000_000, 7):
            due = max(due + pause, time.monotonic() - pause)
            if self.ended.wait(max(0.0, due - time.monotonic())):
                break
            begun = time.monotonic()
            try:
                problem = client.scrape(self._targets[turn % len(self._targets)])
            except (OSError, http.client.HTTPException) as error:
                problem = f"{error!r} at {client.replica_name}"
            if problem:
                self.failures.append(problem)
                client.close()
            self.count += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
        client.close()


class _Client:
    """A keep-alive connection, used as Go's client does: on a connection that was closed, a request is sent again."""

    def __init__(self, service: Service) -> None:
        self.replica_name = ""
        self._service = service
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0

    def scrape(self, target: str) -> str:
        """What is wrong with a scrape of ``target``; empty when it is correct."""
        if self._connection is not None:
            try:
                return self._request(self._connection, target)
            except CONNECTION_CLOSED:
                self.close()
        replica = random.choice(self._service._endpoints)
        self.replica_name = replica.name
        self._connection = http.client.HTTPConnection(httpx.URL(replica.url).host, replica.port, timeout=TIMEOUT)
        return self._request(self._connection, target)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._used = None, 0

    def _request(self, connection: http.client.HTTPConnection, target: str) -> str:
        connection.request("GET", f"/snmp?target={target}", headers=HEADERS)
        response = connection.getresponse()
        page = response.read()
        self._used += 1
        if response.will_close or self._used >= _CONNECTION_SCRAPES:
            self.close()
        return (
            ""
            if response.status == 200 and WANTED in page
            else f"{response.status} {page[:200]!r} at {self.replica_name}"
        )
