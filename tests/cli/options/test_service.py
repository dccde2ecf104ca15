"""The options for a running service: which client they make, and which combinations are refused."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from promsnmp.cli.client import URL, ServiceClient
from promsnmp.cli.options.service import MAX_TOKEN, make_client, service_options


def sent_by(**options: Any) -> str:
    return make_client("http://localhost", **options)._authorization


def test_the_token_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_by() == ""
    monkeypatch.setenv("API_TOKEN", " from-environment\n")
    assert sent_by() == "Bearer from-environment"
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text("from-file\n")
    assert sent_by(token_file=file) == "Bearer from-file"


def test_a_token_that_others_can_read_is_refused_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret\n")
    file.chmod(0o644)
    with pytest.raises(click.UsageError, match="chmod 600") as caught:
        sent_by(token_file=file)
    assert "secret" not in str(caught.value)


def test_a_token_may_come_from_a_pipe() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"from-pipe\n")
    os.close(writer)
    assert sent_by(token_file=Path(f"/dev/fd/{reader}")) == "Bearer from-pipe"
    os.close(reader)


def test_a_file_that_is_too_large_for_a_token_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text("x" * (MAX_TOKEN + 1))
    with pytest.raises(click.UsageError, match="8,192 characters"):
        sent_by(token_file=file)


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "unused")
    monkeypatch.setenv("PROMSNMP_PASSWORD", "pass:wörd")
    assert base64.b64decode(sent_by(login="alice").removeprefix("Basic ")).decode() == "alice:pass:wörd"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"login": "alice", "token_file": Path("x")}, "--login.*--token-file"),
        ({"login": "a:b"}, "--login.*colon"),
        ({"login": "alice"}, "PROMSNMP_PASSWORD"),
        ({"token_file": Path("/no/such/file")}, "/no/such/file: No such file"),
        ({"token_file": Path("/dev/null")}, "/dev/null is empty"),
        ({"key_file": Path("x")}, "--cert-file"),
        ({"ca_file": Path("/no/such/ca")}, "/no/such/ca: No such file"),
        ({"ca_file": Path(__file__)}, "cannot use .*test_service.py"),
        ({"cert_file": Path(__file__)}, "cannot use .*test_service.py"),
    ],
)
def test_unusable_options_are_refused_with_the_reason(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(click.UsageError, match=reason):
        make_client("http://localhost", **options)


def test_a_token_that_would_break_the_header_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "secret\r\nX-Other: 1")
    with pytest.raises(click.UsageError) as caught:
        sent_by()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://host", "http://", "http://host?x=1", "file:///etc/passwd", "http://h#x", "http://h:99999"]
)
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(click.UsageError, match="is not a URL"):
        make_client(url)


def test_a_url_may_lack_the_scheme_and_end_with_a_slash() -> None:
    assert make_client("localhost:9000/").url == "http://localhost:9000"
    assert make_client("https://host/promsnmp-eu/").url == "https://host/promsnmp-eu"


def test_a_url_with_a_password_is_refused_and_the_password_not_shown() -> None:
    with pytest.raises(click.UsageError) as caught:
        make_client("http://alice:hush@host")
    assert "--login" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_command_gets_a_client_with_url_only(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[ServiceClient | None] = []

    @click.command()
    @click.option("--other")
    @service_options
    def command(service: ServiceClient | None, other: str) -> None:
        got.append(service)

    def run(*arguments: str) -> int:
        return CliRunner().invoke(command, [*arguments, "--other", "x"]).exit_code

    assert run() == run("--url", "host:1") == 0
    monkeypatch.setenv(URL, "http://from-environment")
    assert run() == 0
    assert [item and item.url for item in got] == [None, "http://host:1", "http://from-environment"]
    assert run("--url", "ftp://host") == 2
    monkeypatch.delenv(URL)
    assert run("--login", "alice") == 2  # whom would she log in to?
