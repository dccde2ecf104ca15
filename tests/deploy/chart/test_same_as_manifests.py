"""The chart with its default values renders the same objects as deploy/kubernetes."""

from __future__ import annotations

import json
from typing import Any

from tests.support.deploy.kube import (
    EXAMPLES,
    OPERATOR,
    Object,
    documents,
    manifests,
    name_of,
    pick,
    render,
    with_operator,
)

GIVEN_BY_HELM = {"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version"}


def test_by_default_the_chart_renders_the_manifests() -> None:
    """Except the Namespace, which Helm makes (--create-namespace), and the Ingress, which needs your host."""
    ours = {name_of(item): item for item in with_operator() if item["kind"] not in ("Namespace", "Ingress")}
    charts = {name_of(item): item for item in render(*OPERATOR, "--set", "scrapeAnnotations=true")}
    assert sorted(charts) == sorted(ours)
    for name, item in ours.items():
        assert normal(charts[name]) == normal(item), name


def test_the_backup_is_that_of_the_examples() -> None:
    ours = {name_of(item): item for item in documents((EXAMPLES / "backup.yaml").read_text())}
    rendered = {name_of(item): item for item in render("--set", "backup.enabled=true")}
    assert {name: normal(rendered[name]) for name in ours} == {name: normal(item) for name, item in ours.items()}


def test_the_enabled_ingress_is_that_of_the_manifests() -> None:
    rendered = render("--set", "ingress.enabled=true")
    ours = pick(manifests(), "Ingress")
    assert normal(pick(rendered, "Ingress")) == normal(ours)
    name = ours["spec"]["rules"][0]["host"]
    assert pick(rendered, "ConfigMap", "promsnmp-config")["data"]["API_ALLOWED_HOSTS"] == name


def normal(item: Object) -> Object:
    """An object without what only Helm adds, and with the names of secrets instead of their values."""
    copy: Object = json.loads(json.dumps(item))
    for labels in _all(copy, "labels"):
        for key in GIVEN_BY_HELM & set(labels):
            del labels[key]
    for notes in _all(copy, "annotations"):
        for key in [key for key in notes if key.startswith(("checksum/", "helm.sh/resource-policy"))]:
            del notes[key]
    if copy["metadata"].get("annotations") == {}:
        del copy["metadata"]["annotations"]
    if copy["kind"] == "Secret":
        copy["stringData"] = sorted(copy["stringData"])
    if copy["kind"] == "Deployment":
        assert copy["spec"]["replicas"] == 3  # the autoscaler's minimum
    return copy


def _all(value: Any, key: str) -> list[dict[str, str]]:
    """Every mapping under ``key``, at any depth."""
    if isinstance(value, list):
        return [found for one in value for found in _all(one, key)]
    if not isinstance(value, dict):
        return []
    inner = [found for one in value.values() for found in _all(one, key)]
    return inner + ([value[key]] if isinstance(value.get(key), dict) else [])
