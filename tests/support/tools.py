"""Helpers for tests: real programs started and stopped properly, free ports, and the files beside the project."""

from __future__ import annotations

import asyncio
import importlib.machinery
import importlib.util
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, TracebackType
from typing import NoReturn, Self

import httpx
import pytest

from tests.support.programs import NotListed, listed
from tests.support.service import preloaded

PROJECT = Path(__file__).resolve().parents[2]
SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
ATTEMPTS = 5
"""How often a server is started again because another program took its free port first."""

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP: a client of httpx reads this machine's certificates otherwise, which takes 20 ms of CPU."""
WEB = httpx.Client(verify=NO_AUTHORITIES, headers={"Connection": "close"})
"""For plain HTTP, in place of ``httpx.get``."""

ENGINE_DISCOVERY = bytes.fromhex(
    "303e 020103 3011 0204 00001234 0203 00ffe3 0401 04 020103"
    "0410 300e 0400 020100 020100 0400 0400 0400 3014 0400 0400 a00e 0204 00001234 020100 020100 3000"
)
"""The request of RFC 3414 section 4, which every v3 agent answers with a Report, whatever users it has."""

SNMPD_AUTH = {
    "MD5": "MD5",
    "SHA": "SHA",
    "SHA224": "SHA-224",
    "SHA256": "SHA-256",
    "SHA384": "SHA-384",
    "SHA512": "SHA-512",
}
SNMPD_PRIV = {
    "DES": "DES",
    "AES": "AES",
    "AES192": "AES-192",
    "AES256": "AES-256",
    "AES192C": "AES-192-C",
    "AES256C": "AES-256-C",
}
"""PromSNMP's protocol names, and those of net-snmp 5.9 (snmpd.conf, snmpget); every pair of them works."""


