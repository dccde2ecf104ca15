"""``make bare``: both commands of the README, and the tutorial, on machines that nobody prepared.

A developer's machine has a newer Python, kubectl and the usual tools, which hides what the commands need. Here they run
in minimal roots of Debian 12, 13 and sid (``roots.py``), from a clone of the commit that is checked out: ``make
demo`` until it says that it runs and answers, ended by Ctrl-C, and ``make test`` to its end. In a fifth one a user
goes through docs/tutorial.md (``tutorial.py``).

    python3 -m scripts.bare [--only debian12] [--command test] [--tests '-n 2 tests/deploy']

What the commands write goes to the terminal and to a file each. The exit code is 1 when one failed; the end names it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from scripts.bare import roots, tutorial
from scripts.bare.roots import CACHE, ROOTS, Root
from scripts.programs.listed import names

LOGS = CACHE / "logs"
DEMO_SECONDS = 600.0
"""For the installation and the first pages."""
TEST_SECONDS = 3600.0
"""A limit for what hangs; PLANNED_SECONDS is what it should take."""
PLANNED_SECONDS = 600.0
END_SECONDS = 30.0
RUNNING = "Running until Ctrl-C."


class Failed(Exception):
    """What did not hold."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one command in one root; ``reason`` is empty when it passed."""

    name: str
    seconds: float
    reason: str
    last: str

    def __str__(self) -> str:
        took = f"{int(self.seconds // 60)}:{int(self.seconds % 60):02d}"
        return f"{self.name:20} {took:>6}  {f'FAILED: {self.reason}' if self.reason else 'passed'}  {self.last}"


