"""Helm 4 renders what Helm 3 renders, and installs, upgrades and uninstalls it by server-side apply, its default.

It is Helm's SDK of version 4 in a process of its own (``scripts/programs/helm4.py``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.programs import helm4
from scripts.programs.fetched import Unavailable
from tests.support.deploy.fake_kubernetes import FakeKubernetes
from tests.support.deploy.kube import CHART, VALUE_FILES, documents, template
from tests.support.tools import unavailable

pytestmark = pytest.mark.timeout(300)
SECRETS = {"encryptKey": "0123456789abcdef", "redisPassword": "given"}
"""Without them, each rendering generates others."""
RENDER = """\
import json, sys, helm_python as helm
chart, cases = sys.argv[1], json.load(sys.stdin)
assert helm.lint(chart)["errors"] == []
with helm.Chart.load(chart) as loaded:
    print(json.dumps([loaded.render(values, name="promsnmp", namespace="promsnmp") for values in cases]))
"""
INSTALL = """\
import json, sys, helm_python as helm
chart, options = sys.argv[1], json.load(sys.stdin)
with helm.Config(kubeconfig_content=options["kubeconfig"], namespace="promsnmp") as config:
    once = {"namespace": "promsnmp", "wait": "hookOnly"}
    first = config.install(chart, "promsnmp", {}, create_namespace=True, **once)
    second = config.upgrade(chart, "promsnmp", {"config": {"siteId": "site-2"}}, **once)
    print(json.dumps([first["status"], second["status"], config.uninstall("promsnmp")["info"]]))
"""


def helm(code: str, given: Any) -> Any:
    try:
        folder = helm4.find()
    except Unavailable as reason:
        unavailable(str(reason))
    command = [sys.executable, "-c", code, str(CHART)]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    text = json.dumps(given)
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=env, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def values_of(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(file.read_text()) or {}
    values["secrets"] = {**SECRETS, **values.get("secrets", {})}
    return values


def test_it_renders_the_same_objects_as_helm_3() -> None:
    cases = [{"secrets": SECRETS}, *map(values_of, VALUE_FILES)]
    given = ",".join(f"secrets.{name}={value}" for name, value in SECRETS.items())
    files: list[Path | None] = [None, *VALUE_FILES]
    for file, values, made in zip(files, cases, helm(RENDER, cases), strict=True):
        secrets = ",".join(f"secrets.{name}={value}" for name, value in values["secrets"].items()) if file else given
        words = ("--values", file, "--set", secrets) if file else ("--set", secrets)
        ours = documents(template(*words))
        wanted = {(item["kind"], item["metadata"]["name"]): item for item in ours}
        texts = [text for name, text in made.items() if "/templates/tests/" not in name and name.endswith(".yaml")]
        found = {(item["kind"], item["metadata"]["name"]): item for text in texts for item in documents(text)}
        assert found == wanted, file


def test_it_installs_upgrades_and_uninstalls() -> None:
    with FakeKubernetes(without=("monitoring.coreos.com",)) as cluster:
        here = {"name": "here", "cluster": {"server": cluster.url}}
        context = {"name": "here", "context": {"cluster": "here", "user": ""}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [here], "contexts": [context]}
        given = {"kubeconfig": json.dumps({**config, "current-context": "here"})}
        first, second, kept = helm(INSTALL, given)
        assert (first, second) == ("deployed", "deployed")
        assert "promsnmp-inventory" in kept
        assert "promsnmp-secrets" in kept
        assert {name.partition("/")[0] for name in cluster.names()} == {"Namespace", "Secret", "PersistentVolumeClaim"}
