"""Wraps kubectl and curl for the commands of the pages: ``python shim.py NAME WORDS...``.

The real programs run, with the API server of ``fake_kubernetes.py``. The commands that need a node are done here:
``exec`` runs the command on this machine as the pod that ``pods.py`` started, ``logs`` prints the output of that pod,
and ``port-forward`` does nothing, because curl connects to the port where the pod listens. The environment variable
SHIM names a JSON file with the programs and the pods.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

ShimConfig = dict[str, Any]


def main(name: str, words: list[str]) -> NoReturn:
    config = json.loads(Path(os.environ["SHIM"]).read_text())
    if name == "curl":
        run(config["curl"], ["-f", "-sS", *here(config, words)], {})
    rest = words[2:] if words[:1] == ["-n"] else words
    match rest[0]:
        case "exec":
            execute(config, rest)
        case "logs":
            print(Path(config["log"]).read_text(), end="")
        case "port-forward":
            print("Forwarding from 127.0.0.1:8080 -> 8080")
        case _:
            run(config["kubectl"], words, {})
    sys.exit(0)


def execute(config: ShimConfig, words: list[str]) -> NoReturn:
    """Runs the command after ``--`` as the pod."""
    command = words[words.index("--") + 1 :]
    if "redis-0" not in words and "pod/redis-0" not in words:
        command = [word.replace("/app/data", config["data"]) for word in here(config, command)]
    if command[0] == "redis-cli":
        run(config["redis-cli"], ["-p", str(config["redis-port"]), *command[1:]], config["redis-env"])
    if command[0] == "promsnmp":
        run(sys.executable, ["-m", *command], config["env"])
    run(command[0], command[1:], config["env"])


def here(config: ShimConfig, words: list[str]) -> list[str]:
    """``words`` with the URL of the pod in the place of its loopback."""
    return [re.sub(r"^(?:http://)?localhost:8080(?=/|$)", config["url"], word) for word in words]


def run(program: str, words: list[str], env: dict[str, str]) -> NoReturn:
    os.execvpe(program, [program, *words], {**os.environ, **env})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
