"""deploy/image: built by podman, run unprivileged and read-only, and inspected.

The default image consists of the one without a shell and one more layer, so both come from one build.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp import __version__
from tests.support.deploy import original
from tests.support.deploy.image import CACHE, IMAGE, alone, build, hardened, make_base, podman
from tests.support.deploy.kube import EXAMPLES, documents, manifests, pick
from tests.support.tools import PROJECT, require_tool, wait_until

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="building an image takes root here"),
    pytest.mark.xdist_group("image"),
]
CONTAINER = f"promsnmp-test-{os.getpid()}"
LARGEST = {"default": 145_000_000, "distroless": 130_000_000}
"""Maximum sizes of the images in octets, uncompressed."""
SHELL = {"sh", "ls", "head", "tail", "grep", "vi", "busybox", "curl"}
"""Programs that only the default image has, some of them."""
UNWANTED = {
    "bash", "dash", "gcc", "cc", "apt", "apt-get", "dpkg", "pip", "pip3", "perl", "su", "mount",
}  # fmt: skip


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    require_tool("podman", package="podman")
    with alone():
        make_base()
        build("--build-arg", f"VERSION={__version__}", "--build-arg", "REVISION=abc123")
        yield IMAGE


@pytest.fixture(scope="module")
def distroless(image: str) -> str:
    """The image that the last layer of the default one is built on."""
    parent: str = json.loads(podman("image", "inspect", image).stdout)[0]["Parent"]
    return parent


@pytest.fixture(scope="module")
def roots(image: str, distroless: str) -> Iterator[dict[str, Path]]:
    """The files of both images."""
    named = {"default": image, "distroless": distroless}
    yield {name: Path(podman("image", "mount", one).stdout.strip()) for name, one in named.items()}
    for one in named.values():
        podman("image", "unmount", "--force", one)


@pytest.fixture(scope="module")
def running(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container with the options of the Deployment, and a network of its own as a pod has it."""
    data, copies = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("backup")
    for folder in (data, copies, *data.parents[:2]):
        folder.chmod(0o777)
    volumes = [f"{data}:/app/data", f"{copies}:/backup"]
    options = hardened(env={"PROM_ENCRYPT_KEY": "0123456789abcdef"}, volumes=volumes, network="none")
    podman("run", "--detach", "--name", CONTAINER, *options, image)
    try:
        wait_until(is_ready, deadline=60, what="the container's readiness")
        yield CONTAINER
    finally:
        podman("rm", "--force", "--time", "5", CONTAINER, check=False)


def is_ready() -> bool:
    return inside("curl", "-sf", "localhost:8080/actuator/health/readiness", check=False).returncode == 0


