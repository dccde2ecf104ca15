from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from promsnmp.errors import InventoryUnavailable, OutcomeUnknown
from promsnmp.inventory.storage import lock as lock_module
from promsnmp.inventory.storage.atomic_file import explain_os_errors, read_bytes, stamp_of, write_bytes
from promsnmp.inventory.storage.lock import write_lock
from tests.support.inventory.samples import ENVIRONMENT


def left_behind(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.glob(".*.tmp"))


def test_a_written_file_is_read_back_with_the_stamp_of_its_version(tmp_path: Path) -> None:
    path = tmp_path / "new" / "inventory.json"
    stamp = write_bytes(path, b"one")
    assert read_bytes(path) == (b"one", stamp)
    assert stamp_of(path) == stamp != write_bytes(path, b"two")
    assert left_behind(path.parent) == []


def test_a_new_file_is_private_and_an_existing_one_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "inventory.json"
    write_bytes(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    write_bytes(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "inventory.json"
    link.symlink_to(tmp_path / "real" / "file")
    write_bytes(link, b"one")
    assert link.is_symlink()
    assert (tmp_path / "real" / "file").read_bytes() == b"one"


def test_no_file_is_nothing_and_a_directory_is_an_error_that_says_so(tmp_path: Path) -> None:
    assert read_bytes(tmp_path / "missing") is None
    with pytest.raises(InventoryUnavailable, match="it is a directory; set PROM_INV_FILE"):
        read_bytes(tmp_path)
    with pytest.raises(InventoryUnavailable, match="it is a directory"):
        write_bytes(tmp_path, b"x")


def test_the_owner_of_a_directory_of_another_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume of root, where Kubernetes sets no fsGroup."""
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    said = f"{tmp_path} belongs to user {owner} .* this process is user {owner + 1} .* fsGroup"
    with pytest.raises(InventoryUnavailable, match=said), explain_os_errors(tmp_path / "file", "written"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    monkeypatch.undo()
    with pytest.raises(InventoryUnavailable) as caught, explain_os_errors(tmp_path / "file", "written"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    assert "belongs to" not in str(caught.value)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InventoryUnavailable, match="not a regular file"):
        read_bytes(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("call", "number", "advice"),
    [("write", errno.ENOSPC, "the disk is full"), ("fsync", errno.EDQUOT, "quota"), ("open", errno.EROFS, "read-only"),
     ("open", errno.EACCES, "permission denied"), ("fsync", errno.EIO, "Input/output error")],
)  # fmt: skip
def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, advice: str
) -> None:
    path = tmp_path / "inventory.json"
    write_bytes(path, b"old")

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(InventoryUnavailable, match=advice) as caught:
            write_bytes(path, b"new")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert left_behind(tmp_path) == []


def test_a_replaced_file_is_never_an_error_that_says_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "inventory.json"
    write_bytes(path, b"old")
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutcomeUnknown, match="has been replaced, but its folder cannot be synced"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_that_cannot_be_opened_for_its_sync_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inventory.json"
    write_bytes(path, b"old")
    opened = os.open

    def denied(name: object, flags: int, *rest: int, **options: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(name, flags, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(InventoryUnavailable, match="permission denied"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert left_behind(tmp_path) == []


def test_a_write_past_the_limit_of_the_system_keeps_the_old_file(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from promsnmp.errors import InventoryUnavailable\n"
        "from promsnmp.inventory.storage.atomic_file import write_bytes\n"
        "path = Path(sys.argv[1])\n"
        "write_bytes(path, b'old')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_bytes(path, b'n' * 10000)\n"
        "except InventoryUnavailable as error:\n"
        "    print(error)\n"
    )
    path = tmp_path / "inventory.json"
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    assert "limit of file sizes" in run.stdout
    assert path.read_bytes() == b"old"
    assert left_behind(tmp_path) == []


def test_the_next_writer_removes_what_a_crashed_one_left(tmp_path: Path) -> None:
    path = tmp_path / "inventory.json"
    (tmp_path / ".inventory.json.0123.tmp").write_bytes(b"half")
    (tmp_path / ".other.json.0123.tmp").write_bytes(b"not ours")
    with write_lock(path):
        write_bytes(path, b"x")
    assert left_behind(tmp_path) == [".other.json.0123.tmp"]


def test_writers_take_turns_and_do_not_wait_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "LOCK_TIMEOUT", 0.05)
    path = tmp_path / "inventory.json"
    with write_lock(path), pytest.raises(InventoryUnavailable, match="another process"), write_lock(path):
        pass
    entered = threading.Event()
    with write_lock(path):
        entered.set()
    assert entered.is_set()
