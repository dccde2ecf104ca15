"""What the image and CI install is locked with hashes, fits pyproject.toml, and has no known vulnerability."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lock import FOLDER, LOCKS, typed
from tests.support.tools import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ENTRY = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def locked(name: str) -> dict[str, set[str]]:
    """The versions of each distribution in a lock: one, or several for different Pythons."""
    found: dict[str, set[str]] = {}
    for match in ENTRY.finditer(text_of(name)):
        found.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return found


def wanted(name: str) -> Iterator[Requirement]:
    """The requirements that a lock is made of."""
    texts = {
        "image": [*PYPROJECT["project"]["dependencies"], *EXTRAS["redis"]],
        "dev": [*PYPROJECT["project"]["dependencies"], *EXTRAS["dev"], *EXTRAS["bench"], *EXTRAS["mibs"]],
        "docs": PYPROJECT["dependency-groups"]["docs"],
    }.get(name, typed(name).splitlines())
    yield from (one for one in map(Requirement, texts) if one.name != PYPROJECT["project"]["name"])


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_locked_in_a_version_that_fits(name: str) -> None:
    versions = locked(name)
    for one in wanted(name):
        found = versions.get(canonicalize_name(one.name), set())
        assert found, f"{one.name} is not in requirements/{name}.txt: run make lock"
        fits = [one.specifier.contains(version, prereleases=True) for version in found]
        assert any(fits) if one.marker else all(fits), f"{one}: run make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_for_all_and_names_no_server(name: str) -> None:
    lines = [line for line in text_of(name).splitlines() if not line.startswith("#")]
    assert "".join(ENTRY.sub("", text_of(name)).split("\n")[2:]).strip() == "", "an entry without a hash"
    assert [line for line in lines if "://" in line or line.startswith("-")] == []


def test_the_image_has_the_versions_that_were_tested() -> None:
    dev = locked("dev")
    for name in ("image", "build"):
        assert {one: versions for one, versions in locked(name).items() if dev[one] != versions} == {}


def test_the_image_is_built_from_a_digest_and_from_locks_only() -> None:
    text = (PROJECT / "deploy" / "image" / "Containerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", text, re.MULTILINE)
    assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", base)
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel) [^&\\\n]+", text)
    assert len(installs) == 4
    for one in installs:
        assert "--require-hashes" in one or "--no-deps" in one, one


def test_make_installs_from_locks_only() -> None:
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install .+", text)
    assert len(installs) == 3
    for one in installs:
        assert "--require-hashes" in one or "--no-deps" in one, one
    assert set(re.findall(r"requirements/(\w+)\.txt", text)) == set(LOCKS)


Report = list[dict[str, Any]]
"""What pip-audit says of each distribution."""


def vulnerable(report: Report) -> dict[str, list[str]]:
    """The known vulnerabilities of each version that has some."""
    return {
        f"{one['name']} {one['version']}": [f"{bad['id']}, fixed in {bad['fix_versions']}" for bad in one["vulns"]]
        for one in report
        if one.get("vulns")
    }


def audited(report: Report) -> int:
    """How many distributions advisories were found for, or found to have none."""
    return sum("vulns" in one for one in report)


@pytest.mark.parametrize("name", ["image", "build", "dev"])
def test_no_locked_version_has_a_known_vulnerability(name: str) -> None:
    """By pip-audit. Skipped, in CI too, where no source of advisories can be reached: the network is no tool."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(FOLDER / f"{name}.txt"), "--require-hashes"]
    options = ["--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=100, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the source of advisories does not answer")
    try:
        report: Report = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        pytest.skip(f"no source of advisories can be reached: {done.stderr.strip()[-300:]}")
    if not audited(report):
        pytest.skip(f"no source of advisories can be reached: {report[0]['skip_reason']}")
    assert vulnerable(report) == {}, "run make lock LOCK_ARGS=--upgrade"


def test_a_known_vulnerability_is_found_in_a_report() -> None:
    bad = {"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": ["CVE-2014-1402"], "description": "..."}
    report: Report = [
        {"name": "jinja2", "version": "2.4.1", "vulns": [bad]},
        {"name": "click", "version": "8.4.0", "vulns": []},
        {"name": "unknown", "skip_reason": "Dependency not found"},
    ]
    assert vulnerable(report) == {"jinja2 2.4.1": ["PYSEC-2014-8, fixed in ['2.7.2']"]}
    assert audited(report) == 2
