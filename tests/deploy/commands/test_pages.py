"""Runs every command of kubernetes.md and operations.md, in order, with the real kubectl, Helm and curl.

They use an API server in memory (``fake_kubernetes.py``). For what happens inside a pod, there is one replica with its
Redis, as the manifests configure it (``pods.py``, ``shim.py``).
"""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy.fake_kubernetes import FakeKubernetes, Refusal
from tests.support.deploy.kube import (
    CHART,
    EXAMPLES,
    LEASE,
    OPERATOR_OVERLAY,
    SINGLE,
    documents,
    manifests,
    name_of,
    pick,
)
from tests.support.deploy.pods import Redis
from tests.support.deploy.shell import Pages, Shell
from tests.support.tools import PROJECT, free_tcp_port

pytestmark = pytest.mark.timeout(400)

ELSEWHERE = {
    "podman build": "test_image.py builds the image",
    "podman push": "there is no registry",
    "kubectl debug": "needs a node, and the image busybox",
}
"""Commands that do not run here, and why."""
EMPTY = ("kubectl get storageclass", "helm install")
"""Blocks of kubernetes.md that begin in an empty cluster: the page describes three ways to install."""
BLOCK = r"```sh\n(?P<block>.*?)```"
IN_TEXT = r"`(?P<words>(?:kubectl|helm|promsnmp) [^`\n]+)`"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with FakeKubernetes() as cluster:
        yield Shell(tmp_path, cluster, {})


def written(page: str, wanted: str = BLOCK) -> list[str]:
    """The shell blocks of a page in order; with ``wanted`` also the commands in its text."""
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    groups = [match.groupdict() for match in re.finditer(wanted, text, re.DOTALL)]
    return [textwrap.dedent(group["block"] or group.get("words") or "") for group in groups]


def run_here(commands: list[str]) -> list[str]:
    """Those of ``commands`` that do not run elsewhere."""
    return [kept for kept in map(_without_skipped, commands) if kept.strip()]


def _without_skipped(block: str) -> str:
    joined = block.replace("\\\n", " ")
    return "\n".join(line for line in joined.splitlines() if not line.startswith(tuple(ELSEWHERE)))


def applied(cluster: FakeKubernetes) -> set[str]:
    """The names of what was applied, without the volumes that a StatefulSet makes."""
    return {name for name in cluster.names() if not name.startswith("PersistentVolumeClaim/redis-data-")}


# ---------------------------------------------------------------------------------------------------- the manifests


def test_the_folder_is_applied_at_once_and_a_second_time_without_changes(shell: Shell) -> None:
    first = shell("kubectl apply -f deploy/kubernetes/")
    assert applied(shell.cluster) == {name_of(item) for item in manifests()}
    assert "error" not in first.lower()
    again = shell("kubectl apply -f deploy/kubernetes/")
    changed = set(re.findall(r"^(\S+) (?:created|configured)$", again, re.MULTILINE))
    assert changed <= {"secret/promsnmp-secrets", "poddisruptionbudget.policy/promsnmp-pdb"}  # kubectl always says so


def test_the_kustomization_gives_the_same_objects(shell: Shell) -> None:
    shell("kubectl apply -k deploy/kubernetes/")
    assert applied(shell.cluster) == {name_of(item) for item in manifests()}


def test_a_cluster_without_prometheus_operator_takes_everything_but_its_overlay(tmp_path: Path) -> None:
    with FakeKubernetes(without=("monitoring.coreos.com",)) as cluster:
        shell = Shell(tmp_path, cluster, {})
        shell("kubectl apply -f deploy/kubernetes/")
        assert applied(cluster) == {name_of(item) for item in manifests()}
        done = shell.run("kubectl apply -k deploy/kubernetes/overlays/prometheus-operator")
        kinds = sorted(item["kind"] for item in manifests(OPERATOR_OVERLAY))
        assert sorted(re.findall(r'no matches for kind "(\w+)"', done.stderr)) == kinds


