"""``promsnmp web-password``: hashes that the web configuration accepts."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest

from promsnmp.cli.main import run
from promsnmp.http.security.passwords import verify_password
from promsnmp.http.security.web_config import read_web_config


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", ["alice", "prometheus@example.com", "o'hara", "123", "yes", "null", "True", "#1"])
def test_the_line_is_valid_in_the_file(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("päss wörd \n"))
    assert run(["web-password", name]) == 0
    file = tmp_path / "web.yml"
    file.write_text("basic_auth_users:\n" + capsys.readouterr().out)
    ((found, stored),) = read_web_config(file).users.items()
    assert found == name
    assert verify_password("päss wörd ", stored)


def test_without_a_name_only_the_hash_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click, "prompt", lambda *_, **options: "typed" if options["confirmation_prompt"] else "")
    assert run(["web-password"]) == 0
    assert verify_password("typed", capsys.readouterr().out.strip())


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [([], "\n", "empty"), ([], "x" * 73, "72 bytes"), (["a:b"], "x", "colon"), ([""], "x", "must not be empty")],
)
def test_invalid_names_and_passwords_are_refused(
    arguments: list[str],
    given: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert run(["web-password", *arguments]) == 2
    assert message in capsys.readouterr().err
