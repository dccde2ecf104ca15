"""Grafana's dashboards fit Grafana's schema, and Prometheus has data for each query (``promsnmp demo``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from promsnmp.sim.devices import DEMO
from scripts import copies
from scripts.dashboards import panels
from tests.support.service.demo import Demo
from tests.support.tools import Process, free_tcp_port, require_tool, wait_until

pytestmark = pytest.mark.xdist_group("dashboards")
Json = dict[str, Any]

BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted(panels.FOLDER.glob("*.json"))}
FIXED = {"$job": "snmp", "$top": "5", "$__rate_interval": "15s", "$__range": "1m", "$__interval": "15s"}
"""The values that Grafana would fill in for its variables; device and interface are filled in by name."""
PROMETHEUS_YML = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: promsnmp
    metrics_path: /actuator/prometheus
    static_configs: [{{targets: ["{host}"]}}]
  - job_name: snmp
    metrics_path: /snmp
    http_sd_configs: [{{url: "http://{host}/targets", refresh_interval: 1s}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{host}"}}
"""


def queries() -> Iterator[tuple[str, str, str]]:
    """Dashboard, panel and expression of every query."""
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield name, panel["title"], target["expr"]


class Asked:
    """The API of a Prometheus."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)

    def query(self, expression: str) -> list[Json]:
        answer = self.client.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        result: list[Json] = answer["data"]["result"]
        return result

    def label_values(self, definition: str) -> list[str]:
        """The query of Grafana for ``label_values(series, label)``."""
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", definition)
        assert found is not None
        answer = self.client.get(f"/api/v1/label/{found[2]}/values", params={"match[]": found[1]}).json()
        values: list[str] = answer["data"]
        return values


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A real Prometheus that has scraped the demo for a while."""
    folder = tmp_path_factory.mktemp("dashboards")
    program, port = require_tool("prometheus", package="prometheus"), free_tcp_port()
    with Demo(folder, COLLECTION_INTERVAL="2000") as demo:
        (folder / "prometheus.yml").write_text(PROMETHEUS_YML.format(host=demo.url.removeprefix("http://")))
        command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        asked = Asked(f"http://127.0.0.1:{port}")
        with Process(
            [*command, f"--web.listen-address=127.0.0.1:{port}"],
            log=folder / "prometheus.log",
            ready=lambda: _ready(asked),
            deadline=60,
        ):
            wait_until(lambda: len(asked.query("up == 1")) == len(DEMO) + 1, deadline=90, what="devices and service up")
            counted = "count by (instance) (rate(interface_utilization_count[15s])) > 0"
            wait_until(lambda: len(asked.query(counted)) == len(DEMO), deadline=90, what="two polls of each device")
            served = "rate(http_server_requests_seconds_count[15s]) > 0"
            wait_until(lambda: len(asked.query(served)) > 1, deadline=90, what="two scrapes of the service")
            yield asked
        asked.client.close()


def _ready(asked: Asked) -> bool:
    try:
        return asked.client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def put_in(expression: str, *, service: bool, instance: str, interface: str) -> str:
    values = {**FIXED, "$instance": instance, "$interface": interface}
    if service:
        values |= {"$job": "promsnmp"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"a variable that no dashboard has: {expression}"
    return expression


def test_every_query_of_every_dashboard_returns_data(prometheus: Asked) -> None:
    """Queries as Grafana does: with one device and one interface selected, and with all."""
    empty = []
    for board, panel, expression in queries():
        chosen = [".*", "access-sw-01"] if '=~"$instance"' in expression else ["access-sw-01"]
        for instance in chosen:
            if board in ("promsnmp", "fleet-health") and instance != ".*":  # one device has not all kinds of health
                continue
            asked = put_in(
                expression, service=board == "promsnmp", instance=instance, interface="GigabitEthernet1/0/1|.*/0/2"
            )
            if not prometheus.query(asked):
                empty.append(f"{board}, {panel}: {asked}")
    assert empty == []


def test_every_variable_has_values(prometheus: Asked) -> None:
    for name, board in BOARDS.items():
        for variable in board["templating"]["list"]:
            if variable["type"] != "query":
                continue
            job = "promsnmp" if name == "promsnmp" else "snmp"
            definition = variable["query"]["query"].replace("$job", job).replace("$instance", "access-sw-01")
            assert prometheus.label_values(definition), f"{name}, {variable['name']}"


def test_the_heat_map_has_every_bucket_of_the_histogram(prometheus: Asked) -> None:
    (panel,) = [panel for panel in BOARDS["interface"]["panels"] if panel["type"] == "heatmap"]
    expression = panel["targets"][0]["expr"]
    asked = put_in(expression, service=False, instance="access-sw-01", interface=".*")
    bounds = {series["metric"]["le"] for series in prometheus.query(asked)}
    assert bounds == {series["metric"]["le"] for series in prometheus.query("interface_utilization_bucket")}
    assert panel["targets"][0]["format"] == "heatmap"


def test_a_query_without_data_is_found(prometheus: Asked) -> None:
    assert prometheus.query("no_such_metric") == []
    with pytest.raises(AssertionError, match="parse error"):
        prometheus.query("sum(")


# ------------------------------------------------------------------------------------------------------- the files

OF_PROMETHEUS = re.compile(r"\.annotations\.list\[\d+\]\.(step|titleFormat|useValueForTime)$")
"""What the data source for Prometheus adds to annotations."""


@pytest.mark.parametrize("name", BOARDS)
def test_each_dashboard_fits_grafanas_schema(name: str) -> None:
    """Grafana's own model reads it and writes it again without losing anything, so nothing in it is unknown."""
    board = BOARDS[name]
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))
    lost = [one for one in _lost(board, again, name) if not OF_PROMETHEUS.search(one)]
    assert lost == []


def _lost(given: Any, read: Any, path: str) -> Iterator[str]:
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(read, dict) or key not in read:
                yield f"{path}.{key}"
            else:
                yield from _lost(value, read[key], f"{path}.{key}")
    elif isinstance(given, list):
        for number, value in enumerate(given):
            yield from _lost(value, read[number], f"{path}[{number}]")


@pytest.mark.parametrize("name", BOARDS)
def test_the_data_source_is_a_variable_everywhere_and_no_uid_is_fixed(name: str) -> None:
    board = BOARDS[name]
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert "uid" not in board
    assert set(re.findall(r'"uid": "([^"]*)"', json.dumps(board))) == {"${datasource}"}


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_overlap_and_have_unique_ids(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    panels = BOARDS[name]["panels"]
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_dashboards_have_unique_titles() -> None:
    titles = [board["title"] for board in BOARDS.values()]
    assert sorted(titles) == ["Device", "Fleet health", "Interface", "Network overview", "PromSNMP"]


def test_generated_files_are_up_to_date() -> None:
    """Dashboards and the copies of alerts."""
    different = [path.name for path, text in copies.copies().items() if _text(path) != text]
    assert different == [], "run: make copies"
    assert {path.name for path in (copies.CHART / "dashboards").glob("*.json")} == {f"{name}.json" for name in BOARDS}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
