"""redis.architecture=sentinel: the chart's scripts with three real Redis servers and three real sentinels.

Each pod is a network namespace of its own, with the names of the others in /etc/hosts instead of DNS. The test kills
the master; another one takes over, and the old one returns as its replica.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy.kube import VALUES, Object, pick, render
from tests.support.deploy.pods import environment
from tests.support.tools import Process, require_tool, wait_until

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root"),
]
NUMBERS = itertools.count()


class Node:
    """A pod of the set: its namespace, and the two containers as processes."""

    def __init__(self, items: list[Object], folder: Path, number: int, bridge: str) -> None:
        self.number, self.folder = number, folder / f"redis-{number}"
        self.folder.mkdir()
        self.space = f"{bridge}-{number}"
        self.name = f"redis-{number}.redis.promsnmp.svc"
        template = pick(items, "StatefulSet")["spec"]["template"]
        self.env = environment(items, template, name=f"redis-{number}", address="")
        scripts = self.folder / "scripts"
        scripts.mkdir()
        for name, text in pick(items, "ConfigMap", "redis-scripts")["data"].items():
            (scripts / name).write_text(text.replace("/scripts/", f"{scripts}/"))
        self.commands = {
            container["name"]: [word.replace("/scripts/", f"{scripts}/") for word in container["command"]]
            for container in template["spec"]["containers"]
        }
        self.running: dict[str, Process] = {}

    def inside(self, *words: str) -> list[str]:
        """A command in the pod's network, with the names of all pods."""
        hosts = self.folder.parent / "hosts"
        mounted = f'mount --bind {hosts} /etc/hosts && exec "$@"'
        return ["ip", "netns", "exec", self.space, "sh", "-c", mounted, "sh", *words]

    def start(self) -> None:
        for name, command in self.commands.items():
            log = self.folder / f"{name}-{next(NUMBERS)}.log"
            env = {**self.env, "SENTINEL_DIR": str(self.folder), "REDIS_DIR": str(self.folder)}
            self.running[name] = Process(self.inside(*command), log=log, env=env)

    def stop(self, *, kill: bool = False) -> None:
        for process in self.running.values():
            if kill:
                process.process.kill()
            process.stop()

    def ask(self, *words: str) -> list[str]:
        program = require_tool("redis-cli", package="redis-tools")
        command = self.inside(program, "--no-auth-warning", *words)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False, env={**os.environ, **self.env}
        )
        return done.stdout.splitlines()

    @property
    def role(self) -> str:
        return (self.ask("ROLE") or [""])[0]

    def takes_writes(self) -> bool:
        return self.ask("SET", "written", "1") == ["OK"]

    @property
    def master(self) -> str:
        """The master according to its sentinel."""
        return (self.ask("-p", "26379", "SENTINEL", "get-master-addr-by-name", "promsnmp") or [""])[0]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    for program, package in (("ip", "iproute2"), ("redis-server", "redis-server")):
        require_tool(program, package=package)
    bridge = f"ps{os.getpid() % 100_000}"
    items = render("--values", VALUES / "sentinel.yaml")
    made = [Node(items, tmp_path, number, bridge) for number in range(3)]
    (tmp_path / "hosts").write_text("".join(f"10.123.7.{node.number + 1} {node.name}\n" for node in made))
    try:
        run(f"ip link add {bridge} type bridge", f"ip link set {bridge} up")
        for node in made:
            wire, address = f"{node.space}v", f"10.123.7.{node.number + 1}/24"
            run(
                f"ip netns add {node.space}",
                f"ip link add {wire} type veth peer name eth0 netns {node.space}",
                f"ip link set {wire} master {bridge} up",
                f"ip -n {node.space} addr add {address} dev eth0",
                f"ip -n {node.space} link set eth0 up",
                f"ip -n {node.space} link set lo up",
            )
        yield made
    finally:
        for node in made:
            node.stop()
            subprocess.run(["ip", "netns", "del", node.space], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", bridge], check=False, capture_output=True)


def run(*commands: str) -> None:
    for command in commands:
        subprocess.run(command.split(), check=True, capture_output=True)


def start(nodes: list[Node]) -> None:
    """One after the other, as a StatefulSet starts its pods. The first is the master then, and takes writes."""
    for node in nodes:
        node.start()
        wait_until(lambda node=node: node.ask("PING") == ["PONG"], deadline=60, what="Redis")  # type: ignore[misc]
        wait_until(lambda node=node: node.ask("-p", "26379", "PING") == ["PONG"], deadline=60, what="its sentinel")  # type: ignore[misc]
    assert [node.role for node in nodes] == ["master", "slave", "slave"]
    wait_until(lambda: all(knows(node) for node in nodes), deadline=60, what="three sentinels that know each other")
    wait_until(nodes[0].takes_writes, deadline=60, what="replicas that are up to date")


def test_a_lost_master_is_replaced_and_returns_as_a_replica(nodes: list[Node]) -> None:
    start(nodes)
    assert nodes[0].ask("SET", "leader", "promsnmp-1") == ["OK"]
    assert nodes[0].ask("WAIT", "2", "10000") == ["2"]

    nodes[0].stop(kill=True)
    left = nodes[1:]
    wait_until(lambda: sorted(node.role for node in left) == ["master", "slave"], deadline=90, what="a new master")
    master = next(node for node in left if node.role == "master")
    wait_until(lambda: {node.master for node in left} == {master.name}, deadline=60, what="sentinels that agree")
    assert master.ask("GET", "leader") == ["promsnmp-1"]

    nodes[0].start()
    wait_until(lambda: nodes[0].role == "slave", deadline=60, what="the old master as a replica")
    wait_until(lambda: nodes[0].master == master.name, deadline=60, what="its sentinel to know the new master")
    assert master.role == "master"


def test_a_master_that_is_cut_off_refuses_writes_before_another_one_accepts_them(nodes: list[Node]) -> None:
    start(nodes)
    old, left = nodes[0], nodes[1:]
    run(f"ip link set {old.space}v down")
    wait_until(lambda: any(node.takes_writes() for node in left), deadline=90, what="a new master")
    assert old.role == "master"
    assert not old.takes_writes()


def knows(node: Node) -> bool:
    """Whether its sentinel knows two others and two replicas."""
    reply = node.ask("-p", "26379", "SENTINEL", "MASTER", "promsnmp")
    found = dict(zip(reply[::2], reply[1::2], strict=False))
    return (found.get("num-other-sentinels"), found.get("num-slaves")) == ("2", "2")
