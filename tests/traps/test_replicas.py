"""Two replicas with Redis: any of them receives a trap, the owner of the device polls, a copy counts once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp import ber
from promsnmp.traps.receive.pdu import INFORM
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import DEVICES, Replica, device
from tests.support.tools import free_udp_port, wait_until
from tests.support.traps.messages import trap

NAME = "switch"
HEAD = ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public")


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Replica, int]]]:
    """Both, each with its port for traps; they poll their device once a minute."""
    folder, agent, started = tmp_path_factory.mktemp("replicas"), SimulatedAgent(mib()), []
    with RedisServer(tmp_path_factory.mktemp("redis")) as redis_server, running(agent):
        try:
            for number in range(2):
                port = free_udp_port()
                env = {"COLLECTION_INTERVAL": "60000", "TRAP_PORT": str(port), "TRAP_ADDRESS": "127.0.0.1"}
                started.append((Replica(folder, f"pod-{number}", {**redis_server.env, **env}), port))
            wait_until(lambda: all(one.knows(2) for one, _ in started), deadline=60, what="two replicas")
            leader = next(one for one, _ in started if one.leads)
            assert leader.client.post(DEVICES, json=device(agent, NAME)).status_code == 201
            for one, _ in started:
                wait_until(lambda one=one: "ifInOctets" in page(one))  # type: ignore[misc]
            yield started
        finally:
            for one, _ in started:
                one.stop()


def page(replica: Replica) -> str:
    return replica.client.get("/snmp", params={"target": NAME}).text


def accepted(replica: Replica) -> float:
    lines = replica.client.get("/metrics").text.splitlines()
    return sum(float(one.rpartition(" ")[2]) for one in lines if one.startswith("promsnmp_traps_total{"))


def acknowledged(inform: bytes, port: int) -> bytes:
    """The answer to an inform, which is repeated until it comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0.5)
        for _ in range(20):
            sender.sendto(inform, ("127.0.0.1", port))
            with suppress(TimeoutError):
                return sender.recv(4096)
    raise AssertionError("the inform was not acknowledged")


def test_whichever_replica_receives_an_inform_it_counts_once_and_the_owner_polls(
    replicas: list[tuple[Replica, int]],
) -> None:
    for number, (replica, port) in enumerate(replicas, start=1):
        inform = trap(number, kind=INFORM)
        for at in (port, *(other for _, other in replicas if other != port)):  # the other one gets a copy
            assert ber.read_community_message(acknowledged(inform, at), HEAD) is not None
        assert sum(accepted(one) for one, _ in replicas) == number
        assert accepted(replica) == 1
        shown = f'snmp_trap_total{{trap="coldStart"}} {number}'
        wait_until(partial(all_show, shown, [one for one, _ in replicas]), what="the count on the page")


def all_show(text: str, replicas: list[Replica]) -> bool:
    return all(text in page(one) for one in replicas)
