"""Catches the settings that ``promsnmp serve`` builds a service from, and builds none."""

from __future__ import annotations

import pytest

from promsnmp import app
from promsnmp.settings import Settings


def catch_settings(monkeypatch: pytest.MonkeyPatch, *, exit_code: int) -> list[Settings]:
    """The settings that services were built with; each service ends at once with ``exit_code``."""
    found: list[Settings] = []

    class Stands:
        def run(self) -> int:
            return exit_code

    def build(settings: Settings) -> Stands:
        found.append(settings)
        return Stands()

    monkeypatch.setattr(app, "build", build)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("promsnmp.observe.logging.configure_logging", lambda **_: None)
    return found
