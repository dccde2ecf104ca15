"""``make conformance``: exit status 0 when all differences are documented, 1 otherwise."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from pprint import pformat

from promsnmp.errors import ModuleError
from scripts.programs.exporter import Unavailable, find
from tests.support.conformance.generated import case
from tests.support.conformance.newer import newer_differences
from tests.support.conformance.programs import BothPrograms
from tests.support.conformance.run import Result, generated, recorded, summary
from tests.support.conformance.shrink import shrunk
from tests.support.exposition.cases_newer import NEWER
from tests.support.exposition.reference import Case
from tests.support.tools import shared_dir

SHRUNK = 3
"""At most this many generated cases are shown in their smallest form."""


def main(words: Sequence[str]) -> int:
    """Compares recorded devices (if the folder with recordings exists), mangled ones and generated ones."""
    options = _options().parse_args(words)
    began = time.monotonic()
    try:
        program = find()
    except Unavailable as reason:
        print(reason)
        return 1
    with tempfile.TemporaryDirectory() as folder, BothPrograms(program, Path(folder)) as programs:
        same = [_newer(), _recorded(programs, options), _generated(programs, options)]
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if all(same) else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=main.__doc__)
    parser.add_argument("modules", nargs="?", default="*", help="names of modules of snmp.yml (* matches all)")
    parser.add_argument("devices", nargs="?", default="*", help="names of recordings")
    parser.add_argument("--mangled", type=int, default=3, help="how often each recording is mangled")
    parser.add_argument("--cases", type=int, default=5000, help="how many modules and devices are generated")
    parser.add_argument("--seed", type=int, default=1, help="for what is generated or mangled")
    return parser


def _recorded(programs: BothPrograms, options: argparse.Namespace) -> bool:
    shared = shared_dir()
    if shared is None:
        print("There is no folder 'shared' beside the project: no recorded devices")
        return True
    snmp_yml = programs.load((shared / "snmp_exporter" / "snmp.yml").read_text(encoding="utf-8"))
    recordings = [
        path for path in sorted((shared / "recordings").glob("*.snmprec")) if fnmatch(path.stem, options.devices)
    ]
    names = [name for name in sorted(snmp_yml.modules) if fnmatch(name, options.modules)]
    print(f"{len(names)} modules on {len(recordings)} recorded devices ...", flush=True)
    same = summary(list(recorded(programs, snmp_yml, names, recordings)), print)
    if not options.mangled:
        return same
    seeds = range(options.seed, options.seed + options.mangled)
    print(f"The same on each device mangled, {len(seeds)} times ...", flush=True)
    return summary(list(recorded(programs, snmp_yml, names, recordings, seeds=seeds)), print) and same


def _newer() -> bool:
    """The cases of keys that this snmp_exporter does not have: compared with the samples that they must give."""
    print(f"{len(NEWER)} cases of newer keys and intended differences ...", flush=True)
    differences = newer_differences(NEWER)
    for name, lines in differences.items():
        for line in lines:
            print(f"  {name}: {line}")
    print(f"  {len(differences)} pages, {sum(map(len, differences.values()))} differences")
    return not any(differences.values())


def _generated(programs: BothPrograms, options: argparse.Namespace) -> bool:
    cases = [case(number, options.seed) for number in range(options.cases)]
    print(f"{len(cases)} generated modules and devices ...", flush=True)
    results = list(generated(programs, cases))
    same = summary(results, print)
    for differing, result in [pair for pair in zip(cases, results, strict=True) if pair[1].unknown][:SHRUNK]:
        _show(programs, differing, result)
    return same


def _show(programs: BothPrograms, differing: Case, result: Result) -> None:
    kind = result.unknown[0].kind

    def differs(other: Case) -> bool:
        try:
            return any(each.kind == kind for each in next(generated(programs, [other])).unknown)
        except ModuleError:  # without the removed part it is not valid
            return False

    small = shrunk(differing, differs)
    print(f"The smallest part of {differing.name} that differs:")
    print(pformat({"metrics": small.metrics, "objects": small.objects, "module": small.module}, width=120))
    for each in next(generated(programs, [small])).unknown[:SHRUNK]:
        print(f"  {each.kind}: {each.what}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
