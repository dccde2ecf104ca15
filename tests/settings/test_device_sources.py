"""The list ``sources`` of promsnmp.yml, and DEVICE_SOURCES."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from promsnmp.errors import SettingsError
from promsnmp.settings import load_settings
from promsnmp.settings.device_sources.definitions import FileSource, HttpSource, NetboxSource
from promsnmp.settings.reading.config_file import VARIABLE
from promsnmp.settings.reading.schema import schema

SECRET = "hunter2-hunter2"
FILE = """
sources:
  - name: files
    type: file
    path: /etc/promsnmp/devices/*.yml
    credentials: campus
    labels: {origin: files}
  - {name: cmdb, type: http, url: "https://cmdb.example.net/sd", interval: 1m, user: me, password_env: P, port: 1161}
  - name: netbox
    type: netbox
    url: https://netbox.example.net
    token_file: /run/secrets/netbox
    filters: {status: active, site: [ber, muc]}
    max_bytes: 64MiB
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "promsnmp.yml"
    path.touch(0o600)
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_they_are_a_list_in_the_file_and_in_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(FILE)
    files, cmdb, netbox = load_settings().source_definitions
    assert isinstance(files, FileSource)
    assert (files.path, files.labels, files.interval) == ("/etc/promsnmp/devices/*.yml", {"origin": "files"}, 300_000)
    assert isinstance(cmdb, HttpSource)
    assert (cmdb.interval, cmdb.port) == (60_000, 1161)
    assert isinstance(netbox, NetboxSource)
    assert (netbox.filters["site"], netbox.max_bytes) == (("ber", "muc"), 64 * 1024 * 1024)
    jsonschema.validate(yaml.safe_load(FILE), schema())
    monkeypatch.setenv("DEVICE_SOURCES", "[{name: one, type: file, path: /x}]")
    assert [one.name for one in load_settings().source_definitions] == ["one"]


def test_nothing_is_nothing(file: Path) -> None:
    for text in ("", "sources:", "sources: []", "sources: {device_sources: ''}"):
        file.write_text(text)
        assert load_settings().source_definitions == ()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"type": "file", "path": "x"}, "name"),
        ({"name": "a b", "type": "file", "path": "x"}, "name"),
        ({"name": "a", "type": "fiel", "path": "x"}, "file"),
        ({"name": "a", "type": "file", "path": "x", "pth": SECRET}, "pth: is not a key"),
        ({"name": "a", "type": "http", "url": "ftp://x"}, "is not a URL"),
        ({"name": "a", "type": "http", "url": f"http://me:{SECRET}@x"}, "must not have a user or password"),
        ({"name": "a", "type": "http", "url": "http://x", "token": SECRET}, "use token_file or token_env"),
        ({"name": "a", "type": "http", "url": "http://x", "user": "me"}, "password_file"),
        ({"name": "a", "type": "http", "url": "http://x", "token_env": "A", "token_file": "b"}, "use one"),
        ({"name": "a", "type": "dns", "records": []}, "records"),
        ({"name": "a", "type": "file", "path": "x", "interval": "fast"}, "interval"),
        ({"name": "a", "type": "file", "path": "x", "labels": {"1": "x"}}, "label name"),
        ("x", "[0]"),
    ],
)
def test_what_is_wrong_is_told_without_values(file: Path, entry: object, problem: str) -> None:
    file.write_text("\n" + json.dumps({"sources": [entry]}))
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert problem in str(caught.value)
    assert f"{file}:2: device_sources" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{a: b}", "must be a list"),
        ("[", "not valid YAML"),
        ("[{name: a, name: b}]", "repeated"),
        ("[{name: a, type: file, path: x}, {name: a, type: file, path: y}]", "two sources have the name 'a'"),
        (json.dumps([{}] * 101), "more than 100"),
    ],
)
def test_the_list_itself_can_be_wrong(text: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICE_SOURCES", text)
    with pytest.raises(SettingsError, match="DEVICE_SOURCES") as caught:
        load_settings()
    assert problem in str(caught.value)
