"""The volume is checked before anybody changes the inventory: can it be written, and do its locks work?"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.health import inventory_component
from promsnmp.inventory.storage import volume as volume_module
from promsnmp.inventory.storage.lock_check import LockCheck
from promsnmp.inventory.storage.volume import VolumeCheck
from promsnmp.inventory.store import InventoryStore
from promsnmp.observe.health import Status
from tests.support.cluster.members import Clock
from tests.support.inventory.samples import KEY, document


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "inventory.json"


def read_only(*_: object) -> int:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


async def test_a_volume_that_works_is_left_as_it_was(path: Path) -> None:
    check = VolumeCheck(path)
    await check.run()
    assert (check.write_error, check.locks) == (None, LockCheck(True))
    assert [file.name for file in path.parent.iterdir()] == [".inventory.json.lock"]


async def test_a_volume_that_cannot_be_written_is_told_once_and_so_is_its_recovery(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    check = VolumeCheck(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", read_only)
        for _ in range(3):
            await check.run()
        assert "read-only" in str(check.write_error)
        assert caplog.text.count("read-only") == 1
    await check.run()
    assert check.write_error is None
    assert caplog.text.count("can be written again") == 1


async def test_why_it_cannot_be_written_is_a_problem_of_the_replica_until_it_can(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = VolumeCheck(path)
    check.note_failure(InventoryUnavailable("a change was refused"))  # says nothing yet about this replica
    problems = [check.problem(10.0)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", read_only)
        await check.run()
        problems.append(check.problem(10.0))
    await check.run()
    problems.append(check.problem(10.0))
    assert [("read-only" in problem, bool(problem)) for problem in problems] == [
        (False, False),
        (True, True),
        (False, False),
    ]


async def test_a_volume_that_hangs_is_a_problem_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, clock = threading.Event(), Clock()
    check = VolumeCheck(path, clock=clock)
    check.interval = 5.0
    monkeypatch.setattr(volume_module, "try_writing", lambda _: answers.wait(20))
    running = asyncio.ensure_future(check.run())
    await asyncio.sleep(0)
    clock.now += 10.0
    assert not check.problem(10.0)
    clock.now += 0.1
    assert "does not answer" in check.problem(10.0)
    answers.set()
    await running
    assert not check.problem(10.0)


async def test_a_volume_is_silent_only_when_it_was_asked(path: Path) -> None:
    clock = Clock()
    check = VolumeCheck(path, clock=clock)
    for _ in range(12):
        await check.run()
        clock.now += 5.0
        assert not check.problem(10.0)


async def test_an_unexpected_error_is_a_problem_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path) -> None:
        raise RuntimeError("a bug")

    check = VolumeCheck(path)
    monkeypatch.setattr(volume_module, "try_writing", fails)
    with pytest.raises(RuntimeError):
        await check.run()
    assert "a bug" in check.problem(10.0)


async def test_a_lock_file_of_another_user_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def denied(name: object, *rest: int, **options: int) -> int:
        if str(name).endswith(".lock"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(name, *rest, **options)  # type: ignore[arg-type]

    check = VolumeCheck(path)
    monkeypatch.setattr(os, "open", denied)
    await check.run()
    assert "permission denied" in str(check.write_error)


async def test_a_volume_that_works_is_checked_now_and_then_and_its_locks_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, tried = VolumeCheck(path), list[Path]()
    monkeypatch.setattr(volume_module, "try_writing", tried.append)

    def locks_work(place: Path) -> LockCheck:
        tried.append(place)
        return LockCheck(True)

    monkeypatch.setattr(volume_module, "check_locks", locks_work)
    for _ in range(3):
        await check.run()
    assert [place.name for place in tried] == ["inventory.json", ".inventory.json.lock"]
    check.interval = 0.0
    await check.run()
    assert [place.name for place in tried] == ["inventory.json", ".inventory.json.lock", "inventory.json"]


async def test_locks_that_do_not_work_are_a_warning_and_a_detail_of_the_health(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = InventoryStore(path, KEY)
    assert "locks" not in inventory_component(store).details
    monkeypatch.setattr(volume_module, "check_locks", lambda _: LockCheck(False, "it has no locks"))
    await store.volume.run()
    assert "no working locks: it has no locks" in caplog.text
    component = inventory_component(store)
    assert (component.status, component.details["locks"]) == (Status.UP, "it has no locks")


async def test_health_says_whether_changes_would_be_refused_or_were(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InventoryStore(path, KEY)
    error = InventoryUnavailable("read-only")
    store.volume.note_failure(error)
    assert inventory_component(store).status is Status.DOWN  # nothing is there that could be polled
    await store.replace(document())
    assert inventory_component(store).status is Status.UP
    store.volume.note_failure(error)
    component = inventory_component(store)
    assert (component.status, component.details["error"]) == (Status.UNKNOWN, "read-only")
    monkeypatch.setattr(os, "fsync", read_only)
    with pytest.raises(InventoryUnavailable):
        await store.replace({"devices": []})
    assert inventory_component(store).status is Status.DOWN
    assert inventory_component(store, lag="behind").status is Status.DOWN


async def test_a_replica_that_is_behind_is_out_of_service(path: Path) -> None:
    store = InventoryStore(path, KEY)
    component = inventory_component(store, lag="pod-1 has a newer one")
    assert (component.status, component.details["error"]) == (Status.OUT_OF_SERVICE, "pod-1 has a newer one")
