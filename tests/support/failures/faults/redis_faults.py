"""Faults of Redis as context managers: at the end of each, Redis works again."""

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
        """Redis stops; at the end an empty one starts."""
        self.server.stop()
        try:
            yield
        finally:
            self.server = self._start()

    @contextmanager
    def another_password(self) -> Iterator[None]:
        """Redis gets another password; the replicas still use the old one."""
        self._command("CONFIG", "SET", "requirepass", "another")
        self.server.password = "another"
        self._command("CLIENT", "KILL", "TYPE", "normal")
        try:
            yield
        finally:
            self._command("CONFIG", "SET", "requirepass", PASSWORD)
            self.server.password = PASSWORD

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Redis is a replica of a missing master: it answers every write with -READONLY."""
        self._command("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            self._command("REPLICAOF", "NO", "ONE")

    @contextmanager
    def out_of_memory(self) -> Iterator[None]:
        """Redis answers every write with -OOM."""
        self._command("CONFIG", "SET", "maxmemory", "1")
        try:
            yield
        finally:
            self._command("CONFIG", "SET", "maxmemory", "0")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Redis runs an endless script of another client and answers everything else with -BUSY."""
        self._command("CONFIG", "SET", "busy-reply-threshold", "50")
        command = [require_tool("redis-cli", package="redis-tools"), "-p", str(self._port), "-a", PASSWORD]
        with subprocess.Popen(
            [*command, "EVAL", "while true do end", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as endless:
            try:
                wait_until(lambda: "BUSY" in self.server.cli("PING"), what="a busy Redis")
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

    def _command(self, *words: str) -> None:
        reply = self.server.cli(*words)
        assert reply.startswith("OK") or reply.isdigit(), f"unexpected reply of Redis to {words}: {reply!r}"


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