def inside(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return podman("exec", CONTAINER, *words, check=check)


def test_it_runs_compiled_and_unprivileged_and_writes_to_its_volume_only(running: str) -> None:
    assert json.loads(inside("curl", "-s", "localhost:8080/actuator/info").stdout)["build"]["compiled"] == "true"
    status = dict(line.split(":\t", 1) for line in inside("cat", "/proc/1/status").stdout.splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["10001"] * 4
    assert status["CapEff"] == status["CapBnd"] == "0" * 16
    assert status["NoNewPrivs"] == "1"
    assert "Read-only file system" in inside("touch", "/app/x", check=False).stderr
    write("switch")
    assert len(inside("md5sum", "/app/data/promsnmp-inventory.json").stdout.split()[0]) == 32


def write(name: str) -> None:
    """Makes an inventory with one device."""
    document = json.dumps({"devices": [{"sysName": name, "agents": []}]})
    asked = ("-H", "Content-Type: application/json", "-d", document, "localhost:8080/promsnmp/inventory")
    assert inside("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *asked).stdout == "200"


def test_the_commands_of_the_original_run_in_the_container(running: str) -> None:
    """Its kubectl runs the words after ``--`` in the container; a pipe is of the user's own shell."""
    write("switch")
    commands = [command for command in original.commands() if original.runs_in_the_container(command)]
    assert len(commands) == 4
    said = {}
    for command in commands:
        words = original.words_in_the_container(command)
        said[words[0]] = inside(*words).stdout
    assert "promsnmp-inventory.json" in said["ls"]
    assert len(said["cat"]) > 64
    assert said["md5sum"].endswith("  /app/data/promsnmp-inventory.json\n")
    assert json.loads(said["curl"])["name"] == "jvm.memory.used"


def test_the_prestop_hooks_of_ours_and_of_the_original_run(running: str) -> None:
    """Without the wait: what matters is that the programs exist."""
    for deployment in (pick(manifests(), "Deployment"), original.deployment()):
        hook = deployment["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]
        command = [word.replace("10", "0") for word in hook["exec"]["command"]]
        assert inside(*command).returncode == 0, command


def test_a_backup_of_the_cron_job_is_restored(running: str) -> None:
    """The script of the example and of the chart, with busybox."""
    spec = pick(documents((EXAMPLES / "backup.yaml").read_text()), "CronJob")["spec"]["jobTemplate"]["spec"]["template"]
    command = spec["spec"]["containers"][0]["command"]
    write("before")
    inside(*command)
    (copy,) = inside("ls", "/backup").stdout.split()
    write("after")
    inside("promsnmp", "inventory", "import", f"/backup/{copy}")
    assert "before" in inside("promsnmp", "inventory", "show").stdout
    older = [f"/backup/promsnmp-inventory-202001{day:02}T033000Z.json" for day in range(1, 17)]
    inside("touch", *older)
    inside(*command)
    left = inside("ls", "/backup").stdout.split()
    assert len(left) == 14
    assert copy in left
    assert older[0].rpartition("/")[2] not in left


def test_a_volume_of_root_is_named_at_the_start_with_what_to_do(image: str, tmp_path: Path) -> None:
    """No fsGroup, and no key: it cannot be generated, so the container ends and says why."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    options = hardened(env={}, volumes=[f"{tmp_path}:/app/data"], network="none")
    done = podman("run", "--rm", *options, image, check=False)
    assert done.returncode == 1, done.stderr
    assert "/app/data belongs to user 0 and group 0, this process is user 10001" in done.stderr
    assert "fsGroup" in done.stderr


def test_without_a_shell_it_runs_too(distroless: str) -> None:
    options = hardened(env={}, network="none")
    assert podman("run", "--rm", *options, distroless, "--version").stdout.split()[-1] == __version__
    done = podman("run", "--rm", *options, "--entrypoint", "sh", distroless, "-c", "true", check=False)
    assert done.returncode == 127, done.stderr


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


def programs(root: Path) -> set[str]:
    folders = ("usr/bin", "usr/sbin", "usr/local/bin", "opt/promsnmp/bin")
    return {path.name for folder in folders for path in (root / folder).glob("*")}


def test_there_is_no_compiler_no_package_manager_and_only_in_one_of_them_a_shell(roots: dict[str, Path]) -> None:
    for name, root in roots.items():
        there = programs(root)
        assert there & UNWANTED == set(), name
        assert there >= {"promsnmp", "python3", "sleep", "cat", "md5sum"}, name
        assert there & SHELL == (SHELL if name == "default" else set())
        setuid = [path for path in root.rglob("*") if path.is_file() and path.lstat().st_mode & 0o6000]
        assert setuid == [], name
        assert not list(root.rglob("*.c")), name


def test_nothing_of_the_build_is_left(roots: dict[str, Path]) -> None:
    for root in roots.values():
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


def test_the_images_are_small(image: str, distroless: str) -> None:
    for name, one in (("default", image), ("distroless", distroless)):
        size = json.loads(podman("image", "inspect", one).stdout)[0]["Size"]
        assert size < LARGEST[name], f"{name}: {size / 1e6:.0f} MB"


def test_the_build_context_has_only_what_it_needs() -> None:
    """No layer contains .git, .venv or secrets of the folder."""
    rules = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        "pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "deploy/image", "requirements",
    }  # fmt: skip
    assert CACHE.is_absolute()


def test_the_bills_of_materials_list_what_is_inside(roots: dict[str, Path]) -> None:
    always = {"libc6", "libssl3", "tzdata"}
    for name, root in roots.items():
        bill = json.loads((root / "usr/share/promsnmp/sbom.cdx.json").read_text())
        assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", __version__)
        urls = {one["purl"] for one in bill["components"]}
        site = next(root.glob("opt/promsnmp/lib/python3*/site-packages"))
        inside = {folder.name.partition("-")[0].replace("_", "-").lower() for folder in site.glob("*.dist-info")}
        listed = {url.removeprefix("pkg:pypi/").partition("@")[0] for url in urls if url.startswith("pkg:pypi/")}
        assert {name.replace(".", "-") for name in inside} - {"promsnmp"} == listed
        packages = {url.partition("/debian/")[2].partition("@")[0] for url in urls if "/debian/" in url}
        assert packages >= always
        assert packages & {"busybox", "curl"} == ({"busybox", "curl"} if name == "default" else set())
