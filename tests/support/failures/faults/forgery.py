"""Somebody who writes to the replicas' Redis, but has none of their keys, and a server that collects what they send."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis as redis_library

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.peers.challenge import CHALLENGE_PATH
from tests.support.cluster.replica import DEVICES, Replica
from tests.support.failures.faults.outages import device_names_at
from tests.support.failures.faults.redis_faults import PASSWORD, FailingRedis
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.load.polls import owners, pollers
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import wait_until

MEMBERS, RECORD, LEADER = "promsnmp:members", "promsnmp:election", "leader"
PASSPHRASE = "a passphrase that stays among replicas"
PAUSE = 0.2
"""Seconds between two forgeries."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """``challenges``: what the server got; ``refused``: changes for which there was no leader for a moment."""

    challenges: int
    done: int
    refused: int
    scrapes: int


class Impostor:
    """Answers every request with 200 and a page, and keeps what was sent."""

    def __init__(self) -> None:
        seen: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                seen.append((self.path, f"{self.headers}\n{body.decode(errors='replace')}"))
                page = b"forged 1\n"
                self.send_response(200)
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # the library's names

            def log_message(self, *_: object) -> None:
                pass

        self.seen = seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Forger:
    """Writes to Redis what would make ``impostor`` a member and the leader."""

    def __init__(self, redis: FailingRedis, impostor: str) -> None:
        self._redis = redis_library.Redis(port=redis.server.port, password=PASSWORD, decode_responses=True)
        self._impostor = impostor
        self._ended = threading.Event()

    def forge(self) -> None:
        """All of it once: a new member, others at another address, goodbyes, and another leader."""
        milliseconds = int(time.time() * 1000)
        entries: dict[str, str] = self._redis.hgetall(MEMBERS)  # type: ignore[assignment]
        forged = {"pod-9": {"name": "pod-9", "instance": "pod-9", "address": self._impostor, "started": time.time()}}
        for instance, entry in entries.items():
            record = json.loads(entry.partition(" ")[2])
            forged[f"{instance} elsewhere"] = {**record, "address": self._impostor}
            forged[f"{instance} leaves"] = {"instance": record["instance"], "leaving": True}
        for name, record in list(forged.items())[:20]:
            self._redis.hset(MEMBERS, name, f"{milliseconds} {json.dumps(record)}")
        known: dict[str, str] = self._redis.hgetall(RECORD)  # type: ignore[assignment]
        leader = {**known, "holder": "pod-9", "address": self._impostor, "instance": "pod-9", "released": "0"}
        leader["term"] = str(int(known.get("term") or 0) + 1)
        self._redis.hset(RECORD, mapping=leader)  # type: ignore[arg-type]
        self._redis.set(LEADER, "pod-9", px=1000)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Forges again and again, then removes what was forged."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(10)
            self._redis.delete(MEMBERS, LEADER, RECORD)
            self._redis.close()

    def _work(self) -> None:
        while not self._ended.wait(PAUSE):
            self.forge()


def somebody_writes_to_redis(fleet: Fleet, redis: FailingRedis, *, slack: float, lasting: float) -> Forgery:
    """The impostor gets challenges and nothing else; no device changes its owner, no scrape fails, and no change
    reaches it or is lost. There may be moments without a leader, but none with two. All replicas say what is wrong."""
    before, impostor, begun = owners(fleet.devices), Impostor(), lease_clock()
    done, refused = list[str](), 0
    try:
        with Scrapes(fleet.replicas, fleet.targets) as scrapes, Forger(redis, impostor.address).at_work():
            end = time.monotonic() + lasting
            while time.monotonic() < end:
                for one in fleet.replicas:
                    number = len(done) + refused
                    if _add_v3(one, name := f"v3-{number}", port=20_000 + number):
                        done.append(name)
                    else:
                        refused += 1
            for one in fleet.replicas:
                wait_until(lambda one=one: "not believed" in _problems(one), deadline=slack, what="a shown problem")  # type: ignore[misc]
                members: list[dict[str, str]] = one.leadership["members"]  # type: ignore[assignment]
                assert [member["name"] for member in members] == sorted(two.name for two in fleet.replicas)
            ended = lease_clock()
        fleet.settle(deadline=2 * fleet.timing.duration + slack)
    finally:
        impostor.close()
    for polled in fleet.devices:
        assert pollers(polled, begun, ended) <= before[polled.name], f"{polled.name} was polled by others than before"
    for path, text in impostor.seen:
        assert path == CHALLENGE_PATH, path
        assert PASSPHRASE not in text
        assert "x-promsnmp-peer" not in text.lower()
    for one in fleet.replicas:
        wait_until(lambda one=one: set(done) <= device_names_at(one), deadline=slack, what="all changes that were made")  # type: ignore[misc]
    assert not (both := overlaps(fleet.lead_periods())), f"two leaders at once: {both}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    for name in done:
        assert fleet.replicas[0].client.delete(f"{DEVICES}/{name}", timeout=60).status_code == 204
    return Forgery(len(impostor.seen), len(done), refused, scrapes.count)


def _add_v3(one: Replica, name: str, *, port: int) -> bool:
    """Adds a device with a passphrase at a replica; whether that was done (or refused, for there is no leader)."""
    agent = {
        "type": "snmp-user",
        "endpoint": {"address": "127.0.0.9", "port": port},
        "version": 3,
        "securityName": "eva",
        "securityLevel": 3,
        "authProtocol": "SHA",
        "authPassphrase": PASSPHRASE,
        "privProtocol": "AES",
        "privPassphrase": PASSPHRASE,
    }
    answer = one.client.post(DEVICES, json={"sysName": name, "agents": [agent]}, timeout=150)
    assert answer.status_code in (201, 503), answer.text
    return answer.status_code == 201


def _problems(one: Replica) -> str:
    return str(one.client.get("/actuator/health/replicas").json()["details"].get("problems", ""))
