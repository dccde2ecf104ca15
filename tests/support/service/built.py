"""Catches the settings with which ``promsnmp serve`` would build a service."""

from __future__ import annotations

import pytest

from promsnmp import app
from promsnmp.settings import Settings


def catch_settings(monkeypatch: pytest.MonkeyPatch, *, exit_code: int) -> list[Settings]:
    """The settings that services were built with; each service ends at once with ``exit_code``."""
    built_with: list[Settings] = []

    class FakeService:
        def run(self) -> int:
            return exit_code

    def build(settings: Settings) -> FakeService:
        built_with.append(settings)
        return FakeService()

    monkeypatch.setattr(app, "build", build)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("promsnmp.observe.logging.configure_logging", lambda **_: None)
    return built_with
