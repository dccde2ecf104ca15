"""deploy/prometheus: configurations and alerts, checked by promtool and by Prometheus itself."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.deploy.kube import CHART, DEPLOY, documents, helm, pick, with_operator
from tests.support.tools import PROJECT, WEB, Process, free_tcp_port, require_tool, wait_until

FOLDER = DEPLOY / "prometheus"
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text())
RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
(RUNBOOK,) = (PROJECT / "docs").rglob("alerts.md")
TESTS = sorted(FOLDER.glob("*.test.yml"))
ORIGINAL = [
    "PromSNMPPodNotReady",
    "PromSNMPReplicasLow",
    "PromSNMPNoLeader",
    "PromSNMPHighMemory",
    "PromSNMPHighCPU",
    "PromSNMPCacheHitRateLow",
    "PromSNMPDiscoveryStale",
]


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = require_tool("promtool", package="prometheus")
    command = [program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


# ---------------------------------------------------------------------------------------------------------- alerts


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_each_alert_fires_and_stays_quiet_when_it_should(file: Path) -> None:
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_case_that_fires_and_one_that_is_quiet() -> None:
    cases = [case for file in TESTS for case in yaml.safe_load(file.read_text())["tests"]]
    fires, quiet = set[str](), set[str]()
    for case in cases:
        for asked in case["promql_expr_test"]:
            (alert,) = re.findall(r'alertname="(\w+)"', asked["expr"])
            (fires if asked["exp_samples"] else quiet).add(alert)
    assert fires == set(RULES)
    assert quiet == set(RULES)


def test_the_alerts_of_the_original_promsnmp_exist() -> None:
    assert [name for name in ORIGINAL if name not in RULES] == []


def test_an_alert_that_cannot_fire_fails_its_cases(tmp_path: Path) -> None:
    """As in the original: a count of no series is empty, never 0."""
    broken = json.loads(json.dumps(ALERTS))
    for group in broken["groups"]:
        for rule in group["rules"]:
            if rule["alert"] == "PromSNMPNoLeader":
                rule["expr"] = "count(promsnmp_leader_election_is_leader == 1) == 0"
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(broken))
    cases = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())
    cases["tests"] = [case for case in cases["tests"] if "PromSNMPNoLeader" in json.dumps(case)]
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases))
    done = promtool("test", "rules", tmp_path / "cases.yml")
    assert done.returncode != 0
    assert re.search(r'FAILED:\s+expr: "ALERTS\{alertname=\\"PromSNMPNoLeader', done.stdout + done.stderr)


@pytest.mark.parametrize("name", RULES)
def test_each_alert_has_a_severity_texts_and_a_section_in_the_runbook(name: str) -> None:
    rule = RULES[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"https://pbrane.github.io/promsnmp/how-to/alerts/#{name.lower()}"
    assert f"\n### {name}\n" in RUNBOOK.read_text()


def test_the_runbook_has_no_section_about_a_removed_alert() -> None:
    sections = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sections == list(RULES)


def test_own_metrics_in_alerts_are_documented() -> None:
    names = set(re.findall(r"\b(?:promsnmp|cache)_[a-z_]+", " ".join(rule["expr"] for rule in RULES.values())))
    page = (PROJECT / "docs" / "reference" / "metrics.md").read_text()
    assert [name for name in names if name.removesuffix("_bucket") not in page] == []


def test_the_alerts_of_operator_and_chart_are_the_same_and_pass_promtool(tmp_path: Path) -> None:
    rules = [pick(with_operator(), "PrometheusRule"), _of_chart()]
    for number, rule in enumerate(rules):
        assert rule["spec"] == ALERTS
        file = tmp_path / f"{number}.yml"
        file.write_text(yaml.safe_dump(rule["spec"]))
        done = promtool("check", "rules", file)
        assert done.returncode == 0, done.stdout + done.stderr


def _of_chart() -> dict[str, Any]:
    done = helm("template", "promsnmp", CHART, "-n", "promsnmp", "--set", "prometheusRule.enabled=true")
    return pick(documents(done.stdout), "PrometheusRule")


# -------------------------------------------------------------------------------------------------- configurations


def test_the_configuration_without_kubernetes_passes_promtool() -> None:
    done = promtool("check", "config", FOLDER / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_kubernetes_configuration_finds_the_pods_and_nothing_else(tmp_path: Path) -> None:
    """Checked by Prometheus with the labels that Kubernetes would give: Debian's build has no kubernetes_sd_configs."""
    config = yaml.safe_load((FOLDER / "prometheus-kubernetes.yml").read_text())
    config.pop("rule_files")
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["promsnmp"].pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["promsnmp"]}}]
    jobs["promsnmp"]["static_configs"] = [
        _pod("promsnmp-1", "127.0.0.1"),
        _pod("promsnmp-2", "::1"),
        _pod("promsnmp-test", "127.0.0.1", phase="Succeeded"),
        _pod("redis-0", "127.0.0.1", app="redis"),
        _pod("promsnmp-3", "127.0.0.1", scrape="false"),
    ]
    config["scrape_configs"] = [jobs["promsnmp"]]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    found = _targets(tmp_path)
    assert sorted(target["scrapeUrl"] for target in found) == [
        "http://127.0.0.1:8080/actuator/prometheus",
        "http://[::1]:8080/actuator/prometheus",
    ]
    assert {(target["labels"]["namespace"], target["labels"]["pod"]) for target in found} == {
        ("promsnmp", "promsnmp-1"),
        ("promsnmp", "promsnmp-2"),
    }


