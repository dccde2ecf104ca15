from __future__ import annotations

import getpass
import io
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from promsnmp.cli.main import run
from promsnmp.errors import MAX_PROBLEMS
from promsnmp.inventory.document.write import MASK
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.store import InventoryStore
from tests.support.inventory.samples import KEY, SECRETS, document

Command = Callable[..., SimpleNamespace]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "inventory.json"
    monkeypatch.setenv("PROM_INV_FILE", str(path))
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    monkeypatch.delenv("PROM_ENCRYPT_KEY_NEW", raising=False)
    return path


@pytest.fixture
def promsnmp(path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: object) -> SimpleNamespace:
        code = run(["inventory", *map(str, arguments)])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "devices.json"
    source.write_text(json.dumps(document()))
    return source


def test_an_import_can_be_exported_again(promsnmp: Command, source: Path, path: Path, tmp_path: Path) -> None:
    done = promsnmp("import", source)
    assert done.code == 0
    assert [line.split("promsnmp.audit: ")[1].split(" id=")[0] for line in done.err.splitlines()] == [
        'what="device added" device=core1.example.net',
        'what="device added" device=edge2',
        'what="seed added" seed="192.0.2.0/24 host.example.net"',
    ]
    assert f"who=cli:{getpass.getuser()}" in done.err
    assert done.out == f"imported 2 devices, 2 agents, 1 seed into {path} (revision 1)\n"
    assert promsnmp("export", "--secrets", tmp_path / "out.json").code == 0
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "out.json").read_text())["devices"] == document()["devices"]
    assert json.loads(promsnmp("export", "--plain").out)["devices"] == document()["devices"]


def test_an_export_is_masked_and_imports_without_losing_secrets(
    promsnmp: Command, source: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promsnmp("import", source)
    masked = promsnmp("export", "-").out
    assert MASK in masked
    assert not [secret for secret in SECRETS if secret in masked]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(masked.encode())))
    assert promsnmp("import", "-").code == 0
    assert json.loads(promsnmp("export", "--secrets").out)["devices"] == document()["devices"]


def test_each_problem_of_a_document_is_a_line_and_nothing_changes(promsnmp: Command, source: Path, path: Path) -> None:
    promsnmp("import", source)
    before = path.read_bytes()
    source.write_text('{"devices": [{"sysName": "a", "agents": [{"version": 9}]}], "discoverySeeds": 7}')
    failed = promsnmp("import", source)
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.splitlines() == [
        'promsnmp: devices[0].agents[0].endpoint: is missing, like {"address": "192.0.2.1", "port": 161}',
        "promsnmp: devices[0].agents[0].version: 9 is not a version: 0 is v1, 1 is v2c, 3 is v3",
        "promsnmp: discoverySeeds: must be a list, not a number",
    ]
    assert path.read_bytes() == before


