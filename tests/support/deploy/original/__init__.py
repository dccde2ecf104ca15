"""The Kubernetes document of the original PromSNMP: its commands, its Deployment and its values, word for word.

Who comes from there types these commands and has these files, so they work here, too. Source: "PromSNMP Kubernetes
Deployment", ``docs/deployment-kubernetes.md`` of the original.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.support.deploy.kube import Object, documents

FOLDER = Path(__file__).parent
VALUES = FOLDER / "values.yaml"
DEPLOYMENT = FOLDER / "deployment.yaml"
_INTO_POD = "kubectl exec -it <pod> "


def commands() -> list[str]:
    """The shell commands in their order; those of several lines (loops, continued lines) are one each."""
    blocks = (FOLDER / "commands.sh").read_text(encoding="utf-8").split("\n\n")
    return [block.strip() for block in blocks if not block.startswith("#")]


def deployment() -> Object:
    (item,) = documents(DEPLOYMENT.read_text(encoding="utf-8"))
    return item


def runs_in_the_container(command: str) -> bool:
    """Whether the command is one that kubectl runs in a pod of PromSNMP."""
    return command.startswith(_INTO_POD) or " md5sum " in command


def words_in_the_container(command: str) -> list[str]:
    """The words that run there: those after ``--``, up to a pipe of the user's shell."""
    (line,) = [line for line in command.replace("\\\n", " ").splitlines() if " -- " in line]
    return shlex.split(line.partition(" -- ")[2].partition("|")[0])
