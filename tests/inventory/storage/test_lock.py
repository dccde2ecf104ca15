"""Writers take turns, with and without locks of the file system, and whatever becomes of one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.storage import lock as lock_module
from promsnmp.inventory.storage.lock import lock_file, write_lock
from promsnmp.inventory.storage.lock_check import LockCheck, check_locks, local_locks_option
from promsnmp.inventory.store import InventoryStore
from tests.support.inventory.faulty_calls import FaultyCalls
from tests.support.inventory.samples import ENVIRONMENT, KEY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


def writer_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.writer")


@pytest.fixture
def locks_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "_wait_for_flock", lambda *_: False)


WRITER = """
import asyncio, sys, uuid
from dataclasses import replace
from pathlib import Path
from promsnmp.errors import InventoryError
from promsnmp.inventory.model import Device
from promsnmp.inventory.store import InventoryStore

async def main():
    store = InventoryStore(Path(sys.argv[1]), sys.argv[2].encode())
    store.load()
    print("ready", flush=True)
    sys.stdin.read(1)
    for _ in range(int(sys.argv[3])):
        device = Device(str(uuid.uuid4()), "added")
        try:
            await store.update(lambda old: replace(old, devices=(*old.devices, device)))
        except InventoryError:
            continue
        print(device.id, flush=True)

asyncio.run(main())
"""


def run_writers(path: Path, environment: dict[str, str], *, writers: int, writes: int) -> set[str]:
    """Writers that write at the same time; returns the ids of the devices whose addition was confirmed."""
    command = [sys.executable, "-c", WRITER, str(path), KEY.decode(), str(writes)]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**ENVIRONMENT, **environment})
        for _ in range(writers)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    confirmed: set[str] = set()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("g")
        process.stdin.flush()
    for process in processes:
        confirmed.update(process.communicate(timeout=120)[0].split())
        assert process.returncode == 0
    return confirmed


def test_no_confirmed_write_is_lost_where_locks_do_nothing(path: Path, tmp_path: Path) -> None:
    calls = FaultyCalls(tmp_path)
    with calls.no_locks():
        confirmed = run_writers(path, calls.env, writers=3, writes=40)
    there = {device.id for device in InventoryStore(path, KEY).load().devices}
    assert confirmed == there
    assert len(confirmed) > 40
    assert not writer_file(path).exists()


# --- what a writer leaves


def test_the_turn_of_a_crashed_writer_ends_at_once_where_locks_work(path: Path) -> None:
    writer_file(path).write_bytes(b"crashed")
    with write_lock(path) as turn:
        turn.check()
    assert not writer_file(path).exists()


@pytest.mark.usefixtures("locks_do_nothing")
def test_the_turn_of_a_silent_writer_ends_after_a_while_where_locks_do_not_work(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "LOCK_TIMEOUT", 0.0)
    writer_file(path).write_bytes(b"silent")
    with pytest.raises(InventoryUnavailable, match="another process"), write_lock(path):
        pass
    assert writer_file(path).read_bytes() == b"silent"
    monkeypatch.setattr(lock_module, "ABANDONED_AFTER", 0.0)
    with write_lock(path):
        pass


@pytest.mark.usefixtures("locks_do_nothing")
def test_a_writer_that_lost_its_turn_notices_it_and_leaves_the_next_one_its_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "ABANDONED_AFTER", 0.0)
    with write_lock(path) as asleep:
        asleep.check()
        with write_lock(path) as awake:
            with pytest.raises(InventoryUnavailable, match="took its turn"):
                asleep.check()
            awake.check()
        assert not asleep.is_held


@pytest.mark.usefixtures("locks_do_nothing")
async def test_a_write_that_lost_its_turn_before_the_rename_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace({"devices": [{"sysName": "a"}]})
    monkeypatch.setattr(lock_module.WriteTurn, "is_held", False)
    with pytest.raises(InventoryUnavailable, match="took its turn"):
        await store.replace({"devices": []})
    assert InventoryStore(path, KEY).load() == before


def test_a_new_turn_that_is_removed_by_mistake_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process removes the old turn and begins a new one, between the look at the old one and its removal."""
    writer = writer_file(path)
    writer.write_bytes(b"silent")
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        self.write_bytes(b"new")
        return rename(self, target)

    monkeypatch.setattr(lock_module, "ABANDONED_AFTER", -1.0)
    monkeypatch.setattr(Path, "rename", late)
    assert lock_module._remove_abandoned(path, None, writer)
    assert writer.read_bytes() == b"new"
    assert [file.name for file in path.parent.iterdir()] == [writer.name]


# --- whether locks work


def test_locks_that_exclude_another_process_work(path: Path) -> None:
    assert check_locks(lock_file(path)) == LockCheck(True)
    with write_lock(path):
        assert check_locks(lock_file(path)) == LockCheck(True)


def test_locks_that_two_processes_get_at_once_do_not_work(path: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from promsnmp.inventory.storage.lock_check import check_locks\n"
        "found = check_locks(Path(sys.argv[1])); print(found.work, found.problem)"
    )
    calls = FaultyCalls(tmp_path)
    command = [sys.executable, "-c", script, str(lock_file(path))]
    with calls.no_locks():
        run = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60, env={**ENVIRONMENT, **calls.env}
        )
    assert run.stdout == "False it grants a lock to two processes at the same time\n"


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /data rw,relatime shared:20 - nfs4 server:/data rw,vers=4.2,local_lock=none,addr=192.0.2.1
41 22 0:51 / /data/old\\040one rw,relatime - nfs server:/old rw,vers=3,nolock,local_lock=all
42 22 0:52 / /share rw - cifs //server/share rw,nobrl
nonsense
"""


@pytest.mark.parametrize(
    ("place", "option"),
    [("/var/lib/inventory.json", ""), ("/data/inventory.json", ""), ("/data/old one/inventory.json", "nolock"),
     ("/share/a/inventory.json", "nobrl"), ("/shared/inventory.json", "")],
)  # fmt: skip
def test_options_of_a_mount_that_keep_locks_on_this_machine_are_found(tmp_path: Path, place: str, option: str) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert local_locks_option(Path(place), tmp_path / "mountinfo") == option
    assert local_locks_option(Path(place), tmp_path / "missing") == ""
