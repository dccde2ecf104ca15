"""Faults of a Redis, as context managers: Redis works again at the end of each."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.cluster.proxy import Proxy
from tests.support.cluster.redis_server import RedisServer
from tests.support.tools import free_tcp_port, require_tool, wait_until

PASSWORD = "the-first-password"
SLOW = 0.5
"""Seconds by which each answer is delayed."""


class FailingRedis:
    """A real Redis behind a proxy. Each method but ``close`` is a fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_tcp_port()
        self.server = self._start()
        self._proxy = Proxy(self._port)

    @property
    def env(self) -> dict[str, str]:
        """Settings for a replica that uses this Redis."""
        return {**self.server.env, "REDIS_PORT": str(self._proxy.port)}

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Redis stops; an empty one takes its place."""
        self.server.stop()
        try:
            yield
        finally:
            self.server = self._start()

    @contextmanager
    def another_password(self) -> Iterator[None]:
        """Redis gets another password, so that of the replicas is wrong."""
        self._tell("CONFIG", "SET", "requirepass", "another")
        self.server.password = "another"
        self._tell("CLIENT", "KILL", "TYPE", "normal")
        try:
            yield
        finally:
            self._tell("CONFIG", "SET", "requirepass", PASSWORD)
            self.server.password = PASSWORD

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Redis is a replica of a missing master: it answers every write with -READONLY."""
        self._tell("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            self._tell("REPLICAOF", "NO", "ONE")

    @contextmanager
    def out_of_memory(self) -> Iterator[None]:
        """Redis answers every write with -OOM."""
        self._tell("CONFIG", "SET", "maxmemory", "1")
        try:
            yield
        finally:
            self._tell("CONFIG", "SET", "maxmemory", "0")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Redis runs a script of another client that never ends, and answers everything else with -BUSY."""
        self._tell("CONFIG", "SET", "busy-reply-threshold", "50")
        command = [require_tool("redis-cli", package="redis-tools"), "-p", str(self._port), "-a", PASSWORD]
        with subprocess.Popen(
            [*command, "EVAL", "while true do end", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as endless:
            try:
                wait_until(lambda: "BUSY" in self.server.cli("PING"), what="a Redis that is busy")
                yield
            finally:
                wait_until(lambda: self.server.cli("SCRIPT", "KILL") == "OK", what="the end of the script")
                endless.wait(10)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Redis accepts connections and does not answer."""
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Redis answers late."""
        self._proxy.delay = SLOW
        try:
            yield
        finally:
            self._proxy.delay = 0.0

    def close(self) -> None:
        self._proxy.close()
        self.server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> RedisServer:
        return RedisServer(self._folder, port=self._port, password=PASSWORD)

    def _tell(self, *words: str) -> None:
        answer = self.server.cli(*words)
        assert answer.startswith("OK") or answer.isdigit(), f"{words} was answered with {answer!r}"


Fault = Callable[[FailingRedis], AbstractContextManager[None]]
REFUSING: tuple[Fault, ...] = (
    FailingRedis.stopped,
    FailingRedis.another_password,
    FailingRedis.read_only,
    FailingRedis.out_of_memory,
    FailingRedis.busy,
    FailingRedis.hanging,
)
"""The faults during which no replica can lead."""
