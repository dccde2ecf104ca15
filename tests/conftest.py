"""Fixtures for every test: compiled extensions match their sources, and this machine's environment has no effect."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from promsnmp.observe.audit import LOGGER as AUDIT_LOGGER
from promsnmp.observe.logging import QUIET_LOGGERS
from promsnmp.settings import Settings
from scripts import compiled
from tests.support.programs import watch
from tests.support.signals import pass_on_default_signals
from tests.support.tools import Snmpd, start_snmpd
from tests.support.workers.groups import group_by_module


def pytest_configure() -> None:
    """Refuses to test a stale extension, which Python would load in place of the changed source.

    Also lets the programs that tests start have default signals.
    """
    if old := compiled.outdated():
        names = ", ".join(path.name for path in old)
        raise pytest.UsageError(
            f"not made from the present source: {names}. Run: make compile (or scripts/compiled.py --clean)"
        )
    pass_on_default_signals()
    os.environ["PROMSNMP_CONFIG"] = os.devnull  # for services that modules of tests share, too


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keeps what is there after collection (modules, 11,000 tests) out of every collection of garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    group_by_module(items)


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """Tests start nothing that is not listed; pytest's plugins may, before."""
    watch()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings have their defaults, whatever is exported here, and nothing is written to the user's data folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PROMSNMP_CONFIG", os.devnull)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))


_LOGGERS = [logging.getLogger(name) for name in ("", "promsnmp", AUDIT_LOGGER, "uvicorn.access", *QUIET_LOGGERS)]
_PLAIN = [(one.level, one.propagate, one.disabled) for one in _LOGGERS]
"""The settings from before the tests, for fixtures of whole modules, which may run commands, too."""


@pytest.fixture(autouse=True)
def _plain_logging() -> Iterator[None]:
    """Restores logging, because a command that runs in this process configures it."""
    _make_plain()
    handlers = [one.handlers[:] for one in _LOGGERS]
    yield
    _make_plain()
    for one, before in zip(_LOGGERS, handlers, strict=True):
        one.handlers = before


def _make_plain() -> None:
    for one, (level, propagate, disabled) in zip(_LOGGERS, _PLAIN, strict=True):
        one.setLevel(level)
        one.propagate, one.disabled = propagate, disabled


@pytest.fixture
def snmpd(tmp_path: Path) -> Iterator[Callable[..., Snmpd]]:
    """``start_snmpd`` without its folder; every agent is stopped after the test."""
    started: list[Snmpd] = []

    def start(**options: object) -> Snmpd:
        folder = tmp_path / f"snmpd{len(started)}"
        folder.mkdir()
        started.append(start_snmpd(folder, **options))  # type: ignore[arg-type]  # as start_snmpd takes them
        return started[-1]

    yield start
    for agent in started:
        agent.stop()
