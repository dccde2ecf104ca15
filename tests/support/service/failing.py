"""A ``promsnmp serve`` that should not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.service.service_process import environment


def failing(folder: Path, *arguments: str, **env: str) -> tuple[int, str]:
    """Exit code and stderr of a ``serve`` that should not start."""
    done = subprocess.run(
        [sys.executable, "-m", "promsnmp", "serve", *arguments],
        env={**os.environ, **environment(folder), **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr
