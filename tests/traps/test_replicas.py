"""Two replicas with Redis: any of them receives a trap, the owner of the device polls, a copy counts once."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp import ber
from promsnmp.traps.confirm.object_states import IF_INDEX
from promsnmp.traps.receive.pdu import INFORM
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import DEVICES, Replica, device
from tests.support.tools import free_udp_port, wait_until
from tests.support.traps.messages import LINK_DOWN, LINK_UP, trap

NAME = "switch"
HEAD = ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public")


class Alerts(ThreadingHTTPServer):
    """Takes alerts as Alertmanager does, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), AlertHandler)
        self.taken: list[dict[str, Any]] = []


class AlertHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Alerts)
        self.server.taken += json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def alerts() -> Iterator[Alerts]:
    server = Alerts()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, alerts: Alerts) -> Iterator[list[tuple[Replica, int]]]:
    """Both, each with its port for traps; they poll their device once a minute."""
    folder, agent, started = tmp_path_factory.mktemp("replicas"), SimulatedAgent(mib()), []
    with RedisServer(tmp_path_factory.mktemp("redis")) as redis_server, running(agent):
        try:
            for number in range(2):
                port = free_udp_port()
                url = f"http://127.0.0.1:{alerts.server_port}"
                env = {
                    "TRAP_ALERTMANAGER_URLS": url, "COLLECTION_INTERVAL": "60000", "TRAP_PORT": str(port),
                    "TRAP_ADDRESS": "127.0.0.1",
                }  # fmt: skip
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


def test_an_alert_ends_when_another_replica_gets_what_resolves_it(
    replicas: list[tuple[Replica, int]], alerts: Alerts
) -> None:
    (_, first), (_, second) = replicas
    row = ber.encode_varbind(IF_INDEX + b"\x07", ber.encode_integer(7))
    acknowledged(trap(101, kind=INFORM, notification=LINK_DOWN, more=row), first)
    wait_until(lambda: any("confirmation" in one["annotations"] for one in alerts.taken), deadline=30)
    acknowledged(trap(102, kind=INFORM, notification=LINK_UP, more=row), second)
    wait_until(lambda: any(has_ended(one) for one in alerts.taken), what="its end", deadline=30)


def has_ended(alert: dict[str, Any]) -> bool:
    ends_at = datetime.fromisoformat(alert["endsAt"])
    return bool(alert["labels"]["alertname"] == "linkDown" and ends_at <= datetime.now(UTC))
