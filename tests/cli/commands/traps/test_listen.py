"""``promsnmp traps listen`` prints what net-snmp sends."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.tools import PROJECT, Process, wait_until
from tests.support.traps.sending import IF_INDEX_7, LINK_DOWN, send, v3

LISTENS = re.compile(r"UDP port (\d+)")
USER = ("-u", "monitor", "-a", "SHA", "-A", "auth-secret", "-x", "AES", "-X", "priv-secret")


def test_it_prints_traps_and_acknowledges_informs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "promsnmp", "traps", "listen", "--port", "0", "--address", "127.0.0.1"]
    options = ["-c", "geheim", *USER, "--count", "2"]
    log, env = tmp_path / "log", {"PYTHONPATH": str(PROJECT / "src")}
    with Process([*command, *options], log=log, env=env, ready=lambda: "UDP port" in log.read_text()) as process:
        found = LISTENS.search(process.output())
        assert found is not None
        port = int(found[1])
        assert send(tmp_path, port, "-v", "2c", "-c", "wrong")
        assert send(tmp_path, port, "-v", "2c", "-c", "geheim", "--", "4711", LINK_DOWN, *IF_INDEX_7)
        user = v3("monitor", "authPriv", auth="auth-secret", priv="priv-secret")
        assert send(tmp_path, port, *user, inform=True)
        wait_until(lambda: not process.running)
        output = process.output()
    assert "127.0.0.1 v2c trap linkDown uptime 0:00:47.11\n  .1.3.6.1.2.1.2.2.1.1.7 = INTEGER: 7\n" in output
    assert "127.0.0.1 v3 monitor authPriv inform coldStart" in output
    assert "unknown_community" in output
    assert "geheim" not in output
