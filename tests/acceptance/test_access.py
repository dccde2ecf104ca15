"""TLS, client certificates and passwords, with curl and a real Prometheus."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from promsnmp.http.security.passwords import hash_password
from tests.support.agents.documents import community_agent
from tests.support.service.certificates import Authority
from tests.support.service.failing import failing
from tests.support.service.preloaded import run
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB, Process, free_tcp_port, require_tool, start_snmpd, wait_until

CA, OTHER = Authority("our CA"), Authority("their CA")
PASSWORD = "a password: with ümlauts"
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
MUTUAL = TLS + "  client_ca_file: ca.crt\n"

REFUSED = (35, 52, 55, 56)
"""Exit codes of curl: no handshake, or a connection closed after it (with TLS 1.3, clients send first)."""

PROMETHEUS_YML = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: snmp
    metrics_path: /snmp
    scheme: https
    tls_config: &tls {{ca_file: {folder}/ca.crt, server_name: localhost}}
    basic_auth: &login {{username: prometheus, password_file: {folder}/password}}
    http_sd_configs:
      - url: {url}/targets
        refresh_interval: 1s
        tls_config: *tls
        basic_auth: *login
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{host}"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with certificates of a server and of clients."""
    CA.server().write(tmp_path, "server")
    CA.issue("ops", "DNS:ops.example.com").write(tmp_path, "ops")
    CA.issue("guest", "DNS:guest.example.com").write(tmp_path, "guest")
    CA.issue("late", "DNS:ops.example.com", days=-1).write(tmp_path, "late")
    OTHER.issue("stranger", "DNS:ops.example.com").write(tmp_path, "stranger")
    (tmp_path / "ca.crt").write_bytes(CA.cert)
    (tmp_path / "password").write_text(PASSWORD)
    return tmp_path


def serving(folder: Path, web: str, client: str | None = None, **env: str) -> ServiceProcess:
    (folder / "web.yml").write_text(web)
    context = CA.context(folder / client if client else None)
    return ServiceProcess(folder, env={"WEB_CONFIG_FILE": str(folder / "web.yml"), **env}, verify=context)


