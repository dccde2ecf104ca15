"""Health, liveness and readiness."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from promsnmp.observe import health as module
from promsnmp.observe.health import UP, Component, DiskSpace, Health, Status, loop_check, worst_status
from promsnmp.observe.tasks import LoopLag

DOWN = Component(Status.DOWN)
OUT = Component(Status.OUT_OF_SERVICE)
UNKNOWN = Component(Status.UNKNOWN)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([UP, OUT, DOWN], Status.DOWN),
        ([UP, OUT], Status.OUT_OF_SERVICE),
        ([UNKNOWN, UP], Status.UP),
        ([UNKNOWN], Status.UNKNOWN),
        ([], Status.UNKNOWN),
    ],
)
def test_the_worst_component_decides(parts: list[Component], whole: Status) -> None:
    assert worst_status({str(number): part for number, part in enumerate(parts)}) is whole


def test_a_service_that_runs_is_ready() -> None:
    health = Health({})
    assert health.ready
    assert health.reason == ""


def test_a_shutdown_makes_the_service_unready_but_alive() -> None:
    health = Health({})
    health.drain()
    assert health.readiness() == OUT
    assert health.reason == "shutting down"
    assert health.liveness() == UP


def test_a_component_that_is_down_leaves_readiness_alone() -> None:
    health = Health({"disk": lambda: DOWN})
    assert worst_status(health.components()) is Status.DOWN
    assert health.ready


def test_a_check_that_fails_is_down_with_the_reason() -> None:
    def broken() -> Component:
        raise OSError("gone")

    health = Health({"disk": broken})
    assert health.component("disk") == Component(Status.DOWN, {"error": "OSError: gone"})


def test_there_is_no_component_of_another_name() -> None:
    assert Health({}).component("disk") is None


def test_a_loop_that_lags_or_falls_silent_is_down() -> None:
    lag = LoopLag()
    assert loop_check(lag).status is Status.UP
    lag.last = module.MAX_LAG * 2
    assert loop_check(lag).status is Status.DOWN
    lag.last = 0.0
    lag.measured_at = time.monotonic() - module.MAX_SILENCE * 2
    assert loop_check(lag).status is Status.DOWN


async def test_the_disk_of_a_file_that_does_not_exist_yet_is_known(tmp_path: Path) -> None:
    disk = DiskSpace(tmp_path / "not" / "yet" / "inventory.json")
    assert disk.check().status is Status.UNKNOWN
    await disk.refresh()
    part = disk.check()
    assert part.status is Status.UP
    assert 0 < part.details["free"] <= part.details["total"]  # type: ignore[operator]  # both are ints


async def test_a_full_disk_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
    disk = DiskSpace(tmp_path / "inventory.json")
    await disk.refresh()
    assert disk.check().status is Status.DOWN


async def test_a_disk_error_is_down_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", fails)
    disk = DiskSpace(tmp_path / "inventory.json")
    await disk.refresh()
    assert disk.check() == Component(Status.DOWN, {"error": f"Input/output error: {tmp_path}"})


def test_a_disk_that_does_not_answer_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = DiskSpace(tmp_path / "inventory.json")
    monkeypatch.setattr(module, "DISK_SILENCE", -1.0)
    assert disk.check().details["error"] == "the disk does not answer"
