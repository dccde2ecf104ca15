"""Tests that share a fixture of their module run in one worker, so that it is set up once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.tools import PROJECT

CONFTEST = """
import pytest
from tests.support.workers.groups import group_by_module

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    group_by_module(items)
"""
TESTS = """
import os
import pytest

@pytest.fixture(scope="module")
def shared():
    with open("set-up", "a") as file:
        print(os.getpid(), file=file)

@pytest.mark.parametrize("number", range(20))
def test_sharing(shared, number):
    pass

@pytest.mark.parametrize("number", range(20))
def test_alone(number, record_property):
    with open("workers", "a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_a_fixture_of_a_module_is_set_up_in_one_worker(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text(TESTS)
    options = ["-q", "-n2", "--dist=loadgroup", "-p", "no:cacheprovider", "-p", "no:cloudcoil"]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'src'}"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "80 passed" in done.stdout
    assert len((tmp_path / "set-up").read_text().split()) == 2
    assert set((tmp_path / "workers").read_text().split()) == {"gw0", "gw1"}