def curl(server: ServiceProcess, path: str, *options: str) -> tuple[int, str]:
    """curl's exit code, and the status or the error."""
    command = [require_tool("curl", package="curl"), "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10"]
    ca = str(server.folder / "ca.crt")
    done = subprocess.run(
        [*command, "--cacert", ca, *options, server.url + path], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def as_client(server: ServiceProcess, name: str) -> tuple[str, ...]:
    return "--cert", f"{server.folder}/{name}.crt", "--key", f"{server.folder}/{name}.key"


def test_everything_is_over_tls_and_nothing_else(folder: Path) -> None:
    with serving(folder, TLS) as server:
        assert server.url.startswith("https://")
        assert curl(server, "/-/healthy") == (0, "200")
        assert curl(server, "/-/healthy", "--tls-max", "1.2") == (0, "200")
        code, _ = curl(server, "/-/healthy", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0")
        assert code == 35
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url.replace("https:", "http:") + "/-/healthy")
        assert server.client.post("/-/reload").status_code == 200  # this machine needs no credentials


def test_clients_without_a_certificate_of_the_ca_are_refused(folder: Path) -> None:
    web = MUTUAL + "  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [ops.example.com]\n"
    with serving(folder, web, "ops") as server:
        assert curl(server, "/-/reload", "-X", "POST", *as_client(server, "ops")) == (0, "200")
        for stranger in ((), as_client(server, "stranger"), as_client(server, "late"), as_client(server, "guest")):
            for path in ("/-/healthy", "/targets", "/-/reload"):
                code, _ = curl(server, path, *stranger)
                assert code in REFUSED
        for reason in ("client_allowed_sans", "certificate has expired", "peer did not return a certificate"):
            assert reason in server.output()
        document = {"devices": [{"sysName": "by-certificate"}]}
        assert server.client.post("/promsnmp/inventory", json=document).status_code == 200
        assert "who=cert:ops@127.0.0.1" in server.output()


def test_an_optional_certificate_is_needed_to_manage(folder: Path) -> None:
    with serving(folder, MUTUAL + "  client_auth_type: VerifyClientCertIfGiven\n") as server:
        assert curl(server, "/targets") == (0, "200")
        assert curl(server, "/-/reload", "-X", "POST") == (0, "403")
        assert curl(server, "/-/reload", "-X", "POST", *as_client(server, "guest")) == (0, "200")
        assert curl(server, "/targets", *as_client(server, "stranger"))[0] in REFUSED


def test_a_certificate_cannot_manage_where_there_are_users(folder: Path) -> None:
    users = f"basic_auth_users:\n  alice: {hash_password('right')}\n"
    with serving(folder, MUTUAL + "  client_auth_type: RequireAndVerifyClientCert\n" + users, "guest") as server:
        assert curl(server, "/targets", *as_client(server, "guest")) == (0, "200")
        assert curl(server, "/-/reload", "-X", "POST", *as_client(server, "guest")) == (0, "401")
        assert curl(server, "/-/reload", "-X", "POST", "-u", "alice:right", *as_client(server, "guest")) == (0, "200")
        assert curl(server, "/-/reload", "-X", "POST", "-u", "alice:right")[0] in REFUSED


def served(server: ServiceProcess) -> int:
    """The serial number of the certificate that new connections get."""
    pem = ssl.get_server_certificate(("127.0.0.1", server.port), timeout=10)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_renewed_certificate_is_used_at_once_and_open_connections_go_on(folder: Path) -> None:
    with serving(folder, TLS) as server:
        assert server.client.get("/-/healthy").status_code == 200
        before = served(server)
        CA.server().write(folder, "server")
        wait_until(lambda: served(server) != before, what="the new certificate")
        assert server.client.get("/-/healthy").status_code == 200
        (folder / "server.crt").write_text("damaged")
        wait_until(lambda: server.client.get("/actuator/health/webConfig").status_code == 503, what="DOWN")
        assert "cert_file" in server.client.get("/actuator/health/webConfig").json()["details"]["error"]
        assert served(server) != before
        CA.server(days=-1).write(folder, "server")
        wait_until(lambda: curl(server, "/-/healthy")[0] == 60, what="the expired certificate")
        page = server.client.get("/metrics").text
        assert "promsnmp_tls_certificate_expiry_timestamp_seconds " in page
        assert "promsnmp_web_config_last_reload_successful 1.0" in page


def test_a_changed_ca_and_policy_apply_to_new_connections(folder: Path) -> None:
    with serving(folder, TLS) as server:
        assert curl(server, "/targets") == (0, "200")
        (folder / "web.yml").write_text(MUTUAL + "  client_auth_type: RequireAndVerifyClientCert\n")
        wait_until(lambda: curl(server, "/targets")[0] != 0, what="the new policy")
        assert curl(server, "/targets", *as_client(server, "ops")) == (0, "200")
        (folder / "theirs.crt").write_bytes(OTHER.cert)
        (folder / "web.yml").write_text(
            MUTUAL.replace("ca.crt", "theirs.crt") + "  client_auth_type: RequireAndVerifyClientCert\n"
        )
        wait_until(lambda: curl(server, "/targets", *as_client(server, "stranger")) == (0, "200"), what="the new CA")
        assert curl(server, "/targets", *as_client(server, "ops"))[0] != 0  # the old CA is no longer trusted


@pytest.mark.parametrize("protected", ["false", "true"])
def test_prometheus_finds_and_scrapes_over_tls_with_a_password(folder: Path, protected: str) -> None:
    program = require_tool("prometheus", package="prometheus")
    web = TLS + f"basic_auth_users:\n  prometheus: {hash_password(PASSWORD)}\n"
    env = {"COLLECTION_INTERVAL": "1000", "API_PROTECT_SCRAPES": protected}
    with start_snmpd(folder) as agent, serving(folder, web, **env) as server:
        devices = {"devices": [{"sysName": "host", "agents": [community_agent(agent.port)]}]}
        login = ("prometheus", PASSWORD)
        assert server.client.post("/promsnmp/inventory", json=devices, auth=login).status_code == 200
        assert (server.client.get("/targets").status_code == 401) is (protected == "true")
        (folder / "prometheus.yml").write_text(
            PROMETHEUS_YML.format(folder=folder, url=server.url, host=f"localhost:{server.port}")
        )
        url = f"http://127.0.0.1:{free_tcp_port()}"
        command = [
            program,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={url.removeprefix('http://')}",
        ]

        def is_up() -> bool:
            try:
                answer = WEB.get(f"{url}/api/v1/query", params={"query": 'up{instance="host"} == 1'})
                return bool(json.loads(answer.text)["data"]["result"])
            except (httpx.TransportError, ValueError, KeyError):
                return False

        with Process(command, log=folder / "prometheus.log"):
            wait_until(is_up, deadline=60, what="a scrape")


def test_a_wrong_web_configuration_ends_the_start_with_line_and_key(folder: Path) -> None:
    (folder / "web.yml").write_text(TLS + "basic_auth_users:\n  alice: hush-hush\n")
    code, errors = failing(folder, "--web.config.file", str(folder / "web.yml"))
    assert code == 2
    assert "web.yml:5: the password of alice is not a bcrypt hash" in errors
    assert "hush" not in errors
    assert "Traceback" not in errors
    code, errors = failing(folder, API_TOKEN="hush hush")
    assert code == 2
    assert "API_TOKEN: must be printable ASCII" in errors
    assert "hush" not in errors


def test_commands_reach_the_service_over_tls_with_a_certificate_and_a_password(folder: Path) -> None:
    users = f"basic_auth_users:\n  alice: {hash_password(PASSWORD)}\n"
    web = MUTUAL + "  client_auth_type: RequireAndVerifyClientCert\n" + users
    with serving(folder, web, "ops") as server:
        trusting = ["--ca-file", str(folder / "ca.crt")]
        certified = [*trusting, "--cert-file", f"{folder}/ops.crt", "--key-file", f"{folder}/ops.key"]

        def asks(*options: str, **env: str) -> tuple[int, str]:
            done = run("devices", "list", "--url", server.url, *options, env=env)
            return done.returncode, done.stderr

        assert asks(*certified, "--login", "alice", PROMSNMP_PASSWORD=PASSWORD) == (0, "")
        for options, message in (
            ((), "certificate not trusted.*--ca-file"),
            (tuple(trusting), "client certificate.*--cert-file"),
            (tuple(certified), "requires authentication.*API_TOKEN.*--login"),
            ((*certified, "--login", "alice"), "rejected these credentials"),
        ):
            code, errors = asks(*options, PROMSNMP_PASSWORD="wrong")
            assert code == 1
            assert re.search(message, errors), errors
            assert errors.count("\n") == 1
