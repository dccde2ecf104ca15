"""What the chart renders: linted by Helm, valid for every release of Kubernetes, admitted as a restricted pod."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.deploy import crds
from tests.support.deploy.kube import (
    CHART,
    CUSTOM,
    VALUE_FILES,
    documents,
    helm,
    name_of,
    pick,
    pods,
    problems,
    render,
    render_values,
    versions,
)
from tests.support.deploy.restricted import hardening, violations

KEYS = ("--set", "secrets.encryptKey=0123456789abcdef,secrets.redisPassword=given")


@pytest.mark.parametrize("values", [None, *VALUE_FILES], ids=lambda path: path.stem if path else "default")
def test_helm_lint_accepts_the_chart(values: Path | None) -> None:
    done = helm("lint", "--strict", CHART, *(("--values", values) if values else ()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.parametrize("version", versions())
def test_the_rendered_objects_are_valid_for_every_release(version: str) -> None:
    items = [item for values in VALUE_FILES for item in render_values(values)]
    assert list(problems([*items, *render()], version)) == []


def test_the_rendered_objects_are_the_same_for_every_release() -> None:
    """Therefore it is enough to render it once for all of them."""
    texts = [file.read_text() for file in (CHART / "templates").rglob("*") if file.is_file()]
    assert not [text for text in texts if "KubeVersion" in text]
    oldest, newest = (
        helm("template", CHART, *KEYS, "--kube-version", version).stdout for version in (versions()[0], versions()[-1])
    )
    assert oldest == newest != ""
    refused = helm("template", CHART, "--kube-version", "1.28.0")
    assert "incompatible with Kubernetes v1.28.0" in refused.stderr


@pytest.mark.parametrize("values", VALUE_FILES, ids=lambda path: path.stem)
def test_custom_resources_are_valid_and_pods_are_restricted(values: Path) -> None:
    items = render_values(values)
    for item in items:
        if item["apiVersion"].startswith(CUSTOM):
            assert list(crds.problems(item)) == [], name_of(item)
    for name, pod in pods(items):
        assert list(violations(pod)) == [], name
        if "lease" not in values.stem:
            assert list(hardening(pod)) == [], name


def test_the_test_pod_is_admitted_and_may_connect() -> None:
    items = documents(helm("template", "promsnmp", CHART, "--namespace", "promsnmp").stdout)
    tests = [item for item in items if "helm.sh/hook" in item["metadata"].get("annotations", {})]
    assert [name_of(item) for item in tests] == ["NetworkPolicy/promsnmp-test", "Pod/promsnmp-test"]
    assert [list(problems(tests, version)) for version in versions()] == [[] for _ in versions()]
    assert [list(violations(pod)) + list(hardening(pod)) for _, pod in pods(tests)] == [[]]
    policy, pod = tests
    assert (
        policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"].items()
        <= pod["metadata"]["labels"].items()
    )
    assert not pick(items, "Service", "promsnmp")["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
