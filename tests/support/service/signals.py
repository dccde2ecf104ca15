"""Signals of what the tests start: the default ones, whatever this process was started with.

``nohup`` ignores SIGHUP, and a shell without job control ignores SIGINT and SIGQUIT for what it starts with ``&``. What
such a process starts ignores them, too, and does not end where a test wants it to; ``restore_signals`` of subprocess is
for SIGPIPE and SIGXFSZ only. A signal that has a handler, though, has its default action in every program that is
started, by whatever function (execve(2)). So each that is ignored gets a handler here that does nothing.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""What may be ignored by those that start us. Python itself ignores SIGPIPE and SIGXFSZ; subprocess restores these."""


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """This process goes on, as with the signal ignored."""


def pass_on_default_signals() -> None:
    """For the main thread, before anything is started.

    With SIGHUP ignored the end of the terminal must not reach what is started either: a session of its own has none.
    """
    ignored = [number for number in INHERITED if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, _nothing)
    if signal.SIGHUP in ignored and "PYTEST_XDIST_WORKER" in os.environ:  # Ctrl-C reaches pytest itself, which ends it
        os.setsid()
