"""The flags of snmp_exporter: the settings they set, and those that are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from promsnmp.cli.main import WRONG, run
from promsnmp.settings import Settings
from tests.support.service.built import catch_settings

MODULE = "modules: {m: {walk: [1.3], metrics: [{name: a, oid: 1.3.1, type: gauge}]}}\n"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that services were built with, instead of services."""
    return catch_settings(monkeypatch, exit_code=0)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--snmp.wrap-large-counters"], {"snmp_wrap_large_counters": True}),
        (["--no-snmp.wrap-large-counters"], {"snmp_wrap_large_counters": False}),
        (["--config.expand-environment-variables"], {"snmp_expand_environment": True}),
        (["--no-config.expand-environment-variables"], {"snmp_expand_environment": False}),
        (["--snmp.source-address=127.0.0.1:0"], {"snmp_source_address": "127.0.0.1"}),
        (["--snmp.source-address=127.0.0.1:"], {"snmp_source_address": "127.0.0.1"}),
        (["--snmp.source-address=127.0.0.1"], {"snmp_source_address": "127.0.0.1"}),
        (["--snmp.source-address=[::1]:0"], {"snmp_source_address": "::1"}),
        (["--snmp.source-address", "::1"], {"snmp_source_address": "::1"}),
        (["--log.level=warn"], {"log_level": "warning"}),
        (["--log.level=debug", "--log.format=json"], {"log_level": "debug", "log_format": "json"}),
        (["--log.format=logfmt"], {"log_format": "text"}),
        (["--snmp.module-concurrency=4", "--web.telemetry-path=/metrics"], {}),
        (["--web.listen-address=:9116"], {"listen_addresses": [("", 9116)]}),
        (
            ["--web.listen-address=[::1]:9116", "--web.listen-address=localhost:9117", "--web.listen-address=:9118"],
            {"listen_addresses": [("::1", 9116), ("localhost", 9117), ("", 9118)]},
        ),
        (["--web.systemd-socket"], {"server_systemd_socket": True}),
        (["--config.file=a.yml", "--config.file", "b*.yml"], {"config_patterns": ("a.yml", "b*.yml")}),
    ],
)
def test_flags_are_settings(built: list[Settings], arguments: Sequence[str], expected: dict[str, object]) -> None:
    assert run(["serve", *arguments]) == 0
    assert {name: getattr(built[0], name) for name in expected} == expected


def test_settings_without_a_flag_come_from_the_environment(
    built: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNMP_WRAP_LARGE_COUNTERS", "false")
    monkeypatch.setenv("SERVER_MORE_ADDRESSES", "127.0.0.1:7")
    run(["serve"])
    run(["serve", "--snmp.wrap-large-counters", "--web.listen-address=:8"])
    assert [one.snmp_wrap_large_counters for one in built] == [False, True]
    assert [one.listen_addresses for one in built] == [[("", 8080), ("127.0.0.1", 7)], [("", 8)]]


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("--web.telemetry-path=/own", "must be /metrics"),
        ("--snmp.debug-packets", "promsnmp explain"),
        ("--snmp.source-address=127.0.0.1:5000", "the port must be 0"),
        ("--snmp.source-address=somewhere", "SNMP_SOURCE_ADDRESS=somewhere: is not an address"),
        ("--web.listen-address=9116", "is not address:port"),
        ("--web.listen-address=vsock://:9116", "is not address:port"),
        ("--web.listen-address=::1:9116", "is not address:port"),
        ("--web.listen-address=:65536", "is not address:port"),
        ("--log.level=loud", "'loud' is not one of"),
        ("--snmp.no-such-flag", "No such option"),
    ],
)
def test_unsupported_flags_are_refused_in_one_line(
    built: list[Settings], argument: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", argument]) == WRONG
    errors = capsys.readouterr().err
    assert says in errors
    assert errors.count("\n") == 1
    assert built == []


def test_a_dry_run_checks_the_files_and_exits(
    built: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "snmp.yml"
    file.write_text(MODULE)
    assert run(["serve", "--dry-run", f"--config.file={file}"]) == 0
    assert "valid" in capsys.readouterr().out
    file.write_text(MODULE.replace("walk", "wolk"))
    assert run(["serve", "--dry-run", f"--config.file={file}"]) == WRONG
    assert f"{file}:1: unknown key 'wolk'" in capsys.readouterr().err
    assert built == []
