"""Folders of MIB files: nothing in them is passed over silently; and the cache of what was parsed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.mibs import files
from promsnmp.modules.mibs.definitions import ParsedFile, from_json, to_json
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.parser import parse
from tests.support.modules.mib_texts import found, problems, scalar, whole

MIBS = Path(__file__).parent / "data"


def test_folders_are_searched_with_the_folders_in_them(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "one").write_text(whole("A", scalar("one")))
    (tmp_path / "README").write_text("no MIB")
    (tmp_path / ".hidden").write_text(whole("B", scalar("two")))
    (tmp_path / "latin.mib").write_bytes(whole("C", scalar("three").replace('"x"', '"\xb0C"')).encode("latin-1"))
    mibs = load_mibs([tmp_path], cache=tmp_path / "cache")
    assert mibs.tree.find("one")
    assert mibs.tree.find("two") is None
    assert found(mibs.tree, "three").description == "\xb0C"
    assert [text.partition(": ")[0] for text in problems(mibs)] == [str(tmp_path / "README")]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_are_read_as_other_systems_write_them(tmp_path: Path, encoding: str, end: str) -> None:
    text = whole("A", scalar("one").replace('"x"', '"x"' if encoding == "ascii" else '"Gr\xf6\xdfe"'))
    (tmp_path / "a.my").write_bytes(text.replace("\n", end).encode(encoding))
    mibs = load_mibs([tmp_path])
    assert problems(mibs) == []
    assert found(mibs.tree, "one").description == ("x" if encoding == "ascii" else "Gr\xf6\xdfe")


def test_every_file_without_a_mib_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.mib").write_text(whole("A", scalar("one")))
    (tmp_path / "noise").write_bytes(bytes(range(1, 256)) * 20)
    (tmp_path / "empty").touch()
    (tmp_path / "README").write_text("the MIBs of A\n")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "packed.gz").write_bytes(b"\x1f\x8b\x08 and so on")
    os.mkfifo(tmp_path / "pipe")
    mibs = load_mibs([tmp_path], cache=tmp_path / ".cache")
    assert {Path(problem.path).name: problem.lost for problem in mibs.problems} == {
        "README": False, "empty": False, "gone": True, "noise": False, "packed.gz": True, "pipe": False,
    }  # fmt: skip
    assert mibs.tree.find("one")


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.mib").write_text(whole("A", scalar("one")))
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "there")
    (tmp_path / "here" / "again").symlink_to(tmp_path / "here")
    mibs = load_mibs([tmp_path / "here"], cache=tmp_path / ".cache")
    assert problems(mibs) == []
    assert mibs.tree.find("one")


@pytest.mark.parametrize(("limit", "said"), [("MAX_FILE", "larger than"), ("MAX_TOTAL", "of MIB files")])
def test_too_many_octets_are_left_out_with_the_limit(
    limit: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = whole("A", scalar("one"))
    (tmp_path / "a").write_text(text)
    (tmp_path / "b").write_text(whole("B", scalar("two") + " " * len(text)))
    monkeypatch.setattr(files, limit, len(text) + 10)
    mibs = load_mibs([tmp_path], cache=tmp_path / ".cache")
    (problem,) = mibs.problems
    assert (Path(problem.path).name, problem.lost) == ("b", True)
    assert said in problem.text


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(ModuleError, match="more than 2 files"):
        load_mibs([tmp_path])


def test_too_many_declarations_of_all_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_DECLARATIONS", 1)
    for name in "ab":
        (tmp_path / name).write_text(whole(name.upper(), scalar(name)))
    with pytest.raises(ModuleError, match="more than 1 declarations"):
        load_mibs([tmp_path], cache=tmp_path / ".cache")


def test_utf_16_is_known_without_its_mark(tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "a.mib").write_bytes(whole("A", scalar("one")).encode(encoding))
        mibs = load_mibs([tmp_path], cache=tmp_path / ".cache")
        assert problems(mibs) == []
        assert mibs.tree.find("one")


def test_the_first_of_two_files_with_one_module_counts(tmp_path: Path) -> None:
    for folder, number in (("first", 1), ("second", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_text(whole("A", scalar("one", under=f"enterprises {number}")))
    mibs = load_mibs([tmp_path / "first", tmp_path / "second"], cache=tmp_path / "cache")
    assert found(mibs.tree, "one").oid[-1] == 1
    assert problems(mibs) == [f"{tmp_path}/second/a: A is left out: it is also in {tmp_path}/first/a"]


def test_parsed_files_come_from_the_cache_until_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, cache = tmp_path / "mibs" / "a", tmp_path / "cache"
    file.parent.mkdir()
    file.write_text(whole("A", scalar("one") + "bad OBJECT-TYPE\n SYNTAX\n ::= { enterprises 2 }\n"))
    first = load_mibs([file.parent], cache=cache)
    parsed: list[str] = []

    def counted(text: str, *, path: str) -> ParsedFile:
        parsed.append(path)
        return parse(text, path=path)

    monkeypatch.setattr(files, "parse", counted)
    again = load_mibs([file.parent], cache=cache)
    assert parsed == []
    assert problems(again) == problems(first) != []
    assert found(again.tree, "one") == found(first.tree, "one")

    for entry in cache.iterdir():
        entry.write_text('{"modules": 5}')
    assert load_mibs([file.parent], cache=cache).tree.find("one")
    file.write_text(whole("A", scalar("other")))
    assert load_mibs([file.parent], cache=cache).tree.find("other")
    assert parsed == [str(file), str(file)]


def test_a_cache_that_others_can_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    monkeypatch.setattr(files, "default_cache", lambda: theirs)
    (tmp_path / "a").write_text(whole("A", scalar("one")))
    assert load_mibs([tmp_path / "a"]).tree.find("one")
    assert list(theirs.iterdir()) == []


def test_parsed_files_come_unchanged_from_the_cache() -> None:
    for path in MIBS.iterdir():
        parsed = parse(path.read_text(), path="x")
        assert from_json(to_json(parsed), path="x") == parsed


def test_progress_counts_the_files(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    load_mibs([MIBS], cache=tmp_path, progress=lambda done, files: seen.append((done, files)))
    assert seen == [(done, 5) for done in range(6)]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"nowhere: no such folder of MIB files"):
        load_mibs([tmp_path / "nowhere"])


def test_net_snmps_mibs_load_without_standard_mib_files(tmp_path: Path) -> None:
    folder = Path("/usr/share/snmp/mibs")
    if not (folder / "UCD-SNMP-MIB.txt").exists():
        pytest.skip("net-snmp's MIBs are not installed (on Debian: apt-get install libsnmp-base)")
    mibs = load_mibs([folder / "UCD-SNMP-MIB.txt"], cache=tmp_path)
    assert problems(mibs) == []
    assert found(mibs.tree, "laLoadInt").oid == (1, 3, 6, 1, 4, 1, 2021, 10, 1, 5)
