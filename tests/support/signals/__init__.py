"""Gives the programs that tests start the default actions of signals, even where this process ignores a signal.

``nohup`` ignores SIGHUP, and a shell without job control ignores SIGINT and SIGQUIT for what it starts with ``&``.
Programs that such a process starts ignore them, too, and do not end when a test wants them to; ``restore_signals`` of
subprocess resets only SIGPIPE and SIGXFSZ. A signal with a handler, however, has its default action in every program
that is started (execve(2)). So each ignored signal gets a handler here that does nothing.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that our parent may ignore. Python itself ignores SIGPIPE and SIGXFSZ, which subprocess restores."""


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Does nothing: this process still ignores the signal."""


def pass_on_default_signals() -> None:
    """Call it in the main thread, before it starts any program.

    Where SIGHUP is ignored, programs must not get the terminal's SIGHUP either, so this process starts its own session.
    """
    ignored = [number for number in INHERITED if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, _nothing)
    # Ctrl-C still reaches pytest itself, which then ends its workers.
    if signal.SIGHUP in ignored and "PYTEST_XDIST_WORKER" in os.environ:
        os.setsid()