def unavailable(reason: str) -> NoReturn:
    """Skips the test because this machine lacks something; fails it when ``CI=true``."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require_tool(name: str, *, package: str) -> str:
    """Path of the program ``name``; without it the test is skipped, and fails where ``CI=true``.

    Raises NotListed for one that is not in scripts/programs/list.txt.
    """
    if name not in listed():
        raise NotListed(name)
    if listed()[name] != package:
        raise AssertionError(f"{name} is in the package {listed()[name]}, not {package} (scripts/programs/list.txt)")
    if path := shutil.which(name, path=SEARCH):
        return path
    unavailable(f"{name} is not installed (on Debian: apt-get install {package})")


def shared_dir() -> Path | None:
    """The folder ``shared`` beside the project (recordings, other programs' files), if there is one."""
    folder = PROJECT.parent / "shared"
    return folder if folder.is_dir() else None


def require_shared(*parts: str) -> Path:
    """A path inside ``shared``; without it the test is skipped, even in CI, because it is not part of the project."""
    folder = shared_dir()
    if folder is None or not (path := folder.joinpath(*parts)).exists():
        pytest.skip(f"no {'/'.join(('shared', *parts))} beside the project")
    return path


def free_udp_port(address: str = "127.0.0.1") -> int:
    """A UDP port of ``address`` that was free a moment ago."""
    return _free_port(socket.SOCK_DGRAM, address)


def free_tcp_port(address: str = "127.0.0.1") -> int:
    """A TCP port of ``address`` that was free a moment ago."""
    return _free_port(socket.SOCK_STREAM, address)


def _free_port(kind: socket.SocketKind, address: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, deadline: float = 10.0, what: str = "the condition") -> None:
    """Polls ``condition`` until it holds; fails the test after ``deadline`` seconds, naming ``what``.

    It polls less often the longer it takes, because a condition may run a program.
    """
    started = time.monotonic()
    while not condition():
        waited = time.monotonic() - started
        if waited > deadline:
            pytest.fail(f"{what} did not hold within {deadline:g} s")
        time.sleep(min(max(waited / 10, 0.02), 0.25))


async def until(condition: Callable[[], bool], *, deadline: float = 30.0) -> None:
    """As ``wait_until``, for what the event loop of the test does meanwhile."""
    async with asyncio.timeout(deadline):
        while not condition():
            await asyncio.sleep(0.01)


def import_uncompiled(name: str) -> ModuleType:
    """The module ``name`` run from its ``.py`` as plain Python, compiled or not, under a name of its own."""
    path = PROJECT / "src" / Path(*name.split(".")).with_suffix(".py")
    alias = f"{name}__uncompiled"
    loader = importlib.machinery.SourceFileLoader(alias, str(path))
    spec = importlib.util.spec_from_file_location(alias, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module  # dataclasses look their module up there
    loader.exec_module(module)
    return module


class Process:
    """A program that runs during a test, with its output in ``log``.

    Polls ``ready`` until it holds. If it does not within ``deadline`` seconds, or the program ends first, the test
    fails and shows the end of the output. Stopped with SIGTERM, and killed if it does not stop.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        ready: Callable[[], bool] | None = None,
        deadline: float = 60.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        preload: bool = False,
    ) -> None:
        """With ``preload``, a command ``python -m promsnmp ...`` is started by tests.support.service.preloaded."""
        self.command = [str(word) for word in command]
        self.log = log
        environment = {**os.environ, **(env or {})}
        with log.open("ab") as output:
            self.process: subprocess.Popen[bytes] | preloaded.PreloadedProcess
            if preload and preloaded.can_start(self.command, environment):
                self.process = preloaded.PreloadedProcess(
                    self.command[2:], output=output.fileno(), env=environment, cwd=cwd
                )
            else:
                self.process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=cwd,
                )
        if ready is not None:
            self._wait(ready, time.monotonic() + deadline)

    def _wait(self, ready: Callable[[], bool], end: float) -> None:
        try:
            while not ready():
                if self.process.poll() is not None:
                    raise ProcessEnded(f"{self.command[0]} ended with {self.process.returncode}:\n{self.tail()}")
                if time.monotonic() > end:
                    raise AssertionError(f"{self.command[0]} did not get ready:\n{self.tail()}")
                time.sleep(0.02)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        """All its output so far, stderr included."""
        return self.log.read_text(errors="replace")

    def tail(self, lines: int = 30) -> str:
        """The last ``lines`` of its output."""
        return "\n".join(self.output().splitlines()[-lines:])

    def stop(self, grace: float = 10.0) -> int:
        """Stops it (SIGTERM, after ``grace`` seconds SIGKILL); returns its exit code, negative for a signal."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is not None:
            print(f"--- the end of what {self.command[0]} wrote\n{self.tail()}")


class ProcessEnded(AssertionError):
    """A program ended before it was ready."""


@dataclass(frozen=True, slots=True)
class SnmpdUser:
    """A v3 user as snmpd names things: level ``noauth``, ``auth`` or ``priv``; passphrases of at least 8 characters."""

    name: str
    level: str = "noauth"
    auth_protocol: str = "SHA"
    auth_passphrase: str = field(default="", repr=False)
    priv_protocol: str = "AES"
    priv_passphrase: str = field(default="", repr=False)

    def lines(self) -> list[str]:
        """The user's lines in snmpd.conf."""
        words = ["createUser", self.name]
        if self.level in ("auth", "priv"):
            words += [self.auth_protocol, f'"{self.auth_passphrase}"']
        if self.level == "priv":
            words += [self.priv_protocol, f'"{self.priv_passphrase}"']
        return [" ".join(words), f"rouser {self.name} {self.level}"]


class Snmpd:
    """A net-snmp snmpd on loopback that answers. ``target`` is ``address:port``, as PromSNMP takes it."""

    def __init__(self, process: Process, *, address: str, port: int) -> None:
        self.process = process
        self.address = address
        self.port = port
        self.target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    def stop(self) -> int:
        """Stops it as ``Process.stop`` does; the address then refuses packets."""
        return self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.__exit__(kind, error, trace)


WITHOUT = "-smux,tcpTable,tcpConnectionTable"
"""Parts of snmpd that are not loaded. The tables have a row for each connection that any test closed a minute ago."""


def start_snmpd(
    folder: Path,
    *,
    communities: Sequence[str] = ("public",),
    users: Sequence[SnmpdUser | tuple[str, ...]] = (),
    extra_conf: str = "",
    address: str = "127.0.0.1",
    port: int = 0,
    tcp: bool = False,
) -> Snmpd:
    """Runs Debian's snmpd on a free port of ``address``, with all its files in ``folder``, root or not.

    With ``tcp`` it also listens on the TCP port with that number.

    A user may be a tuple of ``SnmpdUser``'s fields. Started again in the same folder, it is the same engine with
    incremented boots (RFC 3414 section 2.2); with the same ``port``, it is a device that rebooted.
    """
    program = require_tool("snmpd", package="snmpd")
    lines = [f"ro{'community6' if ':' in address else 'community'} {name}" for name in communities]
    for user in users:
        lines += (user if isinstance(user, SnmpdUser) else SnmpdUser(*user)).lines()
    conf = folder / "snmpd.conf"
    conf.write_text("\n".join((*lines, extra_conf, "")))
    conf.chmod(0o600)
    for attempt in range(ATTEMPTS):
        chosen = port or free_udp_port(address)
        try:
            return Snmpd(_snmpd(program, folder, address, chosen, tcp=tcp), address=address, port=chosen)
        except ProcessEnded:
            if port or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("not reached")


def _snmpd(program: str, folder: Path, address: str, port: int, *, tcp: bool) -> Process:
    place = f"6:[{address}]:{port}" if ":" in address else f":{address}:{port}"
    endpoints = [f"udp{place}", *([f"tcp{place}"] if tcp else [])]
    state = folder / "state"
    state.mkdir(exist_ok=True)
    log = folder / "snmpd.log"
    log.write_bytes(b"")
    return Process(
        [program, "-f", "-Lo", "-I", WITHOUT, "-p", folder / "snmpd.pid", *endpoints],
        log=log,
        ready=lambda: b"NET-SNMP version" in log.read_bytes() and answers_discovery(address, port),
        env={"SNMP_PERSISTENT_DIR": str(state), "SNMPCONFPATH": f"{folder}:{state}", "MIBS": ""},
    )


def answers_discovery(address: str, port: int, *, wait: float = 0.2) -> bool:
    """Whether a v3 agent answers at the address."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(wait)
        try:
            probe.connect((address, port))
            probe.send(ENGINE_DISCOVERY)
            return len(probe.recv(4096)) > 0
        except OSError:
            return False
