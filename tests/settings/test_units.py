"""Durations and sizes take units; plain numbers keep their meaning."""

from __future__ import annotations

import re

import pytest

from promsnmp.errors import SettingsError
from promsnmp.settings import Settings, load_settings
from promsnmp.settings.reading.schema import unit_of
from promsnmp.settings.reading.units import milliseconds, octets


@pytest.mark.parametrize(
    ("written", "number"),
    [("30s", 30_000), ("1m30s", 90_000), ("500ms", 500), ("1.5s", 1500), ("1d", 86_400_000), (" 2 h ", 7_200_000)],
)
def test_durations_have_units(written: str, number: int) -> None:
    assert milliseconds(written) == number


@pytest.mark.parametrize(
    ("written", "number"), [("64MiB", 64 << 20), ("64Mi", 64 << 20), ("1GB", 10**9), ("512B", 512), ("0.5KiB", 512)]
)
def test_sizes_have_units(written: str, number: int) -> None:
    assert octets(written) == number


@pytest.mark.parametrize("value", ["30000", "0", " 7 ", "-1", 30_000, None])
def test_what_has_no_unit_is_left_to_the_setting(value: object) -> None:
    assert milliseconds(value) == octets(value) == value


@pytest.mark.parametrize("written", ["30x", "s", "1s2", "64M", "1.0001s", "1e400s", "9" * 80 + "s", "٣s"])
def test_other_units_are_errors_that_list_the_right_ones(written: str) -> None:
    for read in (milliseconds, octets):
        with pytest.raises(ValueError, match="units:"):
            read(written)


def test_every_setting_in_milliseconds_or_bytes_takes_units() -> None:
    duration = re.compile(r"((max|min)imum )?milliseconds", re.IGNORECASE)
    size = re.compile(r"((max|min)imum |memory )?(bytes|octets|for)", re.IGNORECASE)
    for name, field in Settings.model_fields.items():
        text = field.description or ""
        wanted = milliseconds if duration.match(text) else octets if size.match(text) else None
        assert wanted is None or unit_of(field) is wanted, f"{name}: give it the type Milliseconds or Bytes"


def test_settings_are_read_with_units_and_keep_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTION_INTERVAL", "5m")
    monkeypatch.setenv("COLLECTION_BACKOFF_MAX", "1h")
    monkeypatch.setenv("MEMORY_LIMIT", "512MiB")
    found = load_settings()
    assert (found.collection_interval, found.collection_backoff_max, found.memory_limit) == (
        300_000,
        3_600_000,
        512 << 20,
    )
    monkeypatch.setenv("SERVER_IDLE_TIMEOUT", "5s")
    with pytest.raises(SettingsError, match=r"SERVER_IDLE_TIMEOUT=5000: .*35000"):
        load_settings()
