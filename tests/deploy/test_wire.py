"""Kubernetes's protobuf, as the real kubectl writes it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy.fake_kubernetes import FakeKubernetes
from tests.support.deploy.shell import Shell
from tests.support.deploy.wire import KINDS, MAGIC, is_protobuf, object_of
from tests.support.tools import PROJECT

PAGES = [*PROJECT.glob("docs/**/*.md"), PROJECT / "README.md", *PROJECT.glob("deploy/**/*.txt")]
CREATED = {"secret": "Secret", "configmap": "ConfigMap", "namespace": "Namespace", "serviceaccount": "ServiceAccount"}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with FakeKubernetes() as cluster:
        yield Shell(tmp_path, cluster, {})


def test_every_kind_that_the_pages_create_is_supported() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    created = set(re.findall(r"^ *kubectl (?:-n \S+ |--namespace \S+ )?create (?!-f)(\S+)", text, re.MULTILINE))
    assert created >= {"secret", "configmap"}
    assert created <= CREATED.keys()
    assert {("v1", CREATED[kind]) for kind in created | {"namespace"}} <= KINDS.keys()  # Helm's --create-namespace


def test_what_kubectl_creates_is_kept_whole(shell: Shell) -> None:
    (shell.folder / "odd").write_bytes(b"\xff\x00")
    shell("kubectl create namespace here")
    shell("kubectl -n here create serviceaccount somebody")
    shell("kubectl -n here create secret generic keys --from-literal=key='ü=1' --from-file=odd")
    shell("kubectl -n here create configmap files --from-literal=empty= --from-literal=text='ü=1' --from-file=odd")
    assert shell.cluster.get("Namespace", "here", "")["metadata"]["name"] == "here"
    assert shell.cluster.get("ServiceAccount", "somebody", "here")
    odd, text = base64.b64encode(b"\xff\x00").decode(), base64.b64encode("ü=1".encode()).decode()
    assert shell.cluster.get("Secret", "keys", "here")["data"] == {"key": text, "odd": odd}
    files = shell.cluster.get("ConfigMap", "files", "here")
    assert files["data"] == {"empty": "", "text": "ü=1"}
    assert files["binaryData"] == {"odd": odd}


def test_a_kind_or_a_field_that_is_not_supported_is_an_error() -> None:
    pod = MAGIC + b"\x0a\x09" + b"\x0a\x02v1\x12\x03Pod" + b"\x12\x00"
    assert is_protobuf(pod)
    with pytest.raises(ValueError, match="Pod in v1"):
        object_of(pod)
    account = MAGIC + b"\x0a\x14" + b"\x0a\x02v1\x12\x0eServiceAccount" + b"\x12\x03" + b"\x12\x01x"
    with pytest.raises(ValueError, match="field 2"):
        object_of(account)
