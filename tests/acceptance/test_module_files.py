"""Files in snmp.yml's format: loaded, shown without secrets, and reloaded while scrapes go on."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from promsnmp.cli.main import WRONG, run
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.failing import failing
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

ONE = """
auths:
  mine:
    version: 2
    community: public
  theirs:
    version: 3
    username: reader
    security_level: authPriv
    auth_protocol: SHA256
    password: a-secret-passphrase
    priv_protocol: AES
    priv_password: another-secret-passphrase
modules:
  ports:
    walk: [1.3.6.1.2.1.2.2.1.2, 1.3.6.1.2.1.2.2.1.10]
    timeout: 500ms
    metrics:
      - name: octets
        oid: 1.3.6.1.2.1.2.2.1.10
        type: counter
        help: Octets of a port.
        indexes: [{labelname: port, type: gauge}]
        lookups: [{labels: [port], labelname: name, oid: 1.3.6.1.2.1.2.2.1.2, type: DisplayString}]
"""
TWO = ONE.replace("name: octets", "name: bytes_seen")
BROKEN = ONE.replace("walk:", "wolk:")


@pytest.fixture
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(mib())
    with running(made):
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "snmp.yml"
    path.write_text(ONE)
    return path


@pytest.fixture
def server(tmp_path: Path, file: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess(
        tmp_path, env={"COLLECTION_INTERVAL": "0", "SNMP_CONFIG_FILES": str(tmp_path / "*.yml")}
    ) as made:
        yield made


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One service for several tests; each puts its own files into ``files``."""
    folder = tmp_path_factory.mktemp("lasting")
    (folder / "files").mkdir()
    (folder / "files" / "snmp.yml").write_text(ONE)
    with ServiceProcess(folder, env={"COLLECTION_INTERVAL": "0", "SNMP_CONFIG_FILES": f"{folder}/files/*.yml"}) as made:
        yield made


def scrape(server: ServiceProcess, agent: SimulatedAgent) -> str:
    answer = server.client.get("/snmp", params={"target": agent.target, "module": "ports", "auth": "mine"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_job_of_snmp_exporter_works_after_changing_only_the_address(
    server: ServiceProcess, agent: SimulatedAgent
) -> None:
    assert 'octets{name="port 2",port="2"} 2000\n' in scrape(server, agent)


def test_the_configuration_is_shown_without_secrets(server: ServiceProcess) -> None:
    shown = server.client.get("/config").text
    document = yaml.safe_load(shown)
    assert document["auths"]["theirs"]["username"] == "reader"
    assert document["auths"]["theirs"]["password"] == "<secret>"
    assert document["auths"]["mine"]["community"] == "<secret>"
    assert document["modules"]["ports"]["timeout"] == "500ms"
    assert "secret-passphrase" not in shown


@pytest.mark.parametrize("way", ["http", "signal"])
def test_a_changed_file_is_used_whole_after_a_reload(
    server: ServiceProcess, agent: SimulatedAgent, file: Path, way: str
) -> None:
    scrape(server, agent)
    file.write_text(TWO)
    if way == "http":
        assert server.client.post("/-/reload").status_code == 200
    else:
        os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: 'bytes_seen{name="port 2",port="2"} 2000\n' in scrape(server, agent), what="the new module")


def test_a_broken_file_changes_nothing_and_is_reported(
    server: ServiceProcess, agent: SimulatedAgent, file: Path
) -> None:
    file.write_text(BROKEN)
    answer = server.client.post("/-/reload")
    assert answer.status_code == 400
    assert f"{file}:16: unknown key 'wolk'" in answer.json()["error"]
    assert "octets{" in scrape(server, agent)
    health = server.client.get("/actuator/health").json()
    assert "wolk" in health["components"]["modules"]["details"]["error"]
    file.write_text(ONE)
    assert server.client.post("/-/reload").status_code == 200
    assert "error" not in server.client.get("/actuator/health").json()["components"]["modules"]["details"]


def _is_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _leads_nowhere(file: Path) -> None:
    file.unlink()
    file.symlink_to("/nowhere/snmp.yml")


def _leads_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


LAUGHS = "modules:\n  m: {walk: &w0 [1.3]}\n" + "".join(
    f"  m{step}: {{walk: &w{step + 1} [{', '.join([f'*w{step}'] * 9)}]}}\n" for step in range(20)
)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (Path.unlink, "no file matches"),
        (_is_folder, "snmp.yml:1: cannot be read: is a directory"),
        (_leads_nowhere, "snmp.yml:1: cannot be read: no such file"),
        (_leads_to_itself, "snmp.yml:1: cannot be read: too many levels of symbolic links"),
        (lambda file: file.write_text(""), "no modules, auths or health definitions"),
        (lambda file: file.write_bytes(bytes(range(256)) * 100), "not valid YAML: it is not text in UTF-8"),
        (lambda file: file.write_bytes(ONE.encode("utf-16")[:-1]), "not valid YAML: it is not text in UTF-16"),
        (lambda file: file.write_text(ONE.replace("    walk", "\twalk")), "snmp.yml:16: not valid YAML"),
        (lambda file: file.write_text("[" * 100_000), "snmp.yml:1: not valid YAML: exceeded maximum nesting"),
        (lambda file: file.write_text(LAUGHS), "snmp.yml:2: 'walk' of module 'm0' must be text"),
    ],
)
def test_the_old_file_stays_in_use_for_every_kind_of_error(
    lasting: ServiceProcess, spoil: Callable[[Path], object], says: str
) -> None:
    folder = lasting.folder / "files"
    for one in folder.iterdir():
        one.rmdir() if one.is_dir() else one.unlink()
    file = folder / "snmp.yml"
    file.write_text(ONE)
    assert lasting.client.post("/-/reload").status_code == 200
    before = lasting.client.get("/config").text
    spoil(file)
    answer = lasting.client.post("/-/reload", timeout=60)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert lasting.client.get("/config").text == before
    assert "\npromsnmp_config_last_reload_successful 0" in lasting.client.get("/metrics").text
    assert run(["serve", "--dry-run", "--config.file", str(folder / "*.yml")]) == WRONG


@pytest.mark.parametrize("spelling", [ONE.encode("utf-8-sig"), ONE.replace("\n", "\r\n").encode()])
def test_byte_order_marks_and_line_ends_of_windows_do_no_harm(
    server: ServiceProcess, file: Path, spelling: bytes
) -> None:
    before = server.client.get("/config").text
    file.write_bytes(spelling)
    assert server.client.post("/-/reload").status_code == 200
    assert server.client.get("/config").text == before
    assert "\npromsnmp_config_last_reload_successful 1" in server.client.get("/metrics").text


@pytest.mark.parametrize(
    ("text", "says"),
    [(BROKEN, "snmp.yml:16: unknown key 'wolk'"), (None, "no file matches"), ("a: [", "not valid YAML")],
)
def test_a_start_with_a_broken_file_ends_with_one_line(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "snmp.yml").write_text(text)
    code, errors = failing(tmp_path, SNMP_CONFIG_FILES=str(tmp_path / "*.yml"))
    assert code
    assert says in errors
    assert "Traceback" not in errors


def test_two_files_may_not_define_the_same_name(tmp_path: Path, file: Path) -> None:
    (tmp_path / "zwei.yml").write_text(TWO)
    code, errors = failing(tmp_path, SNMP_CONFIG_FILES=str(tmp_path / "*.yml"))
    assert code
    assert re.search("'ports' is already defined in .*snmp.yml", errors)