class Command:
    """A command that runs in a root; every line that it writes is shown, and kept in a file and in ``lines``."""

    def __init__(self, name: str, words: Sequence[str], env: dict[str, str], limit: float) -> None:
        self.lines: list[str] = []
        self._end = time.monotonic() + limit
        self._limit = limit
        self._arrived: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", process_group=0,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(name,), daemon=True).start()

    def _read(self, name: str) -> None:
        assert self._process.stdout is not None
        with (LOGS / f"{name.replace(' ', '-')}.log").open("w") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                print(f"{name} | {line}", end="", flush=True)
                self._arrived.put(line.rstrip())
        self._arrived.put(None)

    def read_until(self, wanted: str) -> None:
        """Reads lines up to one that contains ``wanted``. Raises Failed when the output ends, or at the time limit."""
        while (line := self._next()) is not None:
            if wanted in line:
                return
        raise Failed(f"it ended with exit code {self._process.wait()}")

    def finish(self) -> int:
        """The exit code, once it has ended. Raises Failed at the limit."""
        while self._next() is not None:
            pass
        return self._process.wait()

    def _next(self) -> str | None:
        try:
            line = self._arrived.get(timeout=max(self._end - time.monotonic(), 0.01))
        except queue.Empty:
            raise Failed(f"it took longer than {self._limit:.0f} s") from None
        if line is not None:
            self.lines.append(line)
        return line

    def interrupt(self) -> None:
        """Ctrl-C, and ``END_SECONDS`` to end."""
        self._signal(signal.SIGINT)  # the first process in the root passes it on
        self._end, self._limit = time.monotonic() + END_SECONDS, END_SECONDS

    def kill(self) -> None:
        """With everything in the root, whose PID namespace ends with its first process; that ends when all have."""
        self._signal(signal.SIGKILL)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        """To what unshare started, if that is still there."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with contextlib.suppress(OSError):
            for first in children.read_text().split():
                os.kill(int(first), number)


# ------------------------------------------------------------------------------------------------------- the commands


def demo(start: Callable[[dict[str, str], float], Command]) -> str:
    """``make demo``: it gets ready, answers, and ends in order at Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = start({"SERVER_PORT": str(port)}, DEMO_SECONDS)
    began = time.monotonic()
    try:
        command.read_until(RUNNING)
        ready = time.monotonic() - began
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for path in ("/", "/targets", "/snmp?target=access-sw-01", "/map.json", "/metrics", "/actuator/health"):
            with opener.open(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                if answer.status != 200:
                    raise Failed(f"{path} answers {answer.status}")
        command.interrupt()
        if (code := command.finish()) not in (0, 128 + signal.SIGINT):  # make itself ends by the signal
            raise Failed(f"Ctrl-C ends it with exit code {code}")
    except OSError as error:
        raise Failed(f"it does not answer: {error}") from None
    finally:
        command.kill()
    return f"ready after {ready:.0f} s"


def test(start: Callable[[dict[str, str], float], Command]) -> str:
    """``make test``: exit code 0, and tests were run."""
    command = start({}, TEST_SECONDS)
    began = time.monotonic()
    try:
        code = command.finish()
    finally:
        command.kill()
    summary = next((line.strip("= ") for line in reversed(command.lines) if " passed" in line), "")
    if code or not summary:
        raise Failed(f"exit code {code}; {summary or 'no test was run'}")
    if (took := time.monotonic() - began) > PLANNED_SECONDS:
        summary += f"; longer than {PLANNED_SECONDS / 60:.0f} minutes, load average {os.getloadavg()[1]:.1f}"
    return f"{summary} ({took:.0f} s in all)"


def read_tutorial(start: Callable[[dict[str, str], float], Command]) -> str:
    """Every command of the tutorial: all succeed, within ten minutes, and print what the page shows."""
    if taken := tutorial.taken():
        raise Failed(f"in use here: port {', '.join(map(str, taken))}; end what listens there")
    command = start({}, tutorial.SECONDS)
    began = time.monotonic()
    try:
        code = command.finish()
    finally:
        command.kill()
    if code:
        raise Failed(f"a command ended with exit code {code}")
    if missing := tutorial.missing(command.lines):
        raise Failed(f"not printed, or in another order: {missing}")
    return f"an alert fired and everything was cleaned up after {time.monotonic() - began:.0f} s"


COMMANDS = {"demo": demo, "test": test, "tutorial": read_tutorial}
WORDS = {"demo": ["make", "demo"], "test": ["make", "test"], "tutorial": ["bash", "-c", tutorial.script()]}


# ------------------------------------------------------------------------------------------------------------ the run


def run(root: Root, kept: Path, name: str, *, commit: str, tests: str) -> Outcome:
    """One command in a fresh copy of one root."""
    title, began = f"{root.name} {name}", time.monotonic()
    print(f"== {title} as {'an ordinary user' if root.uid else 'root'}", flush=True)
    reason = last = ""
    try:
        with roots.unpacked(root, kept, commit) as folder:
            if root.stranger:
                tutorial.prepare(folder)

            def start(env: dict[str, str], limit: float) -> Command:
                words = roots.entered(folder, root, WORDS[name])
                chosen = {"PYTEST_ARGS": tests} if tests else {}
                return Command(title, words, {**roots.environment(root), **chosen, **env}, limit)

            last = COMMANDS[name](start)
            print(f"== {title}: removing the root ...", flush=True)
    except (Failed, subprocess.CalledProcessError) as error:
        reason = str(error)
    outcome = Outcome(title, time.monotonic() - began, reason, last)
    print(f"== {outcome}", flush=True)
    return outcome


def made(root: Root) -> Path | None:
    """The archive of the root; None when it could not be built."""
    began = time.monotonic()
    print(f"== {root.name}: the root ({root.suite}) ...", flush=True)
    try:
        kept = roots.archive(root)
    except subprocess.CalledProcessError as error:
        print(f"mmdebstrap ended with exit code {error.returncode}", file=sys.stderr)
        return None
    print(f"== {root.name}: the root is there after {time.monotonic() - began:.0f} s", flush=True)
    return kept


def commit_here() -> str:
    """What is checked out. Says so when there are changes that it does not have."""
    git = ["git", "-c", "safe.directory=*", "-C", str(roots.PROJECT)]
    if subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True).stdout:
        print("There are changes that are not committed: they are not in the clones.", file=sys.stderr)
    return subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


def _end(number: int, _: object) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bare")
    parser.add_argument("--only", action="append", choices=[root.name for root in ROOTS], help="this root (repeatable)")
    parser.add_argument("--command", choices=list(COMMANDS), help="this command")
    parser.add_argument("--tests", default="", help="PYTEST_ARGS of make test, for some of the tests")
    asked = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("make bare needs root: it makes Debian systems and mounts (sudo make bare)", file=sys.stderr)
        return 1
    if missing := [name for name in names("bare") if not shutil.which(name, path=roots.SEARCH)]:
        print(f"make bare needs {', '.join(missing)}: see scripts/programs/list.txt for the packages", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    LOGS.mkdir(parents=True, exist_ok=True)
    roots.remove_left_over()
    commit, outcomes = commit_here(), list[Outcome]()
    for root in (one for one in ROOTS if asked.only is None or one.name in asked.only):
        if (kept := made(root)) is None:
            outcomes.append(Outcome(root.name, 0.0, "the root could not be made", ""))
            continue
        outcomes += [
            run(root, kept, name, commit=commit, tests=asked.tests)
            for name in root.commands
            if asked.command in (None, name)
        ]
    print(f"\n{commit[:12]}, logs in {LOGS}", *outcomes, sep="\n")
    return 1 if any(outcome.reason for outcome in outcomes) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt as interrupted:
        sys.exit(f"interrupted {interrupted}".strip())
