"""Three real replicas with the configuration of the manifests, a real Redis and a real device.

They elect one leader, pass the probes of the kubelet, return at each replica what was written at another, survive the
procedures of operations.md, and drain when they stop.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.deploy.kube import Object, manifests, pick, render
from tests.support.deploy.pods import Pod, Redis
from tests.support.tools import WEB, Snmpd, free_tcp_port, start_snmpd, wait_until

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("replicas")]
NAMES = ("promsnmp-5c9f-aaaaa", "promsnmp-5c9f-bbbbb", "promsnmp-5c9f-ccccc")
TOKEN = "a-token-of-the-tests"
SECRETS = {"REDIS_PASSWORD": "a-password", "API_TOKEN": TOKEN}


@dataclass
class Replicas:
    """Three pods, their Redis and their device."""

    items: list[Object]
    folder: Path
    redis: Redis
    device: Snmpd
    pods: list[Pod]

    @property
    def file(self) -> Path:
        return self.folder / "promsnmp-inventory.json"

    def start(self, name: str, address: str, port: int) -> Pod:
        template = pick(self.items, "Deployment")["spec"]["template"]
        here = {"PROM_INV_FILE": str(self.file), "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.redis.port)}
        folder = self.folder.parent
        return Pod(self.items, template, folder=folder, name=name, address=address, port=port,
                   env={**here, "COLLECTION_INTERVAL": "2000"})  # fmt: skip

    def leaders(self) -> list[str]:
        return [pod.name for pod in self.pods if pod.running and is_leader(pod)]


def is_leader(pod: Pod) -> bool:
    try:
        page = WEB.get(f"{pod.url}/actuator/prometheus", timeout=5).text
    except httpx.TransportError:
        return False
    return "promsnmp_leader_election_is_leader 1.0" in page


def given(items: list[Object]) -> list[Object]:
    """The objects with secrets filled in, as an operator would; the key of the inventory stays as it comes."""
    pick(items, "Secret")["stringData"] |= SECRETS
    return items


@contextmanager
def three(items: list[Object], folder: Path) -> Iterator[Replicas]:
    """Three pods of ``items``, with a Redis and a device."""
    (folder / "snmpd").mkdir()
    (folder / "data").mkdir()
    template = pick(items, "StatefulSet")["spec"]["template"]
    with Redis(items, template, folder=folder, port=free_tcp_port()) as redis, start_snmpd(folder / "snmpd") as device:
        started = Replicas(items, folder / "data", redis, device, [])
        try:
            for number, name in enumerate(NAMES):
                started.pods.append(
                    started.start(name, f"127.0.{10 + number}.1", free_tcp_port(f"127.0.{10 + number}.1"))
                )
            yield started
        finally:
            for pod in started.pods:
                pod.stop()


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with three(given(manifests()), tmp_path_factory.mktemp("replicas")) as started:
        yield started


def test_the_rendered_chart_starts_three_replicas_that_elect_a_leader(tmp_path: Path) -> None:
    """The other tests use the manifests: chart/test_same_as_manifests.py compares the two, field by field."""
    with three(given(render()), tmp_path) as started:
        for pod in started.pods:
            await_start(pod)
            assert pod.probe("readiness")
            assert pod.probe("liveness")
        leader = one_leader(started)
        assert started.redis.run("redis-cli", "GET", "leader") == leader


def document(device: Snmpd) -> Object:
    endpoint = {"address": device.address, "port": device.port}
    agent = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}
    return {"devices": [{"sysName": "switch-1", "agents": [agent], "modules": ["system"]}]}


def test_they_start_within_the_startup_probe_and_are_ready_and_alive(replicas: Replicas) -> None:
    for pod in replicas.pods:
        asked = pod.container["startupProbe"]
        allowed = asked["initialDelaySeconds"] + asked["periodSeconds"] * asked["failureThreshold"]
        await_start(pod, deadline=allowed)
        assert pod.probe("readiness")
        assert pod.probe("liveness")


def await_start(pod: Pod, *, deadline: float = 150) -> None:
    wait_until(lambda: pod.probe("startup") or not pod.running, deadline=deadline, what=f"the start of {pod.name}")
    assert pod.running, pod.tail()


def one_leader(replicas: Replicas) -> str:
    wait_until(lambda: len(replicas.leaders()) == 1, deadline=120, what="one leader")
    return replicas.leaders()[0]


def with_device(replicas: Replicas) -> None:
    """Adds the device through a follower; then every replica lists it and can scrape it."""
    for pod in replicas.pods:
        await_start(pod)
    leader = one_leader(replicas)
    follower = next(pod for pod in replicas.pods if pod.name != leader)
    url, headers = f"{follower.url}/promsnmp/inventory", {"Authorization": f"Bearer {TOKEN}"}
    answer = WEB.post(url, json=document(replicas.device), headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    for pod in replicas.pods:
        wait_until(lambda pod=pod: "switch-1" in WEB.get(f"{pod.url}/targets").text, deadline=60, what="the target")  # type: ignore[misc]
        wait_until(lambda pod=pod: scraped(pod, "switch-1"), deadline=60, what="the device's page")  # type: ignore[misc]


def test_without_a_key_in_the_secret_all_replicas_use_the_one_that_was_generated(replicas: Replicas) -> None:
    for pod in replicas.pods:
        await_start(pod)
    key = replicas.file.with_name(f"{replicas.file.name}.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32
    for pod in replicas.pods:
        page = WEB.get(f"{pod.url}/metrics").text
        assert "promsnmp_inventory_key_known 0.0\n" in page


def test_exactly_one_leads_and_redis_names_it(replicas: Replicas) -> None:
    leader = one_leader(replicas)
    assert replicas.redis.run("redis-cli", "GET", "leader") == leader

    def is_named_by(pod: Pod) -> bool:
        return f"leader={leader} " in pod.run("promsnmp", "health", "leaderElection").stdout

    wait_until(lambda: all(map(is_named_by, replicas.pods)), what=f"all name {leader}")


def test_a_write_to_one_replica_reaches_all_and_each_answers_for_every_device(replicas: Replicas) -> None:
    with_device(replicas)
    pages = {WEB.get(f"{pod.url}/targets").text for pod in replicas.pods}
    assert len(pages) == 1


def scraped(pod: Pod, target: str) -> bool:
    answer = WEB.get(f"{pod.url}/snmp", params={"target": target}, timeout=30)
    return answer.status_code == 200 and "sysUpTime" in answer.text


def test_management_needs_the_token_of_the_secret(replicas: Replicas) -> None:
    await_start(replicas.pods[0])
    refused = WEB.post(f"{replicas.pods[0].url}/promsnmp/inventory", json={"devices": []}, timeout=30)
    assert refused.status_code == 401


def test_a_forced_election_gives_one_leader_again(replicas: Replicas) -> None:
    """``redis-cli DEL leader``, from operations.md."""
    one_leader(replicas)
    assert replicas.redis.run("redis-cli", "DEL", "leader") == "1"
    names = {pod.name for pod in replicas.pods}
    wait_until(lambda: replicas.redis.run("redis-cli", "GET", "leader") in names, deadline=60, what="a new leader")
    wait_until(
        lambda: replicas.leaders() == [replicas.redis.run("redis-cli", "GET", "leader")], deadline=60, what="one leader"
    )


def test_a_backup_is_the_same_file_everywhere_and_can_be_read_and_restored(replicas: Replicas) -> None:
    """The commands of operations.md: cat, md5sum, inventory show, export --secrets, POST."""
    with_device(replicas)
    backup = replicas.pods[0].run("cat", str(replicas.file)).stdout
    sums = {pod.run("md5sum", str(replicas.file)).stdout.split()[0] for pod in replicas.pods}
    assert sums == {hashlib.md5(backup.encode(), usedforsecurity=False).hexdigest()}
    copy = replicas.folder.parent / "backup.json"
    copy.write_text(backup)
    shutil.copy(f"{replicas.file}.key", f"{copy}.key")
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    url = f"{replicas.pods[0].url}/promsnmp/inventory"
    assert WEB.post(url, json={"devices": []}, headers=headers, timeout=30).status_code == 200
    plain = replicas.pods[0].run("promsnmp", "inventory", "export", "--secrets", "--file", str(copy)).stdout
    assert WEB.post(url, content=plain, headers=headers, timeout=30).status_code == 200
    assert "switch-1" in WEB.get(f"{replicas.pods[0].url}/targets").text


def test_a_terminating_pod_drains_and_hands_over_and_is_replaced(replicas: Replicas) -> None:
    with_device(replicas)
    name = one_leader(replicas)
    number, pod = next((number, pod) for number, pod in enumerate(replicas.pods) if pod.name == name)
    begun = time.monotonic()
    hook = pod.pre_stop()
    answered: list[tuple[bool, bool]] = []

    def hook_ended() -> bool:
        answered.append((pod.probe("readiness"), scraped(pod, "switch-1")))
        return hook.poll() == 0

    wait_until(hook_ended, deadline=pod.grace, what="the end of the preStop hook")
    assert any(ready for ready, _ in answered), "the kubelet would have found it not ready before SIGTERM"
    assert all(page for _, page in answered), "requests that come while the endpoints drain are answered"
    pod.process.terminate()
    wait_until(lambda: not pod.probe("readiness"), deadline=10, what="the end of readiness")
    assert pod.process.wait(pod.grace) == 0
    assert time.monotonic() - begun < pod.grace, "it would have been killed"
    one_leader(replicas)
    assert all(scraped(other, "switch-1") for other in replicas.pods if other.running)

    replicas.pods[number] = replicas.start(f"{name}-next", pod.address, free_tcp_port(pod.address))
    await_start(replicas.pods[number])
    wait_until(lambda: scraped(replicas.pods[number], "switch-1"), deadline=60, what="the device's page")
    one_leader(replicas)


def test_a_new_key_takes_effect_without_a_failed_scrape(replicas: Replicas) -> None:
    """operations.md, "Key rotation": rekey, patch the Secret, restart one after the other."""
    with_device(replicas)
    new = "fedcba9876543210"
    done = replicas.pods[0].run("promsnmp", "inventory", "rekey", "--new-key-file", "-", text=f"{new}\n")
    assert done.returncode == 0, done.stderr
    assert all(scraped(pod, "switch-1") and pod.probe("readiness") for pod in replicas.pods)
    pick(replicas.items, "Secret")["stringData"]["PROM_ENCRYPT_KEY"] = new
    for number, pod in enumerate(list(replicas.pods)):
        assert pod.stop(60) == 0
        started = replicas.start(f"promsnmp-7e7c-{number}", pod.address, free_tcp_port(pod.address))
        replicas.pods[number] = started
        await_start(started)
        assert all(scraped(other, "switch-1") for other in replicas.pods)
    wait_until(lambda: len(replicas.leaders()) == 1, deadline=60, what="one leader")
