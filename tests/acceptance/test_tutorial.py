"""Every command of docs/tutorial.md is run, in its order, in one shell, in a network namespace of its own.

snmpd, Prometheus and PromSNMP are real; ports are those of the page (161, 8080, 9090), which is why they need a network
of their own. ``make bare`` runs the page with its installation and service management, too, on a bare Debian.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.bare.tutorial import PAGE, commands
from tests.support.tools import PROJECT, require_tool

ELSEWHERE = {
    "sudo apt-get": "the packages that tests need are installed",
    "python3 -m venv": "the tests run in one",
    "~/promsnmp/bin/pip": "test_build.py installs the wheel",
    "export PATH=~/promsnmp": "likewise",
    "sudo systemctl disable": "there is no service manager",
}
"""Commands that are not run here, and why."""
INSTEAD = {
    "echo 'view systemonly included .1' | sudo tee /etc/snmp/snmpd.conf.d/tutorial.conf": (
        "sed '/^includeDir\\|^agentaddress/Id' /etc/snmp/snmpd.conf > snmpd.conf; "
        "echo 'view systemonly included .1' >> snmpd.conf; echo 'agentaddress 127.0.0.1' >> snmpd.conf"
    ),
    "sudo systemctl restart snmpd": (
        "SNMP_PERSISTENT_DIR=$PWD/snmpd SNMPCONFPATH=$PWD snmpd -f -Lo -I -smux -C -c snmpd.conf > snmpd.log 2>&1 & "
        "agent=$!; disown; until promsnmp walk 127.0.0.1 1.3.6.1.2.1.1.5 -c public; do sleep 0.2; done"
    ),
    "sudo systemctl stop snmpd": "kill $agent",
    "cd && rm -r ~/promsnmp-tutorial": "cd",
}
"""Replacements of commands that need a service manager, or that remove what the test reads."""


def script() -> str:
    lines = commands(PAGE.read_text(encoding="utf-8"))
    used = [INSTEAD.get(line, line) for line in lines if not line.startswith(tuple(ELSEWHERE))]
    assert all(command in lines for command in INSTEAD)
    return "\n".join(["set -m -o pipefail", "ip link set lo up", *used, "wait"])


@pytest.mark.timeout(300)
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_every_command_of_the_tutorial_runs_and_the_alert_fires(tmp_path: Path) -> None:
    for tool, package in (("snmpd", "snmpd"), ("prometheus", "prometheus"), ("ip", "iproute2"), ("curl", "curl")):
        require_tool(tool, package=package)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "MIBS": "",
        "PYTHONPATH": str(PROJECT / "src"),
    }
    done = subprocess.run(
        ["unshare", "--net", "timeout", "240", "bash", "-c", script()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    out = done.stdout
    logs = [path.read_text() for path in sorted(tmp_path.rglob("*.log"))]
    log = "\n".join((done.stdout, done.stderr, *logs))
    assert done.returncode == 0, log
    assert "readiness: UP\n" in out, log
    assert "added" in out, log
    assert "system,if_mib" in out, log
    assert re.search(r"^ifHCInOctets\{.*ifName=\"lo\"\} \d+$", out, re.MULTILINE), log
    assert re.search(r"^up\{instance=\"[^\"]+\", job=\"snmp\"\} => 1 ", out, re.MULTILINE), log
    assert re.search(r"^ALERTS\{alertname=\"DeviceDown\", alertstate=\"firing\"", out, re.MULTILINE), log
    assert "refused" in out, log
