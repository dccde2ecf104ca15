"""NOTES.txt: what Helm shows after an install is right for the cluster, and its commands run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy.fake_kubernetes import FakeKubernetes
from tests.support.deploy.shell import Shell

pytestmark = pytest.mark.timeout(400)
INSTALL = "helm install promsnmp deploy/helm/promsnmp -n promsnmp --create-namespace"
NEEDS_A_POD = ("kubectl -n promsnmp port-forward", "curl", "-H", "-d")
"""Commands of the notes that test_pages.py runs: they are in kubernetes.md, too."""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with FakeKubernetes(without=("monitoring.coreos.com",)) as cluster:
        yield Shell(tmp_path, cluster, {})


def notes(said: str) -> str:
    return said.partition("NOTES:\n")[2]


def commands(text: str) -> list[str]:
    """The commands that the notes show; each is indented by five spaces."""
    lines = re.findall(r"^     (\S.+)$", text, re.MULTILINE)
    return [line for line in lines if not line.startswith(NEEDS_A_POD)]


def test_its_commands_run_and_delete_all_that_is_left(shell: Shell) -> None:
    options = "--set backup.enabled=true,redis.architecture=sentinel,secrets.apiToken=token"
    said = notes(shell(f"{INSTALL} {options}"))
    cleaning = [command for command in commands(said) if " delete " in command]
    for command in commands(said):
        if command not in cleaning:
            shell(command)
    shell("helm uninstall promsnmp -n promsnmp")
    left = shell.cluster.names() - {"Namespace/promsnmp"}
    assert {name.partition("/")[0] for name in left} == {"Secret", "PersistentVolumeClaim"}
    assert len(left) == len(cleaning) == 6
    shell("\n".join(cleaning))
    assert shell.cluster.names() == {"Namespace/promsnmp"}


def test_a_missing_storage_class_is_named_at_the_first_install(shell: Shell) -> None:
    shell("kubectl apply -f deploy/kubernetes/examples/storageclass-aws-efs.yaml")
    said = notes(shell(INSTALL))
    assert "no storage class nfs-client" in said
    assert "efs-sc" in said
    said = shell("helm upgrade promsnmp deploy/helm/promsnmp -n promsnmp")
    assert "WARNING: the cluster has no storage class" not in said, "the claim is there"
