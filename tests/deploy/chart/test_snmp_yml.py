"""An snmp.yml given to the chart: split into ConfigMaps and a Secret, and read whole again."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import yaml

from promsnmp.modules.catalogue import load_catalogue
from tests.support.deploy.kube import (
    CHART,
    VALUES,
    helm,
    pick,
    render,
    render_values,
    template,
)
from tests.support.tools import require_shared


def test_modules_go_into_config_maps_and_auths_into_a_secret() -> None:
    items = render_values(VALUES / "everything.yaml")
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


def test_a_module_too_large_for_a_config_map_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.yml"
    large.write_text(json.dumps({"modules": {"large": {"walk": [f"1.3.6.1.4.1.{n}" for n in range(90_000)]}}}))
    done = helm("template", CHART, "--set-file", f"snmpConfig={large}")
    assert done.returncode != 0
    assert "the module large alone is larger" in done.stderr
