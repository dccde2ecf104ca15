"""Starts ``python -m promsnmp ...`` from a process that has imported it already: one CPU second less for each start.

The process of ``preloaded_process`` imports PromSNMP once and forks for each program. A program is what
``python -m promsnmp`` is in every other way: its own process, environment, folder, output, signals and exit code.
Programs that are started through another program (``prefix``), and those that test the start itself, take the long way.
"""

from __future__ import annotations

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
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LARGEST = 1 << 20
"""Octets of a request at most: arguments and environment of a program."""
IMPORTED = (
    "promsnmp.app", "promsnmp.cli.main", "promsnmp.cli.commands.serve", "anyio._backends._asyncio", "redis.asyncio",
)  # fmt: skip
"""Also what a service imports only when it needs it."""


def can_start(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a command is ``python -m promsnmp ...``, and nothing about it works at its start only: libraries that are
    loaded first (LD_PRELOAD), another PYTHONPATH, the network namespace of the calling thread."""
    if list(command[:3]) != [sys.executable, "-m", "promsnmp"] or env.get("PYTHONPATH") != str(PROJECT / "src"):
        return False
    return "LD_PRELOAD" not in env and _template().network == Path("/proc/thread-self/ns/net").readlink()


class PreloadedProcess:
    """A running program, with the part of subprocess.Popen's interface that ``tools.Process`` takes."""

    def __init__(self, arguments: Sequence[str], output: int, *, env: Mapping[str, str], cwd: Path | None) -> None:
        """Starts ``python -m`` with ``arguments``; stdout and stderr go to the descriptor ``output``."""
        self.returncode: int | None = None
        started = _template().ask({"run": arguments, "env": dict(env), "cwd": str(cwd or Path.cwd())}, output)
        assert isinstance(started, int), started
        self.pid = started

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = _template().ask({"poll": self.pid})
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


class _Template:
    """The process that has imported PromSNMP, seen from a test."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._channel, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"},
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


def _template() -> _Template:
    with _making:  # services are started in several threads
        return _made_template()


@functools.cache
def _made_template() -> _Template:
    return _Template()


def _next_program(channel: socket.socket) -> Sequence[str]:
    """Answers requests, and returns in each program that was asked for, with its arguments; the process that
    forks ends when the tests do."""
    ended: dict[int, int] = {}
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, LARGEST, 1)
        if not data:
            sys.exit()
        request = json.loads(data)
        if "poll" in request:
            answer = _exit_code(request["poll"], ended)
        elif answer := os.fork():
            os.close(descriptors[0])
            ended.pop(answer, None)
        else:
            channel.close()
            _become(request, descriptors[0])
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


def _become(request: Mapping[str, object], output: int) -> None:
    env, cwd = request["env"], request["cwd"]
    assert isinstance(env, dict)
    assert isinstance(cwd, str)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)


def _read_built_in_files() -> None:
    """Reads the modules and templates that belong to PromSNMP, which every program would read again."""
    from promsnmp.modules.catalogue import builtin_catalogue
    from promsnmp.web.interface import environment

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
