"""What a user of the original PromSNMP types and has: its commands, its Deployment and its values, word for word.

kubectl, Helm and curl are the real ones; ``fake_kubernetes.py`` stands in for the cluster, and one replica with its
Redis really runs. ``test_image.py`` runs the commands of a pod in the container, by podman.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy import original
from tests.support.deploy.fake_kubernetes import FakeKubernetes
from tests.support.deploy.kube import CHART, OPERATOR, manifests, name_of, pick, render, with_operator
from tests.support.deploy.pods import Redis
from tests.support.deploy.shell import Pages, Shell
from tests.support.tools import free_tcp_port

pytestmark = pytest.mark.timeout(400)
WITHOUT_END = ("kubectl get pods -n promsnmp -w",)
"""Runs until it is interrupted."""
IN_EVERY_POD = "for pod in "
"""A loop over all pods, also that of Redis, where there is no inventory: one of its commands fails."""


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    """The manifests with the original's Deployment, which one replica runs as."""
    items = [original.deployment() if item["kind"] == "Deployment" else item for item in manifests()]
    template = pick(items, "StatefulSet")["spec"]["template"]
    with Redis(items, template, folder=tmp_path, port=free_tcp_port()) as redis, FakeKubernetes() as cluster:
        made = Pages(tmp_path, cluster, redis, items)
        yield made
        made.pod.stop()


def test_every_command_of_the_original_runs(pages: Pages) -> None:
    """With our manifests: its ``kubectl apply`` names our files."""
    folder = pages.folder
    (folder / "charts").mkdir()
    (folder / "charts" / "promsnmp").symlink_to(CHART)
    (folder / "values.yaml").write_text(original.VALUES.read_text())
    (folder / "dashboard.json").write_text("{}")
    said: dict[str, str] = {}
    for command in original.commands():
        if command in WITHOUT_END:
            continue
        if "GET leader" in command:
            pages.await_leader()
        if command.startswith("helm install"):
            for key in [key for key in pages.cluster.store.objects if "promsnmp" in key]:
                del pages.cluster.store.objects[key]
        said[command] = _run(pages, command)
        if command.startswith("kubectl apply -f namespace.yaml"):  # its list omits these two
            pages("kubectl apply -f deploy/kubernetes/rbac.yaml -f deploy/kubernetes/hpa.yaml")
    assert re.search(r"promsnmp-0\s*$", said["kubectl exec -it redis-0 -n promsnmp -- redis-cli GET leader"])
    sums = said[next(command for command in said if command.startswith(IN_EVERY_POD))]
    assert len(re.findall(r"^[0-9a-f]{32}  ", sums, re.MULTILINE)) == 5
    assert "jvm.memory.used" in said[next(command for command in said if "jvm.memory.used" in command)]


def _run(pages: Pages, command: str) -> str:
    where = "cd deploy/kubernetes; " if "-f namespace.yaml" in command else ""
    script = where + command.replace("<pod>", pages.pod_name("promsnmp"))
    if command.startswith(IN_EVERY_POD):
        return pages.run(f"set +e; {script}").stdout
    return pages(script)


def test_its_deployment_is_accepted_and_runs_beside_our_objects(tmp_path: Path) -> None:
    """In a namespace without a Pod Security level, as its document makes it."""
    with FakeKubernetes() as cluster:
        shell = Shell(tmp_path, cluster, {})
        (shell.folder / "original.yaml").write_text(original.DEPLOYMENT.read_text())
        shell("kubectl create namespace promsnmp; kubectl apply -f original.yaml")
        assert cluster.get("Deployment", "promsnmp")["spec"]["replicas"] == 3
        assert shell("kubectl -n promsnmp get pods -o name").count("pod/promsnmp-") == 3


def test_the_chart_takes_its_values() -> None:
    """And makes the same objects, but for the image."""
    charts = {name_of(item): item for item in render("--values", original.VALUES, *OPERATOR)}
    ours = {name_of(item) for item in with_operator() if item["kind"] not in ("Namespace", "Ingress")}
    assert set(charts) == ours
    pod = charts["Deployment/promsnmp"]["spec"]["template"]["spec"]["containers"][0]
    wanted = original.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert {key: pod[key] for key in ("image", "imagePullPolicy", "resources", "envFrom", "env")} == {
        key: wanted[key] for key in ("image", "imagePullPolicy", "resources", "envFrom", "env")
    }
