"""A network of namespaces: one for each replica, one in the middle for everything else, and packet loss between them.

The thread that creates the network moves into the middle namespace, and so do the clients, Redis and the devices that
it starts. Nothing of this network is visible outside, and it disappears with its processes.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Flag, auto
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.tools import Process, require_tool, unavailable

CLIENT, REDIS, AGENTS = "10.99.0.254", "10.99.0.253", "10.99.0.252"
"""Addresses in the middle."""
_CLONE_NEWNET = 0x40000000


class PacketLoss(Flag):
    """Which packets of a replica are lost."""

    SENT = auto()
    RECEIVED = auto()
    ALL = SENT | RECEIVED


class Namespace(Process):
    """A network namespace, with loopback."""

    def __init__(self, folder: Path, name: str) -> None:
        if os.geteuid() != 0:
            unavailable("network namespaces, which separate the replicas, need root")
        self._nsenter = require_tool("nsenter", package="util-linux")
        self._ip = require_tool("ip", package="iproute2")
        own = Path("/proc/self/ns/net").readlink()
        command = [require_tool("unshare", package="util-linux"), "--net", "sleep", "infinity"]
        try:
            super().__init__(command, log=folder / f"{name}.log", ready=lambda: self._link() != own)
        except AssertionError as error:
            unavailable(f"cannot create a network namespace here: {error}")
        self.ip("link", "set", "lo", "up")

    @property
    def prefix(self) -> list[str]:
        """The prefix for a command that runs there."""
        return [self._nsenter, "--target", str(self.pid), "--net"]

    def ip(self, *words: str) -> None:
        self.run(self._ip, *words)

    def run(self, *command: str) -> None:
        subprocess.run([*self.prefix, *command], check=True, capture_output=True, timeout=30)

    def enter(self) -> int:
        """Moves the calling thread, and the threads and processes that it starts later, into this namespace.

        Returns a descriptor of the namespace that it left.
        """
        previous = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        this = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _enter(this)
        return previous

    def _link(self) -> Path:
        return Path(f"/proc/{self.pid}/ns/net").readlink()


class Network:
    """A namespace in the middle, and ``count`` others connected to it, with the addresses from ``address_of``."""

    def __init__(self, folder: Path, count: int) -> None:
        self._iptables = require_tool("iptables", package="iptables")
        self.nodes: list[Namespace] = []
        with ExitStack() as stack:
            self._middle = stack.enter_context(Namespace(folder, "middle"))
            self._middle.ip("link", "add", "bridge", "type", "bridge")
            self._middle.ip("link", "set", "bridge", "up")
            for address in (CLIENT, REDIS, AGENTS):
                self._middle.ip("address", "add", f"{address}/24", "dev", "bridge")
            for number in range(count):
                self.nodes.append(stack.enter_context(Namespace(folder, f"node-{number}")))
                self._connect(self.nodes[-1], number)
            stack.callback(_enter, self._middle.enter())
            self._stack = stack.pop_all()

    def _connect(self, node: Namespace, number: int) -> None:
        peer = ("type", "veth", "peer", "name", "eth0", "netns", str(node.pid))
        self._middle.ip("link", "add", f"node-{number}", *peer)
        self._middle.ip("link", "set", f"node-{number}", "master", "bridge", "up")
        node.ip("address", "add", f"{self.address_of(number)}/24", "dev", "eth0")
        node.ip("link", "set", "eth0", "up")

    @staticmethod
    def address_of(number: int) -> str:
        return f"10.99.0.{number + 1}"

    @contextmanager
    def cut(self, number: int, others: Iterable[str], lost: PacketLoss) -> Iterator[None]:
        """Silently drops packets between a node and the addresses ``others``."""
        rules = list(self._rules(number, others, lost))
        for where, rule in rules:
            where.run(self._iptables, "-w", "-A", "INPUT", *rule, "-j", "DROP")
        try:
            yield
        finally:
            for where, rule in rules:
                where.run(self._iptables, "-w", "-D", "INPUT", *rule, "-j", "DROP")

    def _rules(self, number: int, others: Iterable[str], lost: PacketLoss) -> Iterator[tuple[Namespace, list[str]]]:
        """Rules that drop packets at their destination, so that the sender gets no error."""
        node, own = self.nodes[number], self.address_of(number)
        for other in others:
            if PacketLoss.RECEIVED in lost:
                yield node, ["-s", other]
            if PacketLoss.SENT in lost:
                yield self._at(other), ["-s", own, "-d", other]

    def _at(self, address: str) -> Namespace:
        nodes = (node for number, node in enumerate(self.nodes) if self.address_of(number) == address)
        return next(nodes, self._middle)

    def close(self) -> None:
        """Returns to the first namespace, and removes all others."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _enter(descriptor: int) -> None:
    """Calls setns(2) for the calling thread."""
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)
