"""The first process in a root of ``make bare``: runs one command there, as a user, and waits for whatever is left over.

    python3 bare-init.py UID FOLDER COMMAND...

It is process 1 of a PID namespace, so it has to collect orphans, and a signal reaches it only where it has a handler.
The command gets a process group of its own, which is signalled as a whole, as a terminal does at Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(uid: int, folder: str, command: list[str]) -> int:
    """The command's exit code, 128 and the number of the signal that ended it."""
    early: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda caught, _: early.append(caught))
    child = subprocess.Popen(
        command, cwd=folder, start_new_session=True, stdin=subprocess.DEVNULL, user=uid, group=uid, extra_groups=[]
    )
    for number in SIGNALS:
        signal.signal(number, lambda caught, _: os.killpg(child.pid, caught))
    for caught in early:
        os.killpg(child.pid, caught)
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
