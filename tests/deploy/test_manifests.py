"""deploy/kubernetes: valid for every release, admitted by a cluster, and consistent between files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from promsnmp.settings import Settings
from tests.support.deploy import crds
from tests.support.deploy.kube import (
    CUSTOM,
    EXAMPLES,
    LEASE,
    MANIFESTS,
    SINGLE,
    Object,
    documents,
    manifests,
    name_of,
    pick,
    pods,
    problems,
    versions,
    with_operator,
)
from tests.support.deploy.restricted import hardening, violations
from tests.support.tools import PROJECT

EVERY = [*with_operator(), *manifests(EXAMPLES), *manifests(SINGLE), *manifests(LEASE)]
NAMED = [
    "namespace",
    "configmap",
    "secret",
    "pvc",
    "redis",
    "rbac",
    "deployment",
    "service",
    "pdb",
    "hpa",
    "networkpolicy",
    "ingress",
]


@pytest.mark.parametrize("version", versions())
def test_manifests_and_examples_fit_the_strict_schemas_of_every_release(version: str) -> None:
    assert list(problems(EVERY, version)) == []


def test_the_releases_range_from_1_29_to_a_recent_one() -> None:
    assert versions()[0] == "1.29"
    assert len(versions()) >= 7


def test_a_wrong_manifest_is_found() -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"prots": []}}
    unknown = {"apiVersion": "v9", "kind": "Thing", "metadata": {"name": "x"}}
    assert len(list(problems([wrong, unknown], versions()[-1]))) == 2


@pytest.mark.parametrize("item", [item for item in EVERY if item["apiVersion"].startswith(CUSTOM)], ids=name_of)
def test_custom_resources_fit_their_definitions(item: Object) -> None:
    assert list(crds.problems(item)) == []


def test_a_wrong_custom_resource_is_found() -> None:
    monitor = {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "x"}}
    spec: dict[str, Any] = {"selector": {}, "endpoints": [{"port": "http", "intervall": "30s"}]}
    assert list(crds.problems({**monitor, "spec": spec})) == [".spec.endpoints[0].intervall is not known"]
    spec = {"selector": {}, "endpoints": [{"interval": "often"}]}
    assert len(list(crds.problems({**monitor, "spec": spec}))) == 1


@pytest.mark.parametrize("pod", list(pods(EVERY)), ids=lambda pod: pod[0])
def test_every_pod_is_admitted_by_the_restricted_level(pod: tuple[str, Object]) -> None:
    assert list(violations(pod[1])) == []


@pytest.mark.parametrize("pod", list(pods(manifests())), ids=lambda pod: pod[0])
def test_every_pod_has_a_read_only_root_limits_and_no_token(pod: tuple[str, Object]) -> None:
    assert list(hardening(pod[1])) == []


def test_unrestricted_pods_are_found() -> None:
    bare: Object = {"metadata": {}, "spec": {"containers": [{"name": "x"}]}}
    assert len(list(violations(bare))) == 4
    wide: Object = {
        "metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/x": "unconfined"}},
        "spec": {
            "hostNetwork": True,
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 0, "seccompProfile": {"type": "Unconfined"}},
            "containers": [
                {"name": "x", "securityContext": {"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}}}
            ],
        },
    }
    assert len(list(violations(wide))) == 9
    assert len(list(hardening(bare))) == 4


def test_each_object_has_a_file() -> None:
    files = {file.stem for file in MANIFESTS.glob("*.yaml") if not file.is_symlink()}
    assert files == set(NAMED)


def test_the_namespace_is_applied_first() -> None:
    first = min(MANIFESTS.glob("*.yaml"))
    assert documents(first.read_text())[0] == pick(manifests(), "Namespace")
    assert not list(MANIFESTS.glob("[Kk]ustomization.y*ml")), "kubectl apply -f would take it for an object"


def test_the_kustomization_lists_every_file() -> None:
    kustomization = yaml.safe_load((MANIFESTS / "Kustomization").read_text())
    assert kustomization["resources"] == [f"{name}.yaml" for name in NAMED]


def test_everything_is_in_the_namespace_promsnmp() -> None:
    cluster_wide = {"Namespace", "StorageClass"}
    spaces = {item["metadata"].get("namespace") for item in EVERY if item["kind"] not in cluster_wide}
    assert spaces == {"promsnmp"}


def test_the_configuration_is_that_of_the_original() -> None:
    assert pick(manifests(), "ConfigMap")["data"] == {
        "PROM_INV_FILE": "/app/data/promsnmp-inventory.json",
        "PROM_SITE_ID": "k8s-site-001",
        "PROM_SITE_LABEL": "Kubernetes Cluster",
        "PROM_TENANT_ID": "default",
        "DISCOVERY_CRON": "0 0 2 * * *",
        "DISCOVERY_TZ": "America/New_York",
        "COLLECTION_INTERVAL": "30000",
        "CACHE_EXP_MILLIS": "300000",
        "CACHE_ENTRY_CNT": "10000",
        "REDIS_HOST": "redis",
        "REDIS_PORT": "6379",
    }
    secret = pick(manifests(), "Secret")["stringData"]
    assert secret["PROM_ENCRYPT_KEY"] == "", "the first pod generates it"
    assert set(secret) == {"PROM_ENCRYPT_KEY", "REDIS_PASSWORD", "API_TOKEN"}


def test_every_variable_of_a_pod_is_a_setting() -> None:
    """In manifests and examples; PromSNMP would silently ignore a wrong name."""
    data = [item.get("data") or item["stringData"] for item in EVERY if item["kind"] in ("ConfigMap", "Secret")]
    given = {name for one in data for name in one}
    for _, pod in pods(EVERY):
        container = pod["spec"]["containers"][0]
        if container["name"] == "promsnmp":
            given |= {entry["name"] for entry in container.get("env", [])}
    assert given - {name.upper() for name in Settings.model_fields} == set()


def test_services_select_the_pods_and_the_service_monitor_one_service() -> None:
    items = with_operator()
    labels = pick(items, "Deployment")["spec"]["template"]["metadata"]["labels"]
    redis = pick(items, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
    services = [item for item in items if item["kind"] == "Service"]
    for service in services:
        chosen = service["spec"]["selector"]
        assert _matches(chosen, redis) == (service["metadata"]["name"] == "redis")
        assert _matches(chosen, labels) == (service["metadata"]["name"] != "redis")
    wanted = pick(items, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    found = [item["metadata"]["name"] for item in services if _matches(wanted, item["metadata"]["labels"])]
    assert found == ["promsnmp"], "each replica would be scraped more than once"


def _matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def test_controllers_select_only_their_own_pods() -> None:
    owners = [item for item in EVERY if item["kind"] in ("Deployment", "StatefulSet")]
    for owner in owners:
        selector = owner["spec"]["selector"]["matchLabels"]
        for other in owners:
            if owner["metadata"]["name"] == other["metadata"]["name"]:
                continue  # an example that replaces the same Deployment
            taken = _matches(selector, other["spec"]["template"]["metadata"]["labels"])
            assert not taken, f"{name_of(owner)} chooses pods of {name_of(other)}"


def test_the_network_policy_allows_what_the_service_needs() -> None:
    policy = pick(manifests(), "NetworkPolicy", "promsnmp-network-policy")["spec"]
    out = {(port["protocol"], port["port"]) for rule in policy["egress"] for port in rule["ports"]}
    assert out == {("UDP", 53), ("TCP", 53), ("TCP", 6379), ("TCP", 8080), ("UDP", 161), ("UDP", 162)}
    assert all(rule["ports"] == [{"port": 8080, "protocol": "TCP"}] for rule in policy["ingress"])
    spaces = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in policy["ingress"]
        for peer in rule["from"]
        if "namespaceSelector" in peer
    ]
    assert spaces == ["monitoring", "ingress-nginx"]


def test_only_pods_of_promsnmp_may_connect_to_redis() -> None:
    items = manifests()
    policy = pick(items, "NetworkPolicy", "redis-network-policy")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels_of(pick(items, "StatefulSet", "redis")).items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    [rule] = policy["ingress"]
    assert rule["ports"] == [{"port": 6379, "protocol": "TCP"}]
    [peer] = rule["from"]
    assert set(peer) == {"podSelector"}  # in this namespace only
    allowed = peer["podSelector"]["matchLabels"].items()
    assert allowed <= labels_of(pick(items, "Deployment")).items()
    assert not allowed <= labels_of(pick(items, "StatefulSet", "redis")).items()
    assert policy["egress"] == []


def labels_of(workload: Object) -> dict[str, str]:
    """The labels of a workload's pods."""
    return dict(workload["spec"]["template"]["metadata"]["labels"])


