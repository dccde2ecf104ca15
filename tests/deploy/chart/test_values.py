"""The values of the chart: wrong ones are refused, every other one has its effect."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.deploy import crds
from tests.support.deploy.kube import (
    CHART,
    OPERATOR,
    SINGLE_VALUES,
    VALUES,
    Object,
    helm,
    pick,
    pods,
    problems,
    render,
    render_values,
    versions,
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replicas=3"], "Additional property replicas is not allowed"),
        (["secrets.encryptKey=fifteen-bytes-x"], "secrets.encryptKey"),
        (["election.backend=etcd"], "election.backend"),
        (["redis.architecture=cluster"], "redis.architecture"),
        (["serviceMonitor.enabled=maybe"], "serviceMonitor.enabled"),
        (["persistence.accessMode=ReadWriteOnce"], "ReadWriteOnce is for one replica"),
        (["persistence.accessMode=ReadWriteOncePod", "persistence.singleNode=true"], "is for one replica"),
        (["image.digest=latest"], "image.digest"),
        (["httpRoute.enabled=true"], "httpRoute.parentRefs"),
        (["autoscaling.targetCPUUtilization=0", "autoscaling.targetMemoryUtilization=0"], "something to scale by"),
        (["persistence.enabled=false"], "gives every replica an inventory of its own"),
        (["election.backend=none"], "is for one replica"),
        (["redis.enabled=false"], "say where Redis is"),
    ],
    ids=lambda value: value[0].partition("=")[0] if isinstance(value, list) else "",
)
def test_invalid_values_are_refused_with_a_hint(words: list[str], said: str) -> None:
    done = helm("template", "promsnmp", CHART, *(word for item in words for word in ("--set", item)))
    assert done.returncode != 0
    assert said in done.stderr


def test_a_refused_secret_is_not_shown() -> None:
    assert "my-passphrase" not in helm("template", CHART, "--set", "secrets.encryptKey=my-passphrase").stderr


def test_every_value_is_in_the_schema_and_the_schema_has_no_others() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    _compare(values, schema, "")


def _compare(values: Object, schema: Object, path: str) -> None:
    if not schema.get("properties"):
        return
    optional = {"global", "timeoutSeconds", "successThreshold", "claims"}
    assert set(schema["properties"]) - optional == set(values), path
    for key, value in values.items():
        if isinstance(value, dict):
            _compare(value, schema["properties"][key], f"{path}.{key}")


def test_every_value_has_its_effect() -> None:
    items = render_values(VALUES / "everything.yaml")
    config = pick(items, "ConfigMap", "poller-config")["data"]
    assert config["PROM_SITE_ID"] == "007"
    assert (config["LOG_FORMAT"], config["COLLECTION_CONCURRENCY"]) == ("json", "400")
    assert (config["SNMP_ALLOW_ADHOC_TARGETS"], config["PROM_SITE_LAT"]) == ("false", "48.5")
    deployment = pick(items, "Deployment", "poller")
    spec = deployment["spec"]["template"]["spec"]
    container = spec["containers"][0]
    assert deployment["spec"]["replicas"] == 4
    assert container["image"] == "registry.example.com/promsnmp:1.2.3"
    assert {"name": "SNMP_CONFIG_FILES", "value": "/etc/promsnmp/snmp/*/*.yml"} in container["env"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    assert spec["priorityClassName"] == "high"
    assert set(spec["affinity"]) == {"nodeAffinity"}
    assert pick(items, "ConfigMap", "promsnmp-more")["data"] == pick(items, "ConfigMap", "poller-text")["data"]
    assert container["args"] == ["serve", "--log.level=debug"]
    assert spec["containers"][1]["image"] == "registry.example.com/promsnmp:beside"
    assert spec["initContainers"][0]["name"] == "before"
    assert deployment["metadata"]["annotations"] == {"reloader.stakater.com/auto": "true"}
    assert pick(items, "CronJob")["metadata"]["name"] == "poller-backup"
    endpoint = pick(items, "ServiceMonitor")["spec"]["endpoints"][0]
    assert (endpoint["scrapeTimeout"], endpoint["relabelings"][0]["targetLabel"]) == ("10s", "cluster")
    assert pick(items, "ScrapeConfig")["spec"]["relabelings"][-1]["targetLabel"] == "cluster"
    assert pick(items, "ScrapeConfig")["spec"]["httpSDConfigs"][0]["url"] == "http://poller.promsnmp.svc:80/targets"


def test_traps_come_in_with_the_addresses_of_their_senders() -> None:
    assert not [item for item in render() if item["metadata"]["name"].endswith("-traps")]
    items = render_values(VALUES / "everything.yaml")
    service = pick(items, "Service", "poller-traps")["spec"]
    assert (service["type"], service["externalTrafficPolicy"]) == ("NodePort", "Local")
    assert service["ports"] == [{"name": "traps", "port": 162, "targetPort": "traps", "protocol": "UDP"}]
    ports = pick(items, "Deployment")["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert {"name": "traps", "containerPort": 1162, "protocol": "UDP"} in ports
    assert pick(items, "ConfigMap", "poller-config")["data"]["TRAP_PORT"] == "1162"
    allowed = {"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 1162, "protocol": "UDP"}]}
    assert allowed in pick(items, "NetworkPolicy", "poller-network-policy")["spec"]["ingress"]


def test_alerts_follow_the_names_of_the_release() -> None:
    items = render("--values", VALUES / "everything.yaml", namespace="network")
    rules = [rule for group in pick(items, "PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    text = json.dumps(rules)
    assert 'namespace=\\"promsnmp\\"' not in text
    assert 'deployment=\\"poller\\"' in text
    assert 'pod=~\\"poller-.*\\"' in text
    assert {rule["annotations"]["runbook_url"].partition("#")[0] for rule in rules} == {
        "https://wiki.example.com/promsnmp"
    }


def test_objects_of_prometheus_operator_need_its_api_or_a_setting() -> None:
    kinds = {"ServiceMonitor", "ScrapeConfig", "PrometheusRule"}
    assert not {item["kind"] for item in render()} & kinds
    assert {item["kind"] for item in render(*OPERATOR)} >= kinds
    assert {item["kind"] for item in render("--set", "serviceMonitor.enabled=true")} >= {"ServiceMonitor"}
    refused = render(*OPERATOR, "--set", "serviceMonitor.enabled=false,prometheusRule.enabled=false")
    assert not {item["kind"] for item in refused} & kinds


def test_a_web_configuration_is_mounted_and_used_over_tls() -> None:
    settings = "webConfig.existingSecret=web,webConfig.tls=true,webConfig.prometheusTlsConfig.insecureSkipVerify=true"
    items = render(*OPERATOR, "--set", settings)
    container = pick(items, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "WEB_CONFIG_FILE", "value": "/etc/promsnmp/web/web.yml"} in container["env"]
    probes = [container[f"{kind}Probe"]["httpGet"]["scheme"] for kind in ("startup", "readiness", "liveness")]
    assert probes == ["HTTPS"] * 3
    devices = pick(items, "ScrapeConfig")
    assert devices["spec"]["httpSDConfigs"][0]["url"].startswith("https://")
    assert [problem for item in (devices, pick(items, "ServiceMonitor")) for problem in crds.problems(item)] == []
    assert list(problems(items, versions()[-1])) == []


def test_the_lease_needs_a_token_and_no_redis() -> None:
    items = render_values(VALUES / "lease.yaml")
    assert not [item for item in items if item["metadata"]["name"].startswith("redis")]
    assert pick(items, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True
    config = pick(items, "ConfigMap")["data"]
    assert (config["ELECTION_BACKEND"], config["CLUSTER_SERVICE"]) == ("kubernetes", "promsnmp-members")
    out = pick(items, "NetworkPolicy")["spec"]["egress"][-1]
    assert out == {"to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}], "ports": [{"port": 6443, "protocol": "TCP"}]}


def test_an_ingress_has_several_hosts_with_their_paths() -> None:
    items = render_values(VALUES / "everything.yaml")
    rules = pick(items, "Ingress")["spec"]["rules"]
    paths = {rule["host"]: [(one["path"], one["pathType"]) for one in rule["http"]["paths"]] for rule in rules}
    assert paths == {
        "snmp.example.com": [("/", "Prefix")],
        "other.example.com": [("/snmp", "Exact"), ("/targets", "Prefix")],
    }
    hosts = pick(items, "ConfigMap", "poller-config")["data"]["API_ALLOWED_HOSTS"]
    assert hosts == "snmp.example.com,other.example.com"


def test_a_route_of_the_gateway_api_leads_to_the_service() -> None:
    """gateway.networking.k8s.io/v1, HTTPRoute (gateway-api.sigs.k8s.io/reference/spec)."""
    settings = "httpRoute.enabled=true,httpRoute.parentRefs[0].name=external,httpRoute.hostnames[0]=snmp.example.com"
    items = render("--set", settings)
    spec = pick(items, "HTTPRoute")["spec"]
    assert spec["parentRefs"] == [{"name": "external"}]
    assert spec["hostnames"] == ["snmp.example.com"]
    match = {"path": {"type": "PathPrefix", "value": "/"}}
    assert spec["rules"] == [{"backendRefs": [{"name": "promsnmp", "port": 8080}], "matches": [match]}]
    assert pick(items, "ConfigMap")["data"]["API_ALLOWED_HOSTS"] == "snmp.example.com"


def test_all_objects_are_in_the_namespace_that_is_set() -> None:
    items = render("--set", "namespaceOverride=network,backup.enabled=true", *OPERATOR)
    assert {item["metadata"]["namespace"] for item in items} == {"network"}
    assert "promsnmp.network.svc" in pick(items, "ScrapeConfig")["spec"]["httpSDConfigs"][0]["url"]


def test_a_pod_is_scraped_by_its_annotations_or_by_the_service_monitor() -> None:
    def annotated(*words: str) -> bool:
        made = pick(render(*words), "Deployment")["spec"]["template"]["metadata"]["annotations"]
        return "prometheus.io/scrape" in made

    assert annotated()
    assert not annotated(*OPERATOR)
    assert annotated(*OPERATOR, "--set", "serviceMonitor.enabled=false")
    assert annotated(*OPERATOR, "--set", "scrapeAnnotations=true")
    assert not annotated("--set", "scrapeAnnotations=false")


def test_digests_win_over_tags_and_redis_can_be_chosen() -> None:
    digest = f"sha256:{'0' * 64}"
    redis = "redis.image.repository=docker.io/library/redis,redis.image.tag=7-alpine"
    items = render("--set", f"image.digest={digest},{redis}")
    images = [pod["spec"]["containers"][0]["image"] for _, pod in pods(items)]
    assert images == [f"promsnmp@{digest}", "docker.io/library/redis:7-alpine"]


def test_replicas_on_a_volume_of_one_node_run_on_that_node() -> None:
    settings = "persistence.accessMode=ReadWriteOnce,persistence.singleNode=true,persistence.storageClass="
    items = render("--set", settings)
    spec = pick(items, "Deployment")["spec"]
    assert spec["strategy"]["type"] == "RollingUpdate"
    assert list(spec["template"]["spec"]["affinity"]) == ["podAffinity"]
    assert "storageClassName" not in pick(items, "PersistentVolumeClaim", "promsnmp-inventory")["spec"]
    assert not [item for item in items if item["kind"] == "PodDisruptionBudget"], "it would keep the node from a drain"


def test_a_vertical_autoscaler_may_set_the_resources() -> None:
    container = pick(render("--set", "resources.requests=null,resources.limits=null"), "Deployment")
    assert "resources" not in container["spec"]["template"]["spec"]["containers"][0]


def test_one_replica_on_its_own_volume_is_recreated() -> None:
    items = render_values(SINGLE_VALUES)
    assert pick(items, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert not [item for item in items if item["kind"] in ("HorizontalPodAutoscaler", "PodDisruptionBudget")]


def test_an_external_redis_is_reachable_and_your_own_secret_is_used() -> None:
    items = render_values(VALUES / "external.yaml")
    assert not [item for item in items if item["kind"] in ("Secret", "PersistentVolumeClaim", "StatefulSet")]
    assert pick(items, "ConfigMap")["data"]["REDIS_URL"] == "rediss://redis.example.com:6380/1"
    ports = {port["port"] for rule in pick(items, "NetworkPolicy")["spec"]["egress"] for port in rule["ports"]}
    assert {6380, 161, 1161} <= ports
    spec = pick(items, "Deployment")["spec"]["template"]["spec"]
    assert {"secretRef": {"name": "my-secret"}} in spec["containers"][0]["envFrom"]
