"""deploy/image: built by podman, run unprivileged and read-only, and inspected."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from promsnmp import __version__
from tests.support.deploy.image import CACHE, IMAGE, alone, build, hardened, make_base, podman
from tests.support.deploy.kube import manifests, pick
from tests.support.tools import PROJECT, WEB, free_tcp_port, require_tool, wait_until

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="building an image takes root here"),
    pytest.mark.xdist_group("image"),
]
CONTAINER = f"promsnmp-test-{os.getpid()}"
LARGEST = 130_000_000
"""Maximum size of the image in octets, uncompressed."""


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    require_tool("podman", package="podman")
    with alone():
        make_base()
        build("--build-arg", f"VERSION={__version__}", "--build-arg", "REVISION=abc123")
        yield IMAGE


@pytest.fixture(scope="module")
def root(image: str) -> Iterator[Path]:
    """The image's files."""
    yield Path(podman("image", "mount", image).stdout.strip())
    podman("image", "unmount", "--force", image)


@pytest.fixture(scope="module")
def running(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a container with the options of the Deployment."""
    data, port = tmp_path_factory.mktemp("data"), free_tcp_port()
    for folder in (data, *data.parents[:2]):
        folder.chmod(0o777)
    env = {"SERVER_PORT": str(port), "SERVER_ADDRESS": "127.0.0.1", "PROM_ENCRYPT_KEY": "0123456789abcdef"}
    options = hardened(env=env, volumes=[f"{data}:/app/data"])
    podman("run", "--detach", "--name", CONTAINER, *options, image)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{url}/actuator/health/readiness"), deadline=60, what="the container's readiness")
        yield url
    finally:
        podman("rm", "--force", "--time", "5", CONTAINER, check=False)


def answers(url: str) -> bool:
    try:
        return WEB.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def inside(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return podman("exec", CONTAINER, *words, check=check)


def test_it_runs_compiled_and_unprivileged_and_writes_to_its_volume_only(running: str) -> None:
    assert WEB.get(f"{running}/actuator/info").json()["build"]["compiled"] == "true"
    status = dict(line.split(":\t", 1) for line in inside("cat", "/proc/1/status").stdout.splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["10001"] * 4
    assert status["CapEff"] == status["CapBnd"] == "0" * 16
    assert status["NoNewPrivs"] == "1"
    attempt = "open('/app/x', 'w')"
    assert "Read-only file system" in inside("python3", "-c", attempt, check=False).stderr
    document = json.dumps({"devices": [{"sysName": "switch", "agents": []}]}).encode()
    request = f"Request('{running}/promsnmp/inventory', {document!r}, {{'Content-Type': 'application/json'}})"
    asked = f"from urllib.request import Request, urlopen; print(urlopen({request}).status)"
    assert inside("python3", "-c", asked).stdout == "200\n"
    assert len(inside("md5sum", "/app/data/promsnmp-inventory.json").stdout.split()[0]) == 32


def test_the_prestop_hook_runs_without_a_shell(running: str) -> None:
    """Without the wait: what matters is that `sleep` exists."""
    hook = pick(manifests(), "Deployment")["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]
    program, *_ = hook["exec"]["command"]
    assert inside(program, "0").returncode == 0


def test_the_healthcheck_queries_the_service(running: str, image: str) -> None:
    check = json.loads(podman("image", "inspect", image).stdout)[0]["Healthcheck"]
    assert check["Test"] == ["CMD", "promsnmp", "health"]
    assert inside(*check["Test"][1:]).stdout == "readiness: UP\n"


def test_time_zones_names_and_certificates_work(running: str) -> None:
    asked = (
        "import socket, ssl, zoneinfo; zoneinfo.ZoneInfo('America/New_York'); socket.getaddrinfo('localhost', 80);"
        "print(len(ssl.create_default_context().get_ca_certs()) > 50, 'é'.encode())"
    )
    assert inside("python3", "-c", asked).stdout == "True b'\\xc3\\xa9'\n"


def test_the_backends_of_several_replicas_are_installed(running: str) -> None:
    modules = "redis.asyncio, promsnmp.cluster.clients.redis_client, promsnmp.cluster.clients.kube_api"
    asked = f"import {modules}; print('both')"
    assert inside("python3", "-c", asked).stdout == "both\n"


def test_sigterm_to_pid_1_stops_it_cleanly(running: str) -> None:
    podman("kill", "--signal", "TERM", CONTAINER)
    assert podman("wait", CONTAINER, timeout=60).stdout.strip() == "0"
    logs = podman("logs", CONTAINER)
    assert "shutting down" in logs.stdout + logs.stderr


# ------------------------------------------------------------------------------------------------ what is in it


def test_there_is_no_shell_no_compiler_no_package_manager(root: Path) -> None:
    programs = {
        path.name
        for folder in ("usr/bin", "usr/sbin", "usr/local/bin", "opt/promsnmp/bin")
        for path in (root / folder).glob("*")
    }
    unwanted = {
        "sh",
        "bash",
        "dash",
        "busybox",
        "gcc",
        "cc",
        "apt",
        "apt-get",
        "dpkg",
        "pip",
        "pip3",
        "perl",
        "curl",
        "wget",
        "su",
        "mount",
    }
    assert programs & unwanted == set()
    assert programs >= {"promsnmp", "python3", "sleep", "cat", "md5sum"}
    assert not [path for path in root.rglob("*") if path.is_file() and path.stat().st_mode & 0o6000], "setuid files"
    assert not list(root.rglob("*.c"))


def test_nothing_of_the_build_is_left(root: Path) -> None:
    assert {path.name for path in root.iterdir()} <= {
        "app", "bin", "dev", "etc", "lib", "lib64", "lib32", "libx32", "opt", "proc", "run", "sbin", "sys", "tmp",
        "usr",
    }  # fmt: skip
    assert not [path for path in root.rglob("pip*") if path.is_dir()]


def test_labels_user_and_defaults_are_set(image: str) -> None:
    inspected = json.loads(podman("image", "inspect", image).stdout)[0]
    config = inspected["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert config["Labels"]["org.opencontainers.image.revision"] == "abc123"
    env = dict(item.split("=", 1) for item in config["Env"])
    assert env["PROM_INV_FILE"] == "/app/data/promsnmp-inventory.json"
    assert (config["Entrypoint"], config["Cmd"]) == (["promsnmp"], ["serve"])
    assert "/app/data" in config["Volumes"]


def test_the_image_is_small(image: str) -> None:
    size = json.loads(podman("image", "inspect", image).stdout)[0]["Size"]
    assert size < LARGEST, f"{size / 1e6:.0f} MB"


def test_the_build_context_has_only_what_it_needs() -> None:
    """No layer contains .git, .venv or secrets of the folder."""
    rules = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        "pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "deploy/image", "requirements",
    }  # fmt: skip
    assert CACHE.is_absolute()


def test_the_bill_of_materials_lists_what_is_inside(root: Path) -> None:
    bill = json.loads((root / "usr/share/promsnmp/sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", __version__)
    urls = {one["purl"] for one in bill["components"]}
    site = next(root.glob("opt/promsnmp/lib/python3*/site-packages"))
    inside = {folder.name.partition("-")[0].replace("_", "-").lower() for folder in site.glob("*.dist-info")}
    listed = {url.removeprefix("pkg:pypi/").partition("@")[0] for url in urls if url.startswith("pkg:pypi/")}
    assert {name.replace(".", "-") for name in inside} - {"promsnmp"} == listed
    assert {name for name in ("libc6", "libssl3", "tzdata") if not any(f"/{name}@" in url for url in urls)} == set()