def test_only_the_lease_variant_may_connect_to_the_api_server() -> None:
    lease = manifests(LEASE)
    policy = pick(lease, "NetworkPolicy")["spec"]
    out = {(port["protocol"], port["port"]) for rule in policy["egress"] for port in rule["ports"]}
    assert {("TCP", 443), ("TCP", 6443)} <= out
    assert ("TCP", 6379) not in out
    assert pick(lease, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_replicas_may_reach_each_other() -> None:
    """Both ways: the policy of the original's document lets them be reached, but not connect."""
    for items in (manifests(), manifests(LEASE)):
        policy = pick(items, "NetworkPolicy", "promsnmp-network-policy")["spec"]
        labels = labels_of(pick(items, "Deployment"))
        for rules, peers in (("ingress", "from"), ("egress", "to")):
            ports = [
                rule["ports"]
                for rule in policy[rules]
                for peer in rule[peers]
                if set(peer) == {"podSelector"} and _matches(peer["podSelector"]["matchLabels"], labels)
            ]
            assert [{"port": 8080, "protocol": "TCP"}] in ports, rules


def test_the_list_of_single_files_in_the_page_is_complete() -> None:
    page = (PROJECT / "docs" / "how-to" / "kubernetes.md").read_text()
    (command,) = re.findall(r"^kubectl apply -f namespace\.yaml -f configmap.*\n.*$", page, re.MULTILINE)
    listed = re.findall(r"-f ([a-z]+)\.yaml", command)
    assert listed == NAMED


def test_the_metrics_to_scale_by_exist() -> None:
    page = (PROJECT / "docs" / "reference" / "metrics.md").read_text()
    scaler = pick(documents((EXAMPLES / "hpa-by-work.yaml").read_text()), "HorizontalPodAutoscaler")
    names = [metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"]]
    assert len(names) == 2
    assert [name for name in names if f"`{name.removesuffix('_p90')}`" not in page] == []


def test_the_drain_ends_before_the_pod_is_killed() -> None:
    spec = pick(manifests(), "Deployment")["spec"]["template"]["spec"]
    drain = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert drain + 30 < spec["terminationGracePeriodSeconds"]  # SHUTDOWN_TIMEOUT is 30 s


WITH_DEPLOYMENT = [*sorted(EXAMPLES.glob("*.yaml")), SINGLE / "promsnmp.yaml", LEASE / "promsnmp.yaml"]


@pytest.mark.parametrize("file", WITH_DEPLOYMENT, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_deployment_of_an_example_differs_from_ours_where_it_says(file: Path) -> None:
    ours = pick(manifests(), "Deployment")["spec"]["template"]["spec"]
    for item in documents(file.read_text()):
        if item["kind"] != "Deployment":
            continue
        theirs = item["spec"]["template"]["spec"]
        different = {key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}
        example = file.parent.name if file.stem == "promsnmp" else file.stem
        assert different <= DIFFERENT[example], name_of(item)
        container = {key for key, value in theirs["containers"][0].items() if ours["containers"][0].get(key) != value}
        assert container <= DIFFERENT_IN_CONTAINER[example], name_of(item)


DIFFERENT = {
    "lease": {"automountServiceAccountToken"},
    "blue-green": {"containers", "affinity"},
    "istio-canary": {"containers", "affinity"},
    "single": {"affinity"},
}
DIFFERENT_IN_CONTAINER = {
    "lease": set(),
    "blue-green": {"image"},
    "istio-canary": {"image"},
    "single": set(),
}
