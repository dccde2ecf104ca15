"""Commands that write the inventory file: Ctrl-C never hides whether a change was made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from promsnmp.inventory.storage.lock import lock_file, write_lock
from promsnmp.inventory.store import InventoryStore
from tests.support.inventory.samples import ENVIRONMENT, KEY
from tests.support.tools import wait_until


def waits_for(process: subprocess.Popen[str], file: Path) -> bool:
    """Whether a process has a file open."""
    places = Path(f"/proc/{process.pid}/fd")
    return any(os.path.realpath(place) == str(file) for place in places.iterdir())


@pytest.mark.parametrize(("interrupts", "code"), [(1, 0), (2, 1)])
def test_an_interrupted_change_says_what_became_of_it(tmp_path: Path, interrupts: int, code: int) -> None:
    path = tmp_path / "inventory.json"
    settings = {"PROM_INV_FILE": str(path), "PROM_ENCRYPT_KEY": KEY.decode()}
    command = [
        sys.executable,
        "-m",
        "promsnmp",
        "devices",
        "add",
        "--no-check",
        "192.0.2.1",
        "--name",
        "core1",
        "-c",
        "public",
    ]
    pipe = subprocess.PIPE
    with write_lock(path):
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**ENVIRONMENT, **settings})
        wait_until(lambda: waits_for(process, lock_file(path)), deadline=30, what="a command that waits for its turn")
        for _ in range(interrupts):
            before = waits(process)
            process.send_signal(signal.SIGINT)
            wait_until(lambda: waits(process) > before, what="the signal to be handled")  # noqa: B023
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    if interrupts == 1:
        assert out.startswith("added core1")
        assert [device.sys_name for device in InventoryStore(path, KEY).load().devices] == ["core1"]
    else:
        assert "look up whether the change was made" in err


def waits(process: subprocess.Popen[str]) -> int:
    """How often its main thread has waited for something (proc_pid_status(5)): once more after each signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