def test_the_kustomization_for_changes_sets_image_storage_class_and_operator(tmp_path: Path) -> None:
    with FakeKubernetes(without=("monitoring.coreos.com",)) as cluster:
        shell = Shell(tmp_path, cluster, {})
        shell("kubectl apply -k deploy/")
        assert applied(cluster) == {name_of(item) for item in manifests()}
        assert image(shell) == "promsnmp:0.6.0"
        file = shell.folder / "deploy" / "kustomization.yaml"
        text = file.read_text().replace("newName: promsnmp", "newName: registry.example.com/promsnmp")
        file.write_text(re.sub(r"^  # (?=[- ] )", "  ", text, flags=re.MULTILINE))
        made = documents(shell("kubectl kustomize deploy/"))
    assert "annotations" not in pick(made, "Deployment")["spec"]["template"]["metadata"]
    pod = pick(made, "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "registry.example.com/promsnmp:0.6.0"
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pick(made, "PersistentVolumeClaim")["spec"]["storageClassName"] == "efs-sc"
    assert {item["kind"] for item in manifests(OPERATOR_OVERLAY)} <= {item["kind"] for item in made}


def test_a_kustomization_with_a_yaml_name_would_be_applied_as_an_object(shell: Shell) -> None:
    """The reason why ours is called Kustomization, which Kustomize allows."""
    shell("mv deploy/kubernetes/Kustomization deploy/kubernetes/kustomization.yaml")
    done = shell.run("kubectl apply -f deploy/kubernetes/")
    assert done.returncode != 0
    assert 'no matches for kind "Kustomization"' in done.stderr
    shell("kubectl apply -k deploy/kubernetes/")


def test_the_command_at_the_top_of_each_example_works(tmp_path: Path) -> None:
    for number, file in enumerate(sorted(EXAMPLES.glob("*.yaml"))):
        commands = re.findall(r"^#   (.+)$", file.read_text(), re.MULTILINE)
        words = commands or [
            f"kubectl apply -f deploy/kubernetes/namespace.yaml -f deploy/kubernetes/examples/{file.name}"
        ]
        with FakeKubernetes() as cluster:
            Shell(tmp_path / str(number), cluster, {})("\n".join(words))
            there = cluster.names(without=())
            assert there >= {name_of(item) for item in documents(file.read_text())}, file.name


@pytest.mark.parametrize("folder", [SINGLE, LEASE], ids=lambda folder: folder.name)
def test_a_folder_without_redis_is_applied_at_once(shell: Shell, folder: Path) -> None:
    wanted = {name_of(item) for item in manifests(folder)}
    assert not [name for name in wanted if "redis" in name]
    commands = re.findall(r"^#   (.+)$", (folder / "promsnmp.yaml").read_text(), re.MULTILINE)
    shell("\n".join(commands))
    assert shell.cluster.names() == wanted
    kustomized = documents(shell(f"kubectl kustomize deploy/kubernetes/overlays/{folder.name}"))
    assert {name_of(item) for item in kustomized} == wanted


def test_the_namespace_refuses_what_is_not_restricted(shell: Shell) -> None:
    shell("kubectl apply -f deploy/kubernetes/")
    wanted = pick(manifests(), "Deployment")
    wanted["spec"]["template"]["spec"]["containers"][0].pop("securityContext")
    (shell.folder / "wrong.json").write_text(json.dumps(wanted))
    done = shell.run("kubectl apply -f wrong.json")
    assert done.returncode != 0
    assert "violates PodSecurity" in done.stderr


def test_the_fake_server_refuses_what_a_real_one_refuses(shell: Shell) -> None:
    kinds = {kind.kind: kind for kind in shell.cluster.kinds}
    meta = {"name": "x", "namespace": "nowhere"}
    with pytest.raises(Refusal, match="not found"):
        shell.cluster.store.put(kinds["ConfigMap"], {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "namespace": "default"}, "dta": {}}
    with pytest.raises(Refusal, match="dta"):
        shell.cluster.store.put(kinds["ConfigMap"], wrong)


# -------------------------------------------------------------------------------------------------------- the chart


def test_helm_installs_tests_upgrades_rolls_back_and_uninstalls(shell: Shell) -> None:
    """The key of the first install survives upgrade, rollback, uninstall and the next install."""
    install = "helm install promsnmp deploy/helm/promsnmp --namespace promsnmp --create-namespace"
    shell(install)
    key = shell.cluster.get("Secret", "promsnmp-secrets")["data"]["PROM_ENCRYPT_KEY"]
    shell("helm test promsnmp --namespace promsnmp")
    shell(f"helm upgrade promsnmp {CHART} -n promsnmp --reuse-values --set image.tag=0.6.0")
    assert image(shell) == "promsnmp:0.6.0"
    shell("helm history promsnmp -n promsnmp && helm rollback promsnmp -n promsnmp")
    assert image(shell) == "promsnmp:0.6.0"
    shell("helm uninstall promsnmp -n promsnmp")
    left = {name for name in shell.cluster.names() if not name.startswith("Secret/sh.helm")}
    assert left == {
        "Namespace/promsnmp",
        "Secret/promsnmp-secrets",
        "PersistentVolumeClaim/promsnmp-inventory",
        "PersistentVolumeClaim/redis-data-redis-0",
    }
    shell(install)
    assert shell.cluster.get("Secret", "promsnmp-secrets")["data"]["PROM_ENCRYPT_KEY"] == key


def test_an_upgrade_keeps_the_replicas_of_the_autoscaler(shell: Shell) -> None:
    shell("helm install promsnmp deploy/helm/promsnmp -n promsnmp --create-namespace")
    shell("kubectl -n promsnmp scale deployment promsnmp --replicas=7")
    shell("helm upgrade promsnmp deploy/helm/promsnmp -n promsnmp --set config.siteId=site-2")
    assert shell.cluster.get("Deployment", "promsnmp")["spec"]["replicas"] == 7


def image(shell: Shell) -> str:
    found: str = shell.cluster.get("Deployment", "promsnmp")["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


# ---------------------------------------------------------------------------------------------------- the two pages


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    items = manifests()
    pick(items, "Secret")["stringData"]["API_TOKEN"] = "a-token"
    template = pick(items, "StatefulSet")["spec"]["template"]
    with Redis(items, template, folder=tmp_path, port=free_tcp_port()) as redis, FakeKubernetes() as cluster:
        made = Pages(tmp_path, cluster, redis, items)
        yield made
        made.pod.stop()


def test_every_command_of_kubernetes_md_runs(pages: Pages) -> None:
    for block in run_here(written("how-to/kubernetes.md")):
        if block.startswith(EMPTY):
            for key in [key for key in pages.cluster.store.objects if "promsnmp" in key]:
                del pages.cluster.store.objects[key]
        pages.share_secret()
        pages(block)
    assert "ConfigMap/promsnmp-dashboards" in pages.cluster.names()
    assert pages.pod.running


def test_every_command_of_operations_md_runs(pages: Pages) -> None:
    """Also those in the text; Helm's use a release of their own, in the namespace ``other``."""
    pages("kubectl apply -f deploy/kubernetes/")
    pages("helm install promsnmp deploy/helm/promsnmp -n other --create-namespace --set redis.fullnameOverride=redis-2")
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "promsnmp-leader"}}
    (pages.folder / "lease.json").write_text(json.dumps(lease))  # as the leader writes it without Redis
    pages("kubectl -n promsnmp apply -f lease.json; cp modules/system.yml snmp.yml")
    for command in run_here(written("how-to/operations.md", f"{BLOCK}|{IN_TEXT}")):
        pages.share_secret()
        if "promsnmp leader" in command:
            pages.await_leader()
        if "rollout restart" in command:
            time.sleep(1.0)  # kubectl writes the time in seconds, and refuses a second restart in the same one
        here = re.sub(r"\bPOD\b", pages.pod_name("promsnmp"), command)
        pages(f"export HELM_NAMESPACE=other; {here}")
        if "rekey" in command:
            pages.restart()
        if command == "kubectl delete deployment promsnmp":
            pages("kubectl apply -f deploy/kubernetes/deployment.yaml")  # "then apply ours over it"
    assert pages.pod.running


def test_only_commands_that_cannot_run_are_skipped() -> None:
    commands = [*written("how-to/kubernetes.md"), *written("how-to/operations.md", f"{BLOCK}|{IN_TEXT}")]
    lines = [line for command in commands for line in command.splitlines()]
    assert {word for word in ELSEWHERE if any(line.startswith(word) for line in lines)} == set(ELSEWHERE)
