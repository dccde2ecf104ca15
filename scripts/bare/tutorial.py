"""The commands of docs/tutorial.md, as written, on a Debian 12 that nobody prepared, by a user who may use sudo.

The root has no service manager: what the package ``systemd`` would do with the tutorial's ``systemctl`` is done by the
packages' own init scripts (``SYSTEMCTL``). Everything else is the page. Ports are those of the page, on the host's
loopback, so they must be free.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

from scripts.bare.roots import PROJECT, USER

PAGE = PROJECT / "docs" / "tutorial.md"
SECONDS = 600.0
"""What the page promises."""
SYSTEMCTL = """#!/bin/sh
# systemctl for a system without systemd: the init scripts of the packages do it.
case "$1" in
restart | stop | start) exec "/etc/init.d/$2" "$1" ;;
disable) exec "/etc/init.d/$3" stop ;;
*) echo "systemctl $*: not known here" >&2; exit 1 ;;
esac
"""
EXPECTED = (
    r"promsnmp, version \d+\.\d+",
    r"^\.1\.3\.6\.1\.2\.1\.1\.5\.0 = STRING: ",
    r"^readiness: UP$",
    r"1 device found \(1 new\)",
    r"system,if_mib",
    r"^ifHCInOctets\{.*ifName=\"lo\"\} \d+$",
    r"^up\{instance=\"[^\"]+\", job=\"snmp\"\} => 1 ",
    r"^ALERTS\{alertname=\"DeviceDown\", alertstate=\"firing\"",
    r"connection refused",
)
"""What the page shows, line by line, in its order."""
PORTS = ((socket.SOCK_DGRAM, 161), (socket.SOCK_STREAM, 8080), (socket.SOCK_STREAM, 9090))


def commands(page: str) -> list[str]:
    """The lines of all blocks of commands."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def script() -> str:
    """One shell for all of it, as the page says; the first command that fails ends it."""
    return "\n".join(["set -em -o pipefail", *commands(PAGE.read_text(encoding="utf-8"))])


def prepare(root: Path) -> None:
    """Gives the user of an unpacked root sudo without a password, and the root a systemctl."""
    with (root / "etc" / "shadow").open("a") as shadow:
        shadow.write(f"{USER}:*:20000:0:99999:7:::\n")
    (root / "etc" / "sudoers.d" / USER).write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    command = root / "usr" / "local" / "bin" / "systemctl"
    command.write_text(SYSTEMCTL)
    command.chmod(0o755)


def missing(lines: list[str]) -> str:
    """The first of EXPECTED that does not follow those before it; empty when all are there."""
    rest = iter(lines)
    return next((wanted for wanted in EXPECTED if not any(re.search(wanted, line) for line in rest)), "")


def taken() -> list[int]:
    """The ports of the page that are in use here."""
    found = []
    for kind, port in PORTS:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                found.append(port)
    return found
