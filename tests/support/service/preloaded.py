"""Starts ``python -m promsnmp ...`` from a process that has imported it already: one CPU second less for each start.

The process of ``preloaded_process`` imports PromSNMP once and forks for each program. A program is what
``python -m promsnmp`` is in every other way: its own process, environment, folder, output, signals and exit code.
A program may run in the namespaces of another process (``nsenter``), and with a library that is loaded before the C
library (``LD_PRELOAD``): there is one process with imports for each such library. Programs that are started through any
other program (``prefix``), and those that test the start itself, take the long way.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LARGEST = 1 << 20
"""Octets of a request at most: arguments and environment of a program."""
IMPORTED = (
    "anyio._backends._asyncio",
    "httpx",
    "promsnmp.app",
    "promsnmp.cli.commands.explain",
    "promsnmp.cli.commands.serve",
    "promsnmp.cli.main",
    "redis.asyncio",
    "uvicorn.lifespan.off",
)
NAMESPACES = {"--net": "net", "--mount": "mnt"}
"""Options of nsenter, and the names in /proc/PID/ns."""
OWN_NETWORK = "/proc/thread-self/ns/net"
"""The network namespace of the calling thread."""


@dataclass(frozen=True, slots=True)
class Program:
    """``python -m promsnmp`` with arguments, and the namespaces that it enters first (paths in /proc)."""

    arguments: Sequence[str]
    namespaces: Sequence[str] = ()
    preload: str = ""
    """LD_PRELOAD."""


def program_of(command: Sequence[str], env: Mapping[str, str]) -> Program | None:
    """The program that a command starts: ``python -m promsnmp ...``, also behind ``nsenter --target PID --net`` or
    ``--mount``. None for any other command, and for one with another PYTHONPATH."""
    namespaces = []
    match command:
        case [nsenter, "--target", pid, option, *rest] if Path(nsenter).name == "nsenter" and option in NAMESPACES:
            namespaces.append(f"/proc/{pid}/ns/{NAMESPACES[option]}")
        case rest:
            pass
    if list(rest[:3]) != [sys.executable, "-m", "promsnmp"] or env.get("PYTHONPATH") != str(PROJECT / "src"):
        return None
    preload = env.get("LD_PRELOAD", "")
    if (
        not any(one.endswith("/net") for one in namespaces)
        and _template(preload).network != Path(OWN_NETWORK).readlink()
    ):
        namespaces.append(OWN_NETWORK)
    return Program(rest[2:], namespaces, preload)


class PreloadedProcess:
    """A running program, with the part of subprocess.Popen's interface that ``tools.Process`` takes."""

    def __init__(
        self, program: Program, output: int, *, errors: int | None = None, env: Mapping[str, str], cwd: Path | None
    ) -> None:
        """Starts the program; stdout goes to the descriptor ``output``, and stderr to ``errors`` or there, too."""
        self.returncode: int | None = None
        self._template = _template(program.preload)
        request = {"run": program.arguments, "env": dict(env), "cwd": str(cwd or Path.cwd())}
        with ExitStack() as opened:
            namespaces = [opened.enter_context(Path(path).open("rb")).fileno() for path in program.namespaces]
            started = self._template.ask(request, output, output if errors is None else errors, *namespaces)
        assert isinstance(started, int), started
        self.pid = started

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._template.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and timeout is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("promsnmp", timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m promsnmp ARGUMENTS`` with ``env`` on top of this environment, without input, to its end.

    Raises subprocess.TimeoutExpired after ``timeout`` seconds, and ends the program then.
    """
    environment = {**os.environ, **(env or {}), "PYTHONPATH": str(PROJECT / "src")}
    command = [sys.executable, "-m", "promsnmp", *arguments]
    program = program_of(command, environment)
    assert program is not None
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = PreloadedProcess(program, output.fileno(), errors=errors.fileno(), env=environment, cwd=cwd)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            raise
        written = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
    return subprocess.CompletedProcess(command, code, *written)


class _Template:
    """The process that has imported PromSNMP, seen from a test."""

    def __init__(self, preload: str) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._channel, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
        loaded = {"LD_PRELOAD": preload} if preload else {}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **loaded, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"},
                cwd=PROJECT,
            )

    def ask(self, request: Mapping[str, object], *descriptors: int) -> int | None:
        with self._lock, suppress(BrokenPipeError):
            socket.send_fds(self._channel, [json.dumps(request).encode()], descriptors)
            if answer := self._channel.recv(64):
                code = json.loads(answer)
                assert code is None or isinstance(code, int)
                return code
        raise AssertionError(f"the process that starts programs has ended with {self._process.wait(5)}")

    @property
    def network(self) -> Path:
        """The network namespace in which its programs run."""
        return Path(f"/proc/{self._process.pid}/ns/net").readlink()


_making = threading.Lock()


def _template(preload: str) -> _Template:
    with _making:  # services are started in several threads
        return _made_template(preload)


@functools.cache
def _made_template(preload: str) -> _Template:
    return _Template(preload)


def _next_program(channel: socket.socket) -> Sequence[str]:
    """Answers requests, and returns in each program that was asked for, with its arguments; the process that
    forks ends when the tests do."""
    ended: dict[int, int] = {}
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, LARGEST, 2 + len(NAMESPACES))
        if not data:
            sys.exit()
        request = json.loads(data)
        if "poll" in request:
            answer = _exit_code(request["poll"], ended)
        elif answer := os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            ended.pop(answer, None)
        else:
            channel.close()
            _become(request, *descriptors)
            arguments: Sequence[str] = request["run"]
            return arguments
        channel.send(json.dumps(answer).encode())


def _exit_code(pid: int, ended: dict[int, int]) -> int | None:
    """The exit code of a program, None while it runs; ``ended`` has those of which the system was asked before."""
    if pid not in ended:
        changed, status = os.waitpid(pid, os.WNOHANG)
        if changed:
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended.get(pid)


def _become(request: Mapping[str, object], output: int, errors: int, *namespaces: int) -> None:
    env, cwd = request["env"], request["cwd"]
    assert isinstance(env, dict)
    assert isinstance(cwd, str)
    for namespace in namespaces:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, 0):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(namespace)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for descriptor, number in ((output, 1), (errors, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _read_built_in_files() -> None:
    """Reads the modules and templates that belong to PromSNMP, which every program would read again."""
    from promsnmp.modules.catalogue import builtin_catalogue
    from promsnmp.web.rendering import environment

    builtin_catalogue()
    templates = environment()
    for name in templates.list_templates():
        templates.get_template(name)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end this process
    for name in IMPORTED:
        importlib.import_module(name)
    _read_built_in_files()
    gc.freeze()  # a collection in a program does not copy these pages
    module, *arguments = _next_program(socket.socket(fileno=int(sys.argv[1])))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
