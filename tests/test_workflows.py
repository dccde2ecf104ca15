"""The files for GitHub and editors: they parse, run what exists, and ask for as few permissions as they can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.tools import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
OTHERS = [
    *(PROJECT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"),
    PROJECT / ".github" / "dependabot.yml",
    PROJECT / ".pre-commit-config.yaml",
]
PINNED = re.compile(r"[\w./-]+@(v\d+(\.\d+)*|release/v1|[0-9a-f]{40})")
MAY_WRITE = {"release.yml": {"attestations", "contents", "id-token"}, "image.yml": {"id-token", "packages"}}
"""What a workflow may write, besides reading the repository."""


def parsed(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_pinned_actions_a_time_limit_and_few_permissions(path: Path) -> None:
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert True in workflow  # "on", which YAML 1.1 reads as a truth value
    for name, job in workflow["jobs"].items():
        writes = {what for what, how in job.get("permissions", {}).items() if how == "write"}
        assert writes <= MAY_WRITE.get(path.name, set()), name
        if "uses" in job:
            assert (PROJECT / job["uses"]).exists()
            continue
        assert job["timeout-minutes"] <= 90, name
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert PINNED.fullmatch(step.get("uses", "a/b@v1")), step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_targets_and_scripts_that_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    runs = [step["run"] for job in parsed(path)["jobs"].values() for step in job.get("steps", ()) if "run" in step]
    for command in runs:
        assert set(re.findall(r"(?:^|[;&] ?|sudo )make (\w[\w-]*)", command)) <= targets
        assert all((PROJECT / script).exists() for script in re.findall(r"\bscripts/[\w./-]+", command))


def test_text_of_strangers_reaches_no_shell() -> None:
    for path in WORKFLOWS:
        for job in parsed(path)["jobs"].values():
            runs = " ".join(step.get("run", "") for step in job.get("steps", ()))
            expressions = re.findall(r"\$\{\{\s*([\w.-]+)", runs)
            assert all(one.startswith("matrix.") for one in expressions), path.name


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_other_files_parse(path: Path) -> None:
    assert parsed(path)


def test_the_development_container_sets_up_what_exists() -> None:
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert "make setup" in container["postCreateCommand"]
    assert (PROJECT / "scripts" / "debian-packages").exists()


def test_the_hooks_before_a_commit_are_tools_of_the_project() -> None:
    hooks = parsed(PROJECT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    lint = re.search(r"^lint:.*\n\t@(.*)", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert lint is not None
    for hook in hooks:
        assert hook["entry"].removeprefix(".venv/bin/").partition(" --")[0].split()[-1] in lint[1]