def test_a_dry_run_writes_nothing_not_even_a_key(
    promsnmp: Command, source: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROM_ENCRYPT_KEY")
    done = promsnmp("import", "--dry-run", source)
    assert (done.code, done.out) == (
        0, "would import 2 devices, 2 agents, 1 seed; nothing was changed\n",
    )  # fmt: skip
    assert not path.parent.exists()


@pytest.mark.parametrize("content", ["{", "", "[]", "\x00"])
def test_an_invalid_document_exits_with_2(promsnmp: Command, source: Path, content: str) -> None:
    source.write_text(content)
    failed = promsnmp("import", source)
    assert failed.code == 2
    assert len(failed.err.splitlines()) == 1


def test_a_missing_source_exits_with_2(promsnmp: Command, tmp_path: Path) -> None:
    failed = promsnmp("import", tmp_path / "missing.json")
    assert failed.code == 2
    assert "missing.json" in failed.err
    assert promsnmp("import", tmp_path).code == 2
    assert promsnmp("import").code == 2
    assert promsnmp("exprot").code == 2


def test_show_lists_devices_without_secrets_in_full_width(promsnmp: Command, source: Path, path: Path) -> None:
    promsnmp("import", source)
    shown = promsnmp("show")
    assert shown.code == 0
    for text in (
        "core1.example.net",
        "192.0.2.1:161",
        "v2c",
        "system,if_mib",
        "[2001:db8::2]:1161",
        "v3",
        "1 seed",
    ):
        assert text in shown.out
    rows = json.loads(promsnmp("show", "--json").out)
    assert rows[1]["address"] == "[2001:db8::2]:1161"
    assert not [secret for secret in SECRETS if secret in shown.out + json.dumps(rows)]


def test_the_name_of_a_device_cannot_control_the_terminal(promsnmp: Command, source: Path) -> None:
    source.write_text(json.dumps({"devices": [{"sysName": "\x1b[2Jevil [red]"}]}))
    promsnmp("import", source)
    shown = promsnmp("show").out
    assert "\x1b" not in shown
    assert "evil [red]" in shown


def test_without_an_inventory_show_is_empty_and_makes_no_key(
    promsnmp: Command, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROM_ENCRYPT_KEY")
    assert promsnmp("show").code == 0
    assert json.loads(promsnmp("export").out)["devices"] == []
    assert not path.parent.exists()


def test_a_wrong_key_exits_with_2_and_a_damaged_file_with_1(
    promsnmp: Command, source: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promsnmp("import", source)
    good = path.read_bytes()
    monkeypatch.setenv("PROM_ENCRYPT_KEY", "FEDCBA9876543210")
    for command in (["show"], ["export"], ["import", source], ["rekey"]):
        failed = promsnmp(*command)
        assert (failed.code, len(failed.err.splitlines())) == (2, 1)
        assert "cannot be decrypted" in failed.err
    path.write_bytes(b"damaged!")
    assert promsnmp("import", source).code == 1
    assert path.read_bytes() == b"damaged!"
    path.write_bytes(good)
    monkeypatch.setenv("PROM_ENCRYPT_KEY", "short")
    assert promsnmp("show").code == 2


def test_a_plain_inventory_is_refused_until_imported_into_itself(
    promsnmp: Command, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(document()))
    monkeypatch.delenv("PROM_ENCRYPT_KEY")
    assert promsnmp("import", path).code == 0
    assert b"s3cret" not in path.read_bytes()
    assert "core1.example.net" in promsnmp("show").out
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    path.write_text("{}")
    failed = promsnmp("show")
    assert (failed.code, failed.err) == (
        1,
        f"promsnmp: {path} is plain JSON, not encrypted; to import it: promsnmp inventory import {path}\n",
    )


def test_a_plain_inventory_keeps_its_numbers_when_it_is_imported_into_itself(promsnmp: Command, path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(document() | {"revision": 41, "term": 7}))
    assert "(revision 42)" in promsnmp("import", path).out
    found = InventoryStore(path, KEY).load()
    assert (found.revision, found.fencing_token) == (42, 7)
    assert found.imported_at > 0


@pytest.mark.parametrize("revision", [2**62, 2**63, -1, "many"])
def test_absurd_numbers_of_a_plain_inventory_are_refused_or_left_out(
    promsnmp: Command, path: Path, revision: object
) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(document() | {"revision": revision}))
    done = promsnmp("import", path)
    assert done.code == (0 if revision == 2**62 else 2)
    if done.code == 0:
        assert InventoryStore(path, KEY).load().revision == 1


def test_an_import_continues_the_numbers_of_the_file(promsnmp: Command, source: Path, path: Path) -> None:
    promsnmp("import", source)
    first = InventoryStore(path, KEY).load()
    source.write_text(json.dumps(document() | {"revision": 900, "term": 900, "importedAt": 900}))
    assert "(revision 2)" in promsnmp("import", source).out
    second = InventoryStore(path, KEY).load()
    assert (second.revision, second.fencing_token) == (2, 0)
    assert second.imported_at > first.imported_at


def test_a_backup_of_the_file_is_imported_as_it_is(
    promsnmp: Command, source: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promsnmp("import", source)
    backup = tmp_path / "backup"
    backup.write_bytes(path.read_bytes())
    source.write_text('{"devices": []}')
    promsnmp("import", source)
    assert "would import 2 devices" in promsnmp("import", "--dry-run", backup).out
    assert promsnmp("import", backup).code == 0
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(backup.read_bytes())))
    assert "(revision 4)" in promsnmp("import", "-").out
    assert json.loads(promsnmp("export", "--secrets").out)["devices"] == document()["devices"]
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode()[::-1])
    failed = promsnmp("import", backup, "--file", tmp_path / "other.json")
    assert (failed.code, "cannot be decrypted" in failed.err) == (2, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"damaged!", b"{}", encrypt(b"{}", KEY), encrypt(b"{}", KEY[::-1]), encrypt(b"?", KEY)],
    ids=("empty", "damaged", "no inventory", "encrypted", "another key", "not JSON"),
)
def test_an_unreadable_file_is_replaced_only_when_that_is_asked_for_and_stays_beside_it(
    promsnmp: Command, source: Path, path: Path, content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert promsnmp("import", source).code in (1, 2)
    assert promsnmp("import", "--replace-unreadable", "--dry-run", source).code == 0
    assert path.read_bytes() == content
    done = promsnmp("import", "--replace-unreadable", source)
    assert done.code == 0
    assert path.with_name("inventory.json.unreadable").read_bytes() == content
    assert "a copy of it is" in done.err
    assert "core1.example.net" in promsnmp("show").out


def test_a_readable_file_is_imported_into_as_usual_when_unreadable_ones_may_be_replaced(
    promsnmp: Command, source: Path, path: Path
) -> None:
    promsnmp("import", source)
    assert "(revision 2)" in promsnmp("import", "--replace-unreadable", source).out
    assert [file.name for file in sorted(path.parent.iterdir())] == [".inventory.json.lock", "inventory.json"]


def test_a_document_full_of_problems_lists_some_of_them(promsnmp: Command, source: Path) -> None:
    source.write_text(json.dumps({"devices": [{}] * 5000}))
    failed = promsnmp("import", source)
    assert failed.code == 2
    assert len(failed.err.splitlines()) == MAX_PROBLEMS + 1
    assert failed.err.splitlines()[-1] == "promsnmp: devices[100:] was not checked"


def test_an_export_does_not_overwrite_the_inventory_file(promsnmp: Command, source: Path, path: Path) -> None:
    promsnmp("import", source)
    before = path.read_bytes()
    assert promsnmp("export", path).code == 2
    assert path.read_bytes() == before


def test_an_export_to_a_device_does_not_replace_it(promsnmp: Command) -> None:
    assert promsnmp("export", "/dev/null").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_file_overrides_the_setting(promsnmp: Command, source: Path, path: Path, tmp_path: Path) -> None:
    assert promsnmp("import", source, "--file", tmp_path / "other.json").code == 0
    assert (tmp_path / "other.json").exists()
    assert not path.exists()


def test_rekey_reads_the_new_key_from_the_environment_or_a_file(
    promsnmp: Command, source: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promsnmp("import", source)
    monkeypatch.setenv("PROM_ENCRYPT_KEY_NEW", "bad")
    assert promsnmp("rekey").code == 2
    monkeypatch.setenv("PROM_ENCRYPT_KEY_NEW", "N" * 24)
    done = promsnmp("rekey")
    assert done.code == 0
    assert "set PROM_ENCRYPT_KEY" in done.out
    assert "NNNN" not in done.out + done.err
    assert InventoryStore(path, b"N" * 24).load().devices[0].sys_name == "core1.example.net"
    monkeypatch.setenv("PROM_ENCRYPT_KEY", "N" * 24)
    (tmp_path / "key").write_text("M" * 32 + "\n")
    assert promsnmp("rekey", "--new-key-file", tmp_path / "key").code == 0
    assert InventoryStore(path, b"M" * 32).load().revision == 1


def test_rekey_generates_a_key_in_the_key_file(
    promsnmp: Command, source: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROM_ENCRYPT_KEY")
    assert promsnmp("rekey").code == 1
    promsnmp("import", source)
    key = path.with_name("inventory.json.key")
    before = key.read_bytes()
    assert promsnmp("rekey").code == 0
    assert key.read_bytes() != before
    assert "core1.example.net" in promsnmp("show").out


@pytest.mark.parametrize("command", ["export", "import", "show", "rekey"])
def test_every_command_has_help_with_an_example(promsnmp: Command, command: str) -> None:
    helped = promsnmp(command, "--help")
    assert helped.code == 0
    assert f"promsnmp inventory {command}" in helped.out.split("Examples:")[1]


def test_a_masked_export_of_another_inventory_says_what_to_do(
    promsnmp: Command, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promsnmp("import", source)
    for option, code in (("--masked", 2), ("--secrets", 0)):
        exported = promsnmp("export", option, "-").out
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(exported.encode())))
        done = promsnmp("import", "-", "--file", tmp_path / "other" / "inventory.json")
        assert done.code == code
        assert ("--secrets" in done.err) is (code == 2)
