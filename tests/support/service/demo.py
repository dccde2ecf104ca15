"""``promsnmp demo`` as a process."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.tools import PROJECT, Process

COMMAND = [sys.executable, "-m", "promsnmp", "demo"]


class Demo(Process):
    """The demo on a free port, ready; its log and its temporary files are in ``folder``."""

    def __init__(self, folder: Path, **settings: str) -> None:
        log = folder / "demo.log"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        log.write_bytes(b"")
        super().__init__(
            [*COMMAND, "--port", "0"],
            log=log,
            ready=lambda: "Running until Ctrl-C" in log.read_text(),
            deadline=90,
            env={"PYTHONPATH": f"{PROJECT}/src", "TMPDIR": str(self.temporary), **settings},
            preload=True,
        )

    @property
    def url(self) -> str:
        match = re.search(r"(http://[\d.]+:\d+)/$", self.output(), re.MULTILINE)
        assert match is not None
        return match[1]

    @property
    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(child) for child in listed.split()]

    @property
    def leftovers(self) -> list[str]:
        return [path.name for path in self.temporary.iterdir()]
