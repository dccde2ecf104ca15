"""``make conformance``: exit status 0 when nothing differs but what is documented, 1 otherwise."""

from __future__ import annotations

import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

from promsnmp.modules.reader import read_file
from scripts.exporter import Unavailable, find
from tests.conformance.run import results, summary
from tests.exporter import Exporter
from tests.tools import shared_dir


def main(modules: str = "*", devices: str = "*") -> int:
    """Compares the modules and devices whose names match; without what it takes it says so and is content."""
    shared = shared_dir()
    if shared is None:
        print("There is no folder 'shared' beside the project: nothing to compare with")
        return 0
    config = shared / "snmp_exporter" / "snmp.yml"
    recordings = [one for one in sorted((shared / "recordings").glob("*.snmprec")) if fnmatch(one.stem, devices)]
    document = read_file(config)
    names = [name for name in sorted(document.modules) if fnmatch(name, modules)]
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder, Exporter(find(), config, log=Path(folder, "log")) as exporter:
            print(f"{len(names)} modules on {len(recordings)} devices ...", flush=True)
            found = list(results(exporter, document, names, recordings))
    except Unavailable as reason:
        print(reason)
        return 1
    is_same = summary(found, print)
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
