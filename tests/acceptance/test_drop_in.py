"""A drop-in for snmp_exporter: the same file, the same requests, a Prometheus job with only another address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.recording import read_recording
from tests.support.agents.threads import running
from tests.support.conformance.pages import parse
from tests.support.exporter import Exporter, dry_run, require_exporter
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import (
    WEB,
    Process,
    Snmpd,
    SnmpdUser,
    free_tcp_port,
    require_shared,
    require_tool,
    start_snmpd,
    wait_until,
)

AUTH, PRIV = "authenticate-me", "keep-this-private"
USERS = {
    "md5_des": SnmpdUser("md5_des", "priv", "MD5", AUTH, "DES", PRIV),
    "sha_aes": SnmpdUser("sha_aes", "priv", "SHA", AUTH, "AES", PRIV),
    "sha512_aes256c": SnmpdUser("sha512_aes256c", "priv", "SHA-512", AUTH, "AES-256-C", PRIV),
    "sha256": SnmpdUser("sha256", "auth", "SHA-256", AUTH),
    "nobody": SnmpdUser("nobody"),
}
AUTHS = """
auths:
  md5_des: {version: 3, username: md5_des, security_level: authPriv, password: authenticate-me,
            priv_password: keep-this-private}
  sha_aes: {version: 3, username: sha_aes, security_level: authPriv, auth_protocol: SHA, password: $DROP_IN_PASSWORD,
            priv_protocol: AES, priv_password: keep-this-private}
  sha512_aes256c: {version: 3, username: sha512_aes256c, security_level: authPriv, auth_protocol: SHA512,
                   password: authenticate-me, priv_protocol: AES256C, priv_password: keep-this-private}
  sha256: {version: 3, username: sha256, security_level: authNoPriv, auth_protocol: SHA256, password: authenticate-me}
  nobody: {version: 3, username: nobody, context_name: ""}
  wrong: {version: 2, community: wrong}
modules:
  quick: {walk: [1.3.6.1.2.1.1], timeout: 300ms, retries: 0}
