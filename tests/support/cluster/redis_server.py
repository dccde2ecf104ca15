"""A real redis-server and redis-sentinel on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.tools import Process, free_tcp_port, require_tool


class RedisServer(Process):
    """redis-server without persistence: empty when started again on the same ``port``."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        password: str = "",
        options: Sequence[str] = (),
        address: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        self.port = port or free_tcp_port(address)
        self.address = address
        self.password = password
        program = require_tool("redis-server", package="redis-server")
        command = [program, "--port", str(self.port), "--bind", address, "--save", "", "--appendonly", "no"]
        command += ["--dir", str(folder), "--protected-mode", "no"]
        if password:
            command += ["--requirepass", password]
        self._connect: list[str] = []
        log = folder / f"redis-{self.port}.log"
        log.write_bytes(b"")
        super().__init__(
            [*prefix, *command, *options], log=log, ready=lambda: "eady to accept connections" in self.output()
        )

    @property
    def url(self) -> str:
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}{self.address}:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """Settings for a replica that uses this server."""
        return {"REDIS_HOST": self.address, "REDIS_PORT": str(self.port), "REDIS_PASSWORD": self.password}

    def cli(self, *words: str) -> str:
        """Runs redis-cli; returns what it prints."""
        program = require_tool("redis-cli", package="redis-tools")
        command = [program, "-h", self.address, "-p", str(self.port), "--no-auth-warning"]
        if self.password:
            command += ["-a", self.password]
        ran = subprocess.run([*command, *words], capture_output=True, text=True, timeout=20, check=False)
        return ran.stdout.strip()


class Sentinel(Process):
    """redis-sentinel that watches the server at ``port`` under the name ``promsnmp``."""

    def __init__(self, folder: Path, server: RedisServer) -> None:
        self.port = free_tcp_port()
        conf = folder / "sentinel.conf"
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {folder}", "protected-mode no"]
        lines += [f"sentinel monitor promsnmp 127.0.0.1 {server.port} 1"]
        conf.write_text("\n".join([*lines, ""]))
        program = require_tool("redis-server", package="redis-server")
        log = folder / "sentinel.log"
        super().__init__(
            [program, str(conf), "--sentinel"], log=log, ready=lambda: "+monitor master promsnmp" in self.output()
        )
