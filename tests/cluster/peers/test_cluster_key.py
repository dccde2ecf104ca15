"""The key that replicas share: given, or made once beside the inventory file."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from promsnmp.cluster.peers.cluster_key import ClusterKey, cluster_key_file
from promsnmp.errors import SettingsError
from promsnmp.settings import load_settings


def test_every_purpose_has_a_key_of_its_own() -> None:
    one, other = ClusterKey(secrets.token_hex(32)), ClusterKey(secrets.token_hex(32))
    assert len(one.derive("a")) == 32
    assert len({one.derive("a"), one.derive("b"), other.derive("a")}) == 3
    assert one.derive("a") == one.derive("a")


def test_without_key_and_file_each_process_has_its_own() -> None:
    assert ClusterKey().derive("a") != ClusterKey().derive("a")


def test_the_key_file_is_made_once_private_beside_the_inventory(tmp_path: Path) -> None:
    path = cluster_key_file(tmp_path / "new" / "inventory.json")
    assert path == tmp_path / "new" / "inventory.json.cluster-key"
    made = ClusterKey(path=path)
    assert made.problem == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 64
    assert ClusterKey(path=path).derive("a") == made.derive("a")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_given_key_needs_no_file(tmp_path: Path) -> None:
    ClusterKey("x" * 40, tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_processes_that_race_for_the_first_key_end_with_the_same(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from promsnmp.cluster.peers.cluster_key import ClusterKey\n"
        "sys.stdin.read(1)\n"
        "print(ClusterKey(path=Path(sys.argv[1])).derive('a').hex())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "key")]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("g")
        racer.stdin.close()
        racer.stdin = None
    assert len({racer.communicate(timeout=60)[0] for racer in racers}) == 1


def test_a_replaced_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    one, other = ClusterKey(path=path), ClusterKey(path=path)
    path.unlink()
    one.refresh()
    other.refresh()
    assert one.derive("a") == other.derive("a") == ClusterKey(path=path).derive("a")


@pytest.mark.parametrize(
    ("content", "mode"), [("short", 0o600), ("x" * 64, 0o600), ("9f8e7d6c5b4a3021" * 3 + "a1b2c3d4", 0o644)]
)
def test_a_weak_or_exposed_file_ends_the_start_but_no_running_replica(tmp_path: Path, content: str, mode: int) -> None:
    path = tmp_path / "key"
    running = ClusterKey(path=path)
    before = running.derive("a")
    path.write_text(content)
    path.chmod(mode)
    os.utime(path, (0, 0))  # complete for long
    with pytest.raises(SettingsError, match=str(path)) as caught:
        ClusterKey(path=path)
    assert content not in str(caught.value).replace(str(path), "")
    running.refresh()
    assert "refused" in running.problem
    assert running.derive("a") == before
    path.write_text(secrets.token_hex(32))
    path.chmod(0o600)
    running.refresh()
    assert running.problem == ""
    assert running.derive("a") == ClusterKey(path=path).derive("a") != before


def test_while_the_file_cannot_be_made_the_replica_is_alone_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    key = ClusterKey(path=tmp_path / "in the way" / "key")
    assert "Not a directory" in key.problem
    assert key.derive("a")
    (tmp_path / "in the way").unlink()
    key.refresh()
    assert key.problem == ""
    assert key.derive("a") == ClusterKey(path=tmp_path / "in the way" / "key").derive("a")


@pytest.mark.parametrize(
    "value", ["short", "change-me-change-me-change-me-change-me", "9f8e7d6c5b4a3021a1b2c3d4e5f607", "0" * 64]
)
def test_a_weak_cluster_key_is_a_wrong_setting_that_is_not_shown(value: str) -> None:
    with pytest.raises(SettingsError, match=r"CLUSTER_KEY: .*openssl rand -hex 32") as caught:
        load_settings(cluster_key=value)
    assert value not in str(caught.value)


def test_the_cluster_key_is_not_the_key_of_the_inventory() -> None:
    key = secrets.token_hex(16)
    with pytest.raises(SettingsError, match="CLUSTER_KEY must not be PROM_ENCRYPT_KEY"):
        load_settings(cluster_key=key, prom_encrypt_key=key)
    assert load_settings(cluster_key=secrets.token_hex(16), prom_encrypt_key=key).cluster_key is not None
