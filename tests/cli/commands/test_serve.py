"""``promsnmp serve``: options, settings and help. tests/test_app.py tests the service itself."""

from __future__ import annotations

import pytest

from promsnmp.cli.main import run
from promsnmp.settings import Settings
from tests.support.service.built import catch_settings


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that services were built with, instead of services."""
    return catch_settings(monkeypatch, exit_code=7)


def test_options_override_the_environment(built: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_PORT", "1000")
    monkeypatch.setenv("SERVER_ADDRESS", "192.0.2.1")
    run(["serve", "--port", "2000", "--address", "::1"])
    run(["serve"])
    assert [(item.server_port, item.server_address) for item in built] == [(2000, "::1"), (1000, "192.0.2.1")]


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        (":9116", "", 9116),
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("[::1]:9116", "::1", 9116),
        ("localhost:1", "localhost", 1),
    ],
)
def test_listen_address_sets_address_and_port(
    built: list[Settings], monkeypatch: pytest.MonkeyPatch, text: str, address: str, port: int
) -> None:
    monkeypatch.setenv("SERVER_ADDRESS", "192.0.2.1")
    run(["serve", f"--web.listen-address={text}"])
    assert [(item.server_address, item.server_port) for item in built] == [(address, port)]


@pytest.mark.parametrize(
    "arguments",
    [["9116"], ["host"], ["host:"], ["::1:9116"], ["[::1]"], [":65536"], [":-1"], [":x"], [":1", "--port", "1"]],
)
def test_an_invalid_address_is_refused(built: list[Settings], arguments: list[str]) -> None:
    assert run(["serve", "--web.listen-address", *arguments]) == 2
    assert built == []


def test_the_web_configuration_is_an_option(built: list[Settings]) -> None:
    run(["serve", "--web.config.file", "web.yml"])
    assert [str(item.web_config_file) for item in built] == ["web.yml"]


def test_verbose_logs_in_detail(built: list[Settings]) -> None:
    run(["-v", "serve"])
    run(["serve"])
    assert [item.log_level for item in built] == ["debug", "info"]


def test_the_exit_code_is_that_of_the_service(built: list[Settings]) -> None:
    assert run(["serve"]) == 7
    assert len(built) == 1


def test_its_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--help"]) == 0
    assert "COLLECTION_INTERVAL=0" in capsys.readouterr().out
