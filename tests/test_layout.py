"""The layout: small folders and files, tests that mirror the packages, paths in CONTRIBUTING.md, excuses."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tools import PROJECT

MOST_FILES = 12
MOST_LINES = 450
SOURCE = PROJECT / "src" / "promsnmp"
LARGE_FOLDERS = (
    "deploy/helm/promsnmp/templates",  # one object each, named as charts name them
    "docs",  # its pages are listed in zensical.toml
    "deploy/kubernetes",  # `kubectl apply -f` reads one folder
    "src/promsnmp/modules/builtin",  # one module each
    "src/promsnmp/modules/builtin/health",  # one vendor each
)
LARGE_FILES = ("src/promsnmp/snmp/ber.py",)  # the compiler inlines only what is in the same file
WITHOUT_MODULE = ("acceptance", "conformance", "deploy", "failures")
"""Folders of tests of the whole program, which mirror no package."""


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=PROJECT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.decode().split("\0") if name]


def test_no_folder_has_too_many_files() -> None:
    files = [name for name in tracked() if not name.endswith("/__init__.py")]
    sizes = Counter(str(Path(name).parent) for name in files)
    large = {folder: size for folder, size in sizes.items() if size > MOST_FILES and folder not in LARGE_FOLDERS}
    assert {folder: size for folder, size in large.items() if folder != "."} == {}


def test_no_python_file_is_too_long() -> None:
    names = [name for name in tracked("*.py") if name not in LARGE_FILES]
    lengths = {name: len((PROJECT / name).read_text(encoding="utf-8").splitlines()) for name in names}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_every_package_and_module_says_what_it_is_for() -> None:
    for path in sorted(SOURCE.rglob("*.py")):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_tests_import_no_tests() -> None:
    for name in tracked("tests/*.py"):
        found = [one for one in imports_of(PROJECT / name) if one.startswith("tests.") and ".test_" in one]
        assert found == [], f"{name}: what two tests need belongs in tests/support/"


SUPPRESSION = re.compile(
    r"# noqa\b(: [A-Z0-9]+(, [A-Z0-9]+)*)?|# type: ignore\b(\[[a-z, -]+\])?|except (Base)?Exception( as \w+)?:"
)
"""What silences a check or takes any error; the reason follows as a comment on the same line."""


def test_what_silences_a_check_or_takes_any_error_says_why() -> None:
    for name in tracked("src/*.py"):
        for number, line in enumerate((PROJECT / name).read_text(encoding="utf-8").splitlines(), start=1):
            if found := list(SUPPRESSION.finditer(line)):
                assert re.match(r"  # \w", line[found[-1].end() :]), f"{name}:{number}: no reason: {line.strip()}"


def test_tests_mirror_the_packages() -> None:
    for name in tracked("tests/*.py"):
        path = Path(name)
        is_of_helper = path.parts[:2] == ("tests", "support") and len(path.parts) > 3
        if not path.name.startswith("test_") or path.parts[1] in WITHOUT_MODULE or len(path.parts) == 2 or is_of_helper:
            continue
        package = SOURCE.joinpath(*path.parent.parts[1:])
        assert package.is_dir(), f"{name}: there is no {package.relative_to(PROJECT)}"


def test_paths_in_contributing_exist() -> None:
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Where do I ...?")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) >= 24
    for row in rows:
        paths = re.findall(r"`([\w][\w./*-]*/[\w./*-]*)`", row)
        assert 1 <= len(paths) <= 5, row
        for path in paths:
            assert list(PROJECT.glob(path)) or list(SOURCE.glob(path)), f"{path} does not exist: {row}"
