"""The jsonnet mixin gives the alerts and dashboards of the plain files."""

from __future__ import annotations

import json
from typing import Any

import rjsonnet
import yaml

from tests.support.tools import PROJECT

DEPLOY = PROJECT / "deploy"
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())


def build(expression: str) -> Any:
    """The value of an expression of jsonnet in which ``mixin`` is the mixin."""
    text = f"local mixin = import 'mixin.libsonnet'; {expression}"
    return json.loads(rjsonnet.evaluate_snippet("test", text, jpathdir=[str(DEPLOY / "mixin")]))


def test_the_alerts_are_those_of_the_plain_file() -> None:
    assert build("mixin.prometheusAlerts") == ALERTS


def test_the_dashboards_are_those_of_the_plain_files() -> None:
    files = {file.name: json.loads(file.read_text()) for file in (DEPLOY / "grafana").glob("*.json")}
    assert build("mixin.grafanaDashboards") == files


def test_jobs_runbook_and_tags_are_configurable() -> None:
    jobs = "snmpJob: 'switches', promsnmpJob: 'poller'"
    config = f"{{ _config+:: {{ {jobs}, runbookUrl: 'https://x/', dashboardTags: ['net'] }} }}"
    alerts = build(f"(mixin + {config}).prometheusAlerts")
    rules = {rule["alert"]: rule for group in alerts["groups"] for rule in group["rules"]}
    assert rules["SNMPComponentFailed"]["expr"].strip() == 'hw_status{job="switches", hw_state="failed"} == 1'
    assert 'job="poller"' in rules["PromSNMPDown"]["expr"]
    assert rules["SNMPComponentFailed"]["annotations"]["runbook_url"] == "https://x/#snmpcomponentfailed"
    assert 'job="snmp"' not in json.dumps(alerts)
    dashboards = build(f"(mixin + {config}).grafanaDashboards")
    assert {tuple(board["tags"]) for board in dashboards.values()} == {("net",)}