"""
ENVIRONMENT = {"DROP_IN_PASSWORD": AUTH}
PROMETHEUS_ACCEPT = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
JOB = """
  - job_name: {name}
    static_configs:
      - targets: {targets}
    metrics_path: /snmp
    params:
      auth: [public_v2]
      module: [if_mib, system]
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: {address}
"""
"""A job as snmp_exporter's documentation shows it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PromSNMP with snmp_exporter's released file, and one of auths beside it."""
    made = tmp_path_factory.mktemp("drop-in")
    (made / "snmp.yml").write_bytes(require_shared("snmp_exporter", "snmp.yml").read_bytes())
    (made / "auths.yml").write_text(AUTHS)
    return made


@pytest.fixture(scope="module")
def exporter(folder: Path) -> Iterator[Exporter]:
    options = ["--config.expand-environment-variables"]
    with Exporter(require_exporter(), folder / "*.yml", log=folder / "log", env=ENVIRONMENT, options=options) as made:
        yield made


@pytest.fixture(scope="module")
def promsnmp(folder: Path) -> Iterator[ServiceProcess]:
    settings = {"COLLECTION_INTERVAL": "0", "SNMP_CONFIG_FILES": str(folder / "*.yml")}
    settings |= {"SNMP_EXPAND_ENVIRONMENT": "true", "INTERFACE_UTILIZATION": "false"}
    with ServiceProcess(folder, env={**settings, **ENVIRONMENT}) as made:
        yield made


RECORDING = ("recordings", "junos_qfx5100.snmprec")
"""A device whose values do not move."""


@pytest.fixture(scope="module")
def device() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(read_recording(require_shared(*RECORDING)).mib)
    with running(made):
        yield made


@pytest.fixture(scope="module")
def device6() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(read_recording(require_shared(*RECORDING)).mib)
    with running(made, address="::1"):
        yield made


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with start_snmpd(tmp_path_factory.mktemp("snmpd"), users=list(USERS.values()), tcp=True) as made:
        yield made


# ------------------------------------------------------------------------------------------------------------ requests


QUERIES = {
    "": 400,
    "target=": 400,
    "target={v4}&target={v4}": 400,
    "target={v4}": 200,
    "target=udp://{v4}": 200,
    "target={v6}": 200,
    "target=udp://{v6}": 200,
    "target=tcp://{v4}": 502,
    "target={v4}&module=if_mib&module=system": 200,
    "target={v4}&module=if_mib,system": 200,
    "target={v4}&module=if_mib,if_mib&module=if_mib": 200,
    "target={v4}&module=if_mib,,system": 200,
    "target={v4}&module=": 400,
    "target={v4}&module=,": 400,
    "target={v4}&module=nope": 400,
    "target={v4}&module=IF_MIB": 400,
    "target={v4}&module=system,nope": 400,
    "target={v4}&auth=": 200,
    "target={v4}&auth=public_v1": 200,
    "target={v4}&auth=nope": 400,
    "target={v4}&auth=public_v2&auth=public_v2": 400,
    "target={v4}&auth=wrong&module=quick": 504,
    "target={v4}&snmp_context=x": 200,
    "target={v4}&snmp_context=a&snmp_context=b": 400,
    "target={v4}&snmp_engineid=8000000001020304": 200,
    "target={v4}&snmp_debug_packets=true&other=x": 200,
    "target=127.0.0.1:x": 400,
    "target=127.0.0.1:99999": 400,
    "target=[::1": 400,
    "target=no-such-name.invalid&module=quick": 400,
}
"""Queries, and the status of the answer."""
REFUSED_LATER = (
    *("target=tcp://{v4}", "target={v4}&auth=wrong&module=quick", "target=127.0.0.1:x", "target=127.0.0.1:99999"),
    *("target=[::1", "target=no-such-name.invalid&module=quick"),
)
"""Queries that snmp_exporter answers with 500, for whichever reason."""
OF_LATER_VERSIONS = ("target={v4}&module=", "target={v4}&module=,")
"""Queries that snmp_exporter 0.30.1 answers with an empty page, and its main branch as we do."""


@pytest.mark.parametrize("query", QUERIES)
def test_a_request_has_the_answer_of_snmp_exporter(
    query: str, exporter: Exporter, promsnmp: ServiceProcess, device: SimulatedAgent, device6: SimulatedAgent
) -> None:
    asked = f"/snmp?{query.format(v4=device.target, v6=device6.target)}"
    status, body = exporter.get(asked)
    answer = promsnmp.client.get(asked, headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})
    assert answer.status_code == QUERIES[query], answer.text
    theirs = {**dict.fromkeys(REFUSED_LATER, 500), **dict.fromkeys(OF_LATER_VERSIONS, 200)}
    assert status == theirs.get(query, QUERIES[query]), body
    if answer.status_code == 200:
        assert parse(answer.text) == parse(body)
    else:
        assert re.fullmatch(r"[^\n]{15,2000}\n", answer.text)


@pytest.mark.parametrize("accept", ["text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "*/*", PROMETHEUS_ACCEPT])
def test_formats_and_codings_are_those_that_prometheus_asks_for(
    accept: str, promsnmp: ServiceProcess, device: SimulatedAgent
) -> None:
    path = f"/snmp?target={device.target}&module=if_mib"
    plain = parse(promsnmp.client.get(path, headers={"Accept": "text/plain"}).text)
    for coding in ("gzip", "identity"):
        answer = promsnmp.client.get(path, headers={"Accept": accept, "Accept-Encoding": coding})
        assert answer.headers.get("content-encoding", "identity") == coding
        kind = answer.headers["content-type"]
        if accept is PROMETHEUS_ACCEPT:
            assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
            assert sum(len(one.samples) for one in parse_openmetrics(answer.text)) > len(plain.samples)
        else:
            assert kind == "text/plain; version=0.0.4; charset=utf-8"
        assert parse(answer.text).samples == plain.samples


# ---------------------------------------------------------------------------------------------------------------- auths


@pytest.mark.parametrize("auth", USERS)
def test_the_auths_of_the_file_open_an_snmpd(
    auth: str, exporter: Exporter, promsnmp: ServiceProcess, snmpd: Snmpd
) -> None:
    query = {"target": snmpd.target, "auth": auth, "module": "system"}
    status, body = exporter.scrape(snmpd.target, "system", auth=auth)
    answer = promsnmp.client.get("/snmp", params=query)
    assert (status, answer.status_code) == (200, 200), body + answer.text
    mine, theirs = parse(answer.text), parse(body)
    assert mine.samples.keys() == theirs.samples.keys()
    assert (mine.types, mine.helps) == (theirs.types, theirs.helps)
    assert len(mine.samples) > 4


# -------------------------------------------------------------------------------------------------------------- /config


def load(text: str) -> Any:
    """Reads long YAML, with libyaml where available."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def with_secrets(shown: dict[str, Any]) -> dict[str, Any]:
    written = yaml.safe_load(AUTHS)["auths"]
    for name, auth in shown["auths"].items():
        for key, value in auth.items():
            if value == "<secret>":
                auth[key] = written.get(name, {}).get(key, "public")
    return shown


