"""``python -m bench [NAME ...]``: runs benchmarks, all of ALL by default, and prints their figures."""

from __future__ import annotations

import sys

from bench import cached, cluster, discovery, fleet, inventory, labels, live, load, pages
from bench.attacks import play as attacks
from bench.attacks import traps
from bench.parts import Skipped

ALL = {
    "live": live.main,
    "cached": cached.main,
    "labels": labels.main,
    "load": load.main,
    "fleet": fleet.main,
    "inventory": inventory.main,
    "pages": pages.main,
    "discovery": discovery.main,
    "cluster": cluster.main,
    "attacks": attacks.main,
    "traps": traps.main,
}


def main(names: list[str]) -> int:
    """Runs the named benchmarks; 2 for an unknown name, 1 when one could not run."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    status = 0
    for name in names or ALL:
        try:
            ALL[name]()
        except Skipped as reason:
            print(f"{name}: skipped: {reason}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
