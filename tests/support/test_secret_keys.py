"""Which keys protect nothing, which key files are refused, and that racing processes make one file."""

from __future__ import annotations

import base64
import logging
import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from promsnmp.support.secret_keys import exposure, is_known, make_once, weakness

ANOTHER = 54_321
"""A user and a group that are not this process's."""


def status(mode: int, *, user: int | None = None, group: int | None = None) -> os.stat_result:
    user, group = os.geteuid() if user is None else user, os.getegid() if group is None else group
    return os.stat_result((stat.S_IFREG | mode, 1, 1, 1, user, group, 10, 0, 0, 0))


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640, 0o660])
def test_a_file_for_this_user_and_its_group_is_accepted(mode: int) -> None:
    assert exposure(Path("a.key"), status(mode)) == ""


@pytest.mark.parametrize(
    ("found", "who"),
    [
        (status(0o644), "every user"),
        (status(0o602), "every user"),
        (status(0o640, group=ANOTHER), f"group {ANOTHER}"),
        (status(0o660, group=ANOTHER), f"group {ANOTHER}"),
    ],
)
def test_an_own_file_that_others_can_read_or_change_is_refused(found: os.stat_result, who: str) -> None:
    problem = exposure(Path("/somewhere/a.key"), found)
    assert problem.startswith(who)
    assert "chmod 600 /somewhere/a.key" in problem


def test_the_file_of_another_user_is_accepted_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert exposure(Path("a.key"), status(0o640, user=ANOTHER, group=ANOTHER)) == ""
    assert caplog.text == ""
    assert exposure(Path("a.key"), status(0o644, user=ANOTHER, group=ANOTHER)) == ""
    assert "every user of this machine can read or change the key file" in caplog.text


def test_a_volume_of_kubernetes_needs_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The layout of a Secret volume: tls.key -> ..data/tls.key, ..data -> ..2026_01_02_03_04_05.678."""
    caplog.set_level(logging.WARNING)
    (tmp_path / "..2026_01_02_03_04_05.678").mkdir()
    (tmp_path / "..2026_01_02_03_04_05.678" / "tls.key").write_text("key")
    (tmp_path / "..data").symlink_to("..2026_01_02_03_04_05.678")
    (tmp_path / "tls.key").symlink_to("..data/tls.key")
    assert exposure(tmp_path / "tls.key", status(0o644, user=ANOTHER, group=ANOTHER)) == ""
    assert caplog.text == ""


def test_a_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: make_once(path, b"%d" % number * 10_000), range(32)))
    assert sum(made) == 1
    assert path.read_bytes() == b"%d" % made.index(True) * 10_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_without_hard_links_the_file_is_created_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert make_once(tmp_path / "a.key", b"first")
    assert not make_once(tmp_path / "a.key", b"second")
    assert (tmp_path / "a.key").read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.key"]


@pytest.mark.parametrize(
    "key",
    [
        "change-me-16byte",
        "0123456789ABCDEF",
        "0123456789abcdef",
        "0123456789abcdef" * 2,
        "0123456789abcdef01234567",
        "xxxxxxxxxxxxxxxx",
        "0" * 32,
        "abcdabcdabcdabcd",
        "1234567890123456",
        "ChangeMe_24_bytes_please",
    ],
)
def test_placeholders_defaults_and_repetitions_are_known(key: str) -> None:
    assert is_known(key.encode())
    assert weakness(key)


@pytest.mark.parametrize(
    "key", ["", "short", "9f8e7d6c5b4a3021a1b2c3d4e5f607", "9" * 40, "zYxWv-uTsRq_Pon-Mlk0", "a b c d e f g h"]
)
def test_a_key_of_less_than_128_bits_is_weak(key: str) -> None:
    assert "openssl rand -hex 32" in weakness(key)


def test_random_keys_of_128_bits_and_more_are_strong() -> None:
    for _ in range(300):
        assert not is_known(secrets.token_hex(8).encode())
        for key in (
            secrets.token_hex(16),
            secrets.token_hex(16).upper(),
            secrets.token_hex(32),
            secrets.token_urlsafe(16),
            base64.b64encode(secrets.token_bytes(16)).decode(),
            str(secrets.randbits(160) | 1 << 160),
        ):
            assert weakness(key) == "", key