def test_what_config_shows_is_a_file_that_snmp_exporter_loads_to_the_same(
    exporter: Exporter, promsnmp: ServiceProcess, tmp_path: Path
) -> None:
    shown = sections(promsnmp.client.get("/config").text)
    auths = yaml.safe_dump(with_secrets(load(shown["auths"])))
    file = tmp_path / "shown.yml"
    file.write_text(auths + shown["modules"])
    assert dry_run(require_exporter(), file).process.returncode == 0
    theirs = sections(exporter.get("/config")[1])
    with Exporter(require_exporter(), file, log=tmp_path / "log") as again:
        reread = sections(again.get("/config")[1])
    modules, read_modules = modules_in(theirs["modules"]), modules_in(reread["modules"])
    assert modules
    assert read_modules.keys() >= modules.keys()
    for name, text in modules.items():
        if read_modules[name] != text:
            assert _comparable(load(read_modules[name])[name]) == _comparable(load(text)[name]), name
    read_auths = load(reread["auths"])["auths"]
    for name, auth in load(theirs["auths"])["auths"].items():
        assert _used(read_auths[name]) == _used(auth), name


def sections(text: str) -> dict[str, str]:
    """The text of each top-level key: parsing two megabytes of YAML takes seconds."""
    return {one.partition(":")[0]: one for one in re.split(r"^(?=\w+:)", text, flags=re.MULTILINE) if one.strip()}


def modules_in(section: str) -> dict[str, str]:
    """The text of each module."""
    modules = re.split(r"^  (?=\S+:$)", section.partition("\n")[2], flags=re.MULTILINE)
    return {one.partition(":")[0]: one for one in modules if one.strip()}


def _comparable(module: dict[str, Any]) -> dict[str, Any]:
    for metric in module["metrics"]:
        for extract in (one for entries in metric.get("regex_extracts", {}).values() for one in entries):
            extract["regex"] = re.sub(r"^(?:\^\(\?:)+(.*?)(?:\)\$)+$", r"\1", extract["regex"])
    return {key: value for key, value in module.items() if key != "retries"}  # snmp_exporter may use another module's


def _used(auth: dict[str, Any]) -> dict[str, Any]:
    """The auth without the keys that its version and security level do not use."""
    level = auth["security_level"]
    unused = {"community"} if auth["version"] == 3 else {"username", "password", "priv_password"}
    unused |= {"auth_protocol", "priv_protocol"} if level == "noAuthNoPriv" else set()
    unused |= {"priv_protocol"} if level == "authNoPriv" else set()
    return {key: value for key, value in auth.items() if key not in unused}


# ---------------------------------------------------------------------------------------------------------- Prometheus


Query = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def query(
    exporter: Exporter,
    promsnmp: ServiceProcess,
    device: SimulatedAgent,
    device6: SimulatedAgent,
    snmpd: Snmpd,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Query]:
    """Queries a Prometheus with one job twice: for snmp_exporter and, with only another address, for PromSNMP."""
    program = require_tool("prometheus", package="prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_tcp_port()
    targets = [device.target, f"udp://{device6.target}", f"tcp://{snmpd.target}"]
    jobs = (
        JOB.format(name=name, targets=targets, address=url.removeprefix("http://"))
        for name, url in (("snmp_exporter", exporter.url), ("promsnmp", promsnmp.url))
    )
    configuration = folder / "prometheus.yml"
    configuration.write_text(f"global: {{scrape_interval: 2s, scrape_timeout: 2s}}\nscrape_configs:{''.join(jobs)}")
    url = f"http://127.0.0.1:{port}"
    command = [program, f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"]

    def ready() -> bool:
        try:
            return WEB.get(f"{url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def ask(expression: str) -> list[dict[str, Any]]:
        answer = WEB.get(f"{url}/api/v1/query", params={"query": expression}, timeout=30).json()
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    log = folder / "prometheus.log"
    with Process([*command, f"--web.listen-address=127.0.0.1:{port}"], log=log, ready=ready, deadline=60):
        yield ask


OWN = "up|scrape_.*|snmp_scrape_.*|promsnmp_.*"


def series(query: Query, job: str, instance: str) -> dict[tuple[tuple[str, str], ...], str]:
    """Values by labels, without labels that name the instance, and without metrics about the scrape."""
    found = query(f'{{job="{job}",instance="{instance}",__name__!~"{OWN}"}}')
    return {
        tuple(sorted((name, text) for name, text in one["metric"].items() if name != "job")): one["value"][1]
        for one in found
    }


def test_a_job_of_snmp_exporter_has_the_same_series_after_changing_only_the_address(
    query: Query, device: SimulatedAgent, device6: SimulatedAgent, snmpd: Snmpd
) -> None:
    wait_until(lambda: len(query("up == 1")) == 6, deadline=60, what="up of three devices in both jobs")
    for instance in (device.target, f"udp://{device6.target}"):
        mine, theirs = series(query, "promsnmp", instance), series(query, "snmp_exporter", instance)
        assert mine == theirs
        assert len(mine) > 100
    instance = f"tcp://{snmpd.target}"  # its values move
    mine, theirs = series(query, "promsnmp", instance), series(query, "snmp_exporter", instance)
    assert mine.keys() == theirs.keys()
    assert len(mine) > 10
