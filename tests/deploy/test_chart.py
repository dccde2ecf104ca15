"""deploy/helm/promsnmp, rendered by Helm: linted, fit for every release, and the same as the manifests by default."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from promsnmp.modules.catalogue import load_catalogue
from tests.support.deploy import crds
from tests.support.deploy.kube import (
    CHART,
    CUSTOM,
    OPERATOR,
    VALUES,
    Object,
    documents,
    helm,
    manifests,
    name_of,
    pick,
    pods,
    problems,
    render,
    template,
    versions,
)
from tests.support.deploy.restricted import hardening, violations
from tests.support.tools import require_shared

FILES = sorted(VALUES.glob("*.yaml"))
KEYS = ("--set", "secrets.encryptKey=0123456789abcdef,secrets.redisPassword=given")
GIVEN_BY_HELM = {"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version"}


def rendered(values: Path, *words: str) -> list[Object]:
    return render("--values", values, *OPERATOR, *words)


@pytest.mark.parametrize("values", [None, *FILES], ids=lambda path: path.stem if path else "default")
def test_helm_finds_nothing_to_say_about_the_chart(values: Path | None) -> None:
    done = helm("lint", "--strict", CHART, *(("--values", values) if values else ()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.parametrize("version", versions())
def test_whatever_is_rendered_fits_the_strict_schemas_of_every_release(version: str) -> None:
    items = [item for values in FILES for item in rendered(values)]
    assert list(problems([*items, *render()], version)) == []


def test_what_is_rendered_is_the_same_for_every_release() -> None:
    """So that it is enough to render it once for all of them."""
    texts = [file.read_text() for file in (CHART / "templates").rglob("*") if file.is_file()]
    assert not [text for text in texts if "KubeVersion" in text]
    oldest, newest = (
        helm("template", CHART, *KEYS, "--kube-version", version).stdout for version in (versions()[0], versions()[-1])
    )
    assert oldest == newest != ""
    refused = helm("template", CHART, "--kube-version", "1.28.0")
    assert "incompatible with Kubernetes v1.28.0" in refused.stderr


@pytest.mark.parametrize("values", FILES, ids=lambda path: path.stem)
def test_custom_resources_and_pods_are_as_they_have_to_be(values: Path) -> None:
    items = rendered(values)
    for item in items:
        if item["apiVersion"].startswith(CUSTOM):
            assert list(crds.problems(item)) == [], name_of(item)
    for name, pod in pods(items):
        assert list(violations(pod)) == [], name
        if values.stem != "lease":
            assert list(hardening(pod)) == [], name


def test_the_test_pod_is_admitted_and_let_through_the_network() -> None:
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


# ------------------------------------------------------------------------------------------- the same as the manifests


def test_by_default_the_chart_says_what_the_manifests_say() -> None:
    """But for the Namespace, which Helm makes (--create-namespace), and the Ingress, which needs a host of yours."""
    ours = {name_of(item): item for item in manifests() if item["kind"] not in ("Namespace", "Ingress")}
    charts = {name_of(item): item for item in render(*OPERATOR)}
    assert sorted(charts) == sorted(ours)
    for name, item in ours.items():
        assert normal(charts[name]) == normal(item), name


def test_the_ingress_is_that_of_the_manifests_when_it_is_wanted() -> None:
    ingress = pick(render("--set", "ingress.enabled=true"), "Ingress")
    assert normal(ingress) == normal(pick(manifests(), "Ingress"))


def normal(item: Object) -> Object:
    """An object without what only Helm gives, secrets replaced by their names."""
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
        assert copy["spec"].pop("replicas", 3) == 3  # the chart leaves it to the autoscaler, whose minimum is 3
    return copy


def _all(value: Any, key: str) -> list[dict[str, str]]:
    """Every mapping that stands under ``key``, however deep."""
    if isinstance(value, list):
        return [found for one in value for found in _all(one, key)]
    if not isinstance(value, dict):
        return []
    inner = [found for one in value.values() for found in _all(one, key)]
    return inner + ([value[key]] if isinstance(value.get(key), dict) else [])


# ------------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replicas=3"], "Additional property replicas is not allowed"),
        (["secrets.encryptKey=fifteen-bytes-x"], "secrets.encryptKey"),
        (["election.backend=etcd"], "election.backend"),
        (["redis.architecture=cluster"], "redis.architecture"),
        (["serviceMonitor.enabled=maybe"], "serviceMonitor.enabled"),
        (["persistence.accessMode=ReadWriteOnce"], "ReadWriteOnce is for one replica"),
        (["persistence.enabled=false"], "gives every replica an inventory of its own"),
        (["election.backend=none"], "is for one replica"),
        (["redis.enabled=false"], "say where Redis is"),
    ],
    ids=lambda value: value[0].partition("=")[0] if isinstance(value, list) else "",
)
def test_values_that_cannot_work_are_refused_with_what_to_do(words: list[str], said: str) -> None:
    done = helm("template", "promsnmp", CHART, *(word for item in words for word in ("--set", item)))
    assert done.returncode != 0
    assert said in done.stderr


def test_a_secret_that_is_refused_is_not_shown() -> None:
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


def test_everything_that_is_given_arrives() -> None:
    items = rendered(VALUES / "everything.yaml")
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
    assert pick(items, "Ingress")["spec"]["rules"][0]["host"] == "snmp.example.com"
    assert pick(items, "ScrapeConfig")["spec"]["httpSDConfigs"][0]["url"] == "http://poller.promsnmp.svc:80/targets"


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


def test_prometheus_operators_objects_come_only_where_it_is_known_unless_they_are_asked_for() -> None:
    kinds = {"ServiceMonitor", "ScrapeConfig", "PrometheusRule"}
    assert not {item["kind"] for item in render()} & kinds
    assert {item["kind"] for item in render(*OPERATOR)} >= kinds
    assert {item["kind"] for item in render("--set", "serviceMonitor.enabled=true")} >= {"ServiceMonitor"}
    refused = render(*OPERATOR, "--set", "serviceMonitor.enabled=false,prometheusRule.enabled=false")
    assert not {item["kind"] for item in refused} & kinds


def test_a_web_configuration_is_mounted_and_spoken_to_over_tls() -> None:
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
    items = rendered(VALUES / "lease.yaml")
    assert not [item for item in items if item["metadata"]["name"].startswith("redis")]
    assert pick(items, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True
    config = pick(items, "ConfigMap")["data"]
    assert (config["ELECTION_BACKEND"], config["CLUSTER_SERVICE"]) == ("kubernetes", "promsnmp-members")
    out = pick(items, "NetworkPolicy")["spec"]["egress"][-1]
    assert out == {"to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}], "ports": [{"port": 6443, "protocol": "TCP"}]}


def test_one_replica_on_its_own_volume_is_replaced_and_not_rolled() -> None:
    items = rendered(VALUES / "single.yaml")
    assert pick(items, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert not [item for item in items if item["kind"] in ("HorizontalPodAutoscaler", "PodDisruptionBudget")]


def test_a_redis_elsewhere_may_be_reached_and_secrets_of_your_own_are_used() -> None:
    items = rendered(VALUES / "external.yaml")
    assert not [item for item in items if item["kind"] in ("Secret", "PersistentVolumeClaim", "StatefulSet")]
    assert pick(items, "ConfigMap")["data"]["REDIS_URL"] == "rediss://redis.example.com:6380/1"
    ports = {port["port"] for rule in pick(items, "NetworkPolicy")["spec"]["egress"] for port in rule["ports"]}
    assert {6380, 161, 1161} <= ports
    spec = pick(items, "Deployment")["spec"]["template"]["spec"]
    assert {"secretRef": {"name": "my-secret"}} in spec["containers"][0]["envFrom"]


# --------------------------------------------------------------------------------------------------- snmp.yml


def test_modules_go_into_config_maps_and_auths_into_a_secret() -> None:
    items = rendered(VALUES / "everything.yaml")
    assert "s3cret" not in json.dumps([item for item in items if item["kind"] != "Secret"])
    assert "s3cret-community" in pick(items, "Secret", "poller-snmp-auths")["stringData"]["auths.yml"]


def test_an_snmp_yml_of_two_megabytes_is_split_and_read_whole(tmp_path: Path) -> None:
    whole = require_shared("snmp_exporter", "snmp.yml")
    items = render("--set-file", f"snmpConfig={whole}")
    maps = [item for item in items if item["kind"] == "ConfigMap" and "-snmp-" in item["metadata"]["name"]]
    assert len(maps) >= 3
    assert max(len(json.dumps(item["data"])) for item in maps) < 1024 * 1024
    for item in (*maps, pick(items, "Secret", "promsnmp-snmp-auths")):
        for name, text in (item.get("data") or item["stringData"]).items():
            (tmp_path / name).write_text(text)
    split, one = load_catalogue((str(tmp_path / "*.yml"),)), load_catalogue((str(whole),))
    assert split.modules.keys() == one.modules.keys()
    assert [name for name, module in one.modules.items() if split.module(name) != module] == []
    assert split.auths == one.auths


def test_a_release_with_an_snmp_yml_of_two_megabytes_fits_into_helms_own_secret() -> None:
    """Helm keeps chart, values and manifest of a release, gzipped and in base64, in one Secret of at most 1 MiB."""
    whole = require_shared("snmp_exporter", "snmp.yml").read_text()
    files = {str(file): file.read_text() for file in CHART.rglob("*") if file.is_file()}
    manifest = template("--set-file", f"snmpConfig={require_shared('snmp_exporter', 'snmp.yml')}")
    release = json.dumps({"chart": files, "config": {"snmpConfig": whole}, "manifest": manifest}).encode()
    assert len(base64.b64encode(base64.b64encode(gzip.compress(release)))) < 1024 * 1024


def test_numbers_of_a_module_stay_numbers_and_text_stays_text(tmp_path: Path) -> None:
    metric = {"name": "power", "oid": "1.3.6.1.4.1.9", "type": "gauge", "help": "a\nb: '1'", "scale": 1e-06}
    state = {
        "name": "state",
        "oid": "1.3.6.1.4.1.8",
        "type": "EnumAsInfo",
        "help": "1",
        "enum_values": {1: "on", 2: "2"},
    }
    given = {"modules": {"odd": {"walk": ["1.3.6.1.4.1"], "metrics": [metric, state], "timeout": "5s"}}}
    file = tmp_path / "snmp.yml"
    file.write_text(yaml.safe_dump(given))
    items = render("--set-file", f"snmpConfig={file}")
    text = pick(items, "ConfigMap", "promsnmp-snmp-0")["data"]["modules-0.yml"]
    assert yaml.safe_load(text) == given


def test_a_module_that_no_config_map_can_hold_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.yml"
    large.write_text(json.dumps({"modules": {"large": {"walk": [f"1.3.6.1.4.1.{n}" for n in range(90_000)]}}}))
    done = helm("template", CHART, "--set-file", f"snmpConfig={large}")
    assert done.returncode != 0
    assert "the module large alone is larger" in done.stderr


# ------------------------------------------------------------------------------------------- secrets that are kept


class Cluster:
    """As much of an API server as Helm's ``lookup`` asks for: one Secret, or none."""

    def __init__(self, data: dict[str, str] | None) -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in (data or {}).items()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "promsnmp-secrets", "namespace": "promsnmp"},
            "data": encoded,
        }
        resource = {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get"]}
        answers: dict[str, Object] = {
            "/version": {"major": "1", "minor": "31", "gitVersion": "v1.31.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [resource]},
        }
        if data is not None:
            answers["/api/v1/namespaces/promsnmp/secrets/promsnmp-secrets"] = secret
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the library's name
                answer = answers.get(self.path.partition("?")[0], missing)
                body = json.dumps(answer).encode()
                self.send_response(200 if answer is not missing else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def render(self, *words: str) -> dict[str, str]:
        """The Secret that an upgrade in this cluster would write."""
        server = f"http://127.0.0.1:{self.server.server_address[1]}"
        asked = ("--dry-run=server", "--is-upgrade", "--kube-apiserver", server)
        done = helm("template", "promsnmp", CHART, "--namespace", "promsnmp", *asked, *words)
        assert done.returncode == 0, done.stderr
        data: dict[str, str] = pick(documents(done.stdout), "Secret", "promsnmp-secrets")["stringData"]
        return data

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_a_key_is_made_at_the_first_install_of_16_bytes_and_another_each_time() -> None:
    cluster = Cluster(None)
    one, other = cluster.render(), cluster.render()
    cluster.stop()
    assert len(one["PROM_ENCRYPT_KEY"].encode()) == 16
    assert one["PROM_ENCRYPT_KEY"] != other["PROM_ENCRYPT_KEY"]
    assert len(one["REDIS_PASSWORD"]) == 32


def test_an_upgrade_keeps_the_key_and_the_password_that_are_in_the_cluster() -> None:
    cluster = Cluster({"PROM_ENCRYPT_KEY": "kept-16-bytes-ab", "REDIS_PASSWORD": "kept"})
    kept, given = cluster.render(), cluster.render("--set", "secrets.encryptKey=0123456789abcdef")
    cluster.stop()
    assert (kept["PROM_ENCRYPT_KEY"], kept["REDIS_PASSWORD"]) == ("kept-16-bytes-ab", "kept")
    assert given["PROM_ENCRYPT_KEY"] == "0123456789abcdef"


def test_pods_start_anew_with_another_secret_of_the_values_and_not_with_each_rendering() -> None:
    def sums(*values: str) -> dict[str, str]:
        done = helm("template", "promsnmp", CHART, *(word for value in values for word in ("--set", value)))
        pod = pick(documents(done.stdout), "Deployment")["spec"]["template"]
        return {key: text for key, text in pod["metadata"]["annotations"].items() if key.startswith("checksum/")}

    assert sums() == sums()
    assert "checksum/secrets" not in sums()
    one, other = sums("secrets.apiToken=one"), sums("secrets.apiToken=other")
    assert one == sums("secrets.apiToken=one") != other
    assert "checksum/secrets" not in sums("secrets.apiToken=one", "secrets.existingSecret=mine")


def test_key_and_inventory_outlive_the_release() -> None:
    for kind in ("Secret", "PersistentVolumeClaim"):
        assert pick(render(), kind)["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
