"""The volume or the inventory file fails: nothing in memory is lost, and no file is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.failures.faults import volumes
from tests.support.failures.faults.outages import make_changes, wait_for_same_inventory
from tests.support.failures.faults.volume import Volume
from tests.support.failures.fleet.fleets import replicas_with_file
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]
FILE = "promsnmp-inventory.json"


# --- the volume


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Volume]:
    with Volume(tmp_path_factory.mktemp("volume")) as failing_volume:
        yield failing_volume


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, volume: Volume) -> Iterator[Fleet]:
    with replicas_with_file(tmp_path_factory.mktemp("fleet"), volume.path / FILE, prefix=volume.prefix) as replicas:
        yield replicas


def test_a_read_only_volume_blocks_only_changes(fleet: Fleet, volume: Volume) -> None:
    print(volumes.cannot_be_written(fleet, volume.read_only, "the file system is read-only", slack=BUSY))


def test_a_read_only_volume_is_reported_at_the_start(fleet: Fleet, volume: Volume) -> None:
    print(
        volumes.cannot_be_written_at_the_start(fleet, volume.read_only, "read-only", prefix=volume.prefix, slack=BUSY)
    )


def test_a_full_volume_blocks_only_changes(fleet: Fleet, volume: Volume) -> None:
    print(volumes.cannot_be_written(fleet, volume.full, "the disk is full", slack=BUSY))


def test_a_hanging_volume_blocks_only_changes(fleet: Fleet, volume: Volume) -> None:
    print(volumes.hangs(fleet, volume.hanging, slack=BUSY, lasting=3.0, reported=False))


# --- the file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def file_fleet(folder: Path) -> Iterator[Fleet]:
    with replicas_with_file(folder, folder / FILE) as replicas:
        yield replicas


@contextmanager
def file_replaced(file: Path, data: bytes) -> Iterator[None]:
    """Replaces the content of the file by ``data`` while the block runs."""
    before = file.read_bytes()
    file.write_bytes(data)
    yield
    file.write_bytes(before)


def test_a_truncated_file_is_left_as_it_is(file_fleet: Fleet, folder: Path) -> None:
    file = folder / FILE
    data = file.read_bytes()
    cut = data[: len(data) // 2]
    print(volumes.cannot_be_read(file_fleet, lambda: file_replaced(file, cut), str(file), file=file, slack=BUSY))


def test_an_older_file_is_left_as_it_is(file_fleet: Fleet, folder: Path) -> None:
    file = folder / FILE
    older = file.read_bytes()
    make_changes(file_fleet)
    wait_for_same_inventory(file_fleet)
    print(volumes.cannot_be_read(file_fleet, lambda: file_replaced(file, older), "is older", file=file, slack=BUSY))


def test_a_deleted_file_is_reported_and_written_again_with_the_next_change(file_fleet: Fleet, folder: Path) -> None:
    print(volumes.is_gone(file_fleet, file=folder / FILE, slack=BUSY))


def test_a_replica_without_the_file_does_not_lead_replicas_with_an_inventory(file_fleet: Fleet, folder: Path) -> None:
    print(volumes.is_gone_when_a_replica_starts(file_fleet, file=folder / FILE, slack=BUSY))