def _pod(name: str, address: str, *, app: str = "promsnmp", phase: str = "Running", scrape: str = "true") -> object:
    meta = {
        "namespace": "promsnmp",
        "pod_name": name,
        "pod_ip": address,
        "pod_phase": phase,
        "pod_label_app_kubernetes_io_name": app,
        "pod_annotation_prometheus_io_scrape": scrape,
        "pod_annotation_prometheus_io_port": "8080",
        "pod_annotation_prometheus_io_path": "/actuator/prometheus",
    }
    shown = f"[{address}]" if ":" in address else address
    return {"targets": [f"{shown}:8080"], "labels": {f"__meta_kubernetes_{key}": text for key, text in meta.items()}}


def _targets(folder: Path) -> list[dict[str, Any]]:
    """What a Prometheus with the configuration of ``folder`` would scrape."""
    program, port = require_tool("prometheus", package="prometheus"), free_tcp_port()
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    url = f"http://127.0.0.1:{port}/api/v1/targets"
    found: list[dict[str, Any]] = []

    def discovered() -> bool:
        nonlocal found
        try:
            answer = WEB.get(url, timeout=10)
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            return False  # it is starting
        data = answer.json()["data"]
        found = data["activeTargets"]
        return len(found) + len(data["droppedTargets"]) == 5

    with Process([*command, f"--web.listen-address=127.0.0.1:{port}"], log=folder / "prometheus.log"):
        wait_until(discovered, deadline=100, what="five targets, active or dropped")
    return found


@pytest.mark.parametrize("file", ["prometheus.yml", "prometheus-kubernetes.yml"])
def test_both_configurations_have_the_jobs_that_alerts_and_dashboards_expect(file: str) -> None:
    jobs = {job["job_name"]: job for job in yaml.safe_load((FOLDER / file).read_text())["scrape_configs"]}
    assert set(jobs) == {"promsnmp", "snmp"}
    assert jobs["snmp"]["metrics_path"] == "/snmp"
    asked = pick(with_operator(), "ScrapeConfig")["spec"]
    relabelings = [{_snake(key): value for key, value in rule.items()} for rule in asked["relabelings"]]
    if "kubernetes" in file:
        assert jobs["snmp"]["relabel_configs"] == relabelings
    assert jobs["snmp"]["scrape_timeout"] == asked["scrapeTimeout"]


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
