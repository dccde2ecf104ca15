"""Tests are started with signals ignored, as by nohup or in the background of a script, and pass."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.support.tools import PROJECT

IGNORING = ("sh", "-c", "trap '' HUP INT QUIT; exec \"$@\"", "sh")
SIGNALLING = ("tests/cli/commands/test_walk.py", "tests/cli/commands/simulation/test_simulate.py", "tests/test_app.py")
"""Files with tests that end programs by these signals, by way of subprocess and of Process."""
STARTED = """\
import os, subprocess, sys
from tests.support.service.signals import pass_on_default_signals
{before}
status = "import re; print(re.search('SigIgn:.(.*)', open('/proc/self/status').read())[1])"
subprocess.run([sys.executable, "-c", status], check=True)
"""


def ignored_in_what_is_started(before: str) -> int:
    """The mask of signals that a program ignores when this was started with some ignored, and then did ``before``."""
    command = [*IGNORING, sys.executable, "-c", STARTED.format(before=before)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return int(done.stdout, 16)


def test_what_is_started_gets_default_signals() -> None:
    bits = sum(1 << (number - 1) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT))
    assert ignored_in_what_is_started("") & bits == bits
    assert ignored_in_what_is_started("pass_on_default_signals()") & bits == 0


def test_a_process_that_ignored_signals_goes_on_at_them() -> None:
    code = (
        "import os, signal; from tests.support.service.signals import pass_on_default_signals as f; f();"
        "[os.kill(os.getpid(), n) for n in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)]; print('here')"
    )
    command = [*IGNORING, sys.executable, "-c", code]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout == "here\n"


@pytest.mark.timeout(300)
def test_tests_that_signal_programs_pass_where_signals_are_ignored() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [*IGNORING, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SIGNALLING]
    command += ["-k", "ctrl or interrupt or until_a_signal"]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= 5, done.stdout
