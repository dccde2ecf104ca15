"""net-snmp's snmptrap and snmpinform, with their files in a folder of the test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.tools import require_tool

COLD_START = "1.3.6.1.6.3.1.1.5.1"
LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
IF_INDEX_7 = ("1.3.6.1.2.1.2.2.1.1.7", "i", "7")


def send(folder: Path, port: int, *words: str, inform: bool = False, address: str = "127.0.0.1") -> bool:
    """Sends a trap or inform; ``words`` are credentials, and behind ``--`` uptime, notification and varbinds.

    Returns whether the program was content: an inform was acknowledged.
    """
    program = require_tool("snmpinform" if inform else "snmptrap", package="snmp")
    credentials, content = list(words), []
    if "--" in words:
        at = words.index("--")
        credentials, content = list(words[:at]), list(words[at + 1 :])
    place = f"udp6:[{address}]:{port}" if ":" in address else f"udp:{address}:{port}"
    result = subprocess.run(
        [program, *(["-t", "1", "-r", "1"] if inform else []), *credentials, place, *(content or ["", COLD_START])],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder), "MIBS": ""},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return result.returncode == 0 and "Timeout" not in result.stderr and "failed" not in result.stderr.lower()


def v3(
    user: str, level: str, *, auth: str = "", priv: str = "", protocols: tuple[str, str] = ("SHA", "AES")
) -> list[str]:
    """The words for a user of version 3."""
    words = ["-v", "3", "-u", user, "-l", level]
    if auth:
        words += ["-a", protocols[0], "-A", auth]
    if priv:
        words += ["-x", protocols[1], "-X", priv]
    return words
