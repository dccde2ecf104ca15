"""The comparison: recorded devices, as they are and mangled, and devices made up, each read by both programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.modules.snmp_yml.reader import Document
from promsnmp.modules.snmp_yml.writer import metric_document
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import oid
from tests.support.conformance.beside import Beside, Pages
from tests.support.conformance.explained import STRICT, Asked, has_slips_apart, refusal, unexplained
from tests.support.conformance.mangled import mangled, mib_of
from tests.support.conformance.pages import Difference, Page
from tests.support.exposition.reference import Case, device, document

BATCH = 200
"""Made-up cases that are loaded at once."""


@dataclass(slots=True)
class Result:
    """What became of one module on one device."""

    module: str
    device: str
    samples: int = 0
    known: Counter[str] = field(default_factory=Counter)
    """Pages that snmp_exporter refuses, by reasons that are documented."""
    unknown: list[Difference] = field(default_factory=list)


def compared(module: str, name: str, asked: Asked, pages: Pages) -> Result:
    """The result of the pages, or of ours and their refusal."""
    result = Result(module, name, len(pages.mine.samples))
    if isinstance(pages.theirs, Page):
        result.unknown += unexplained(asked, pages.mine, pages.theirs)
        result.unknown += [Difference(f"exact: {one.kind}", one.what) for one in _inexact(asked, pages)]
    elif why := refusal(pages.theirs):
        result.known[why] += 1
        if why in STRICT and isinstance(pages.exact, Page):
            result.unknown.append(Difference("exact: only snmp_exporter refuses", pages.theirs[:600]))
    else:
        result.unknown.append(Difference("snmp_exporter refuses", pages.theirs[:600]))
    return result


def _inexact(asked: Asked, pages: Pages) -> list[Difference]:
    """What differs although the settings are those that bring back what snmp_exporter does."""
    assert isinstance(pages.theirs, Page)
    if isinstance(pages.exact, str):
        is_served = pages.theirs.samples and not has_slips_apart(pages.theirs)
        return [Difference("only PromSNMP refuses", pages.exact)] if is_served else []
    return unexplained(asked, pages.exact, pages.theirs, is_exact=True)


def recorded(
    beside: Beside, found: Document, modules: Sequence[str], recordings: Iterable[Path], *, seeds: Sequence[int] = ()
) -> Iterator[Result]:
    """One result per recording and module; with ``seeds`` of the recordings mangled, once for each."""
    metrics = {name: [metric_document(one) for one in found.modules[name].metrics] for name in modules}
    for path in recordings:
        recording = read_recording(path).mib.objects
        still = {name: value for name, value in recording.items() if isinstance(value, bytes)}
        for seed in seeds or ("",):
            objects = mangled(still, f"{seed}.{path.stem}") if seeds else still
            beside.device(mib_of(objects))
            dotted = {oid.to_text(name): value for name, value in objects.items()}
            for name in modules:
                asked = Asked(metrics[name], dotted)
                yield compared(name, f"{path.stem} {seed}".rstrip(), asked, beside.pages(name))


def made(beside: Beside, cases: Sequence[Case]) -> Iterator[Result]:
    """One result per case."""
    for at in range(0, len(cases), BATCH):
        batch = cases[at : at + BATCH]
        beside.device(device(batch))
        beside.load(document(batch))
        for case in batch:
            pages = beside.pages(case.name, auth=f"public_v{case.version}")
            yield compared(case.name, "made up", Asked(case.metrics, case.objects), pages)


def summary(found: Sequence[Result], tell: Callable[[str], None], *, shown: int = 5) -> bool:
    """Tells of what differs, module by module, and of all in all; whether nothing is unexplained."""
    for module in sorted({one.module for one in found if one.unknown}):
        mine = [one for one in found if one.module == module]
        unknown = [(one, each) for one in mine for each in one.unknown]
        tell(f"{module}: {sum(one.samples for one in mine)} samples, {len(unknown)} differences")
        for one, each in unknown[:shown]:
            tell(f"  {one.device}: {each.kind}: {each.what}")
        if len(unknown) > shown:
            tell(f"  ... and {len(unknown) - shown} more")
    kinds = Counter(each.kind for one in found for each in one.unknown)
    known = sum((one.known for one in found), Counter[str]())
    tell(f"  {len(found)} pages, {sum(one.samples for one in found)} samples, {kinds.total()} differences")
    for why, count in known.most_common():
        tell(f"  {count} pages that snmp_exporter refuses: {why}")
    for why, count in kinds.most_common():
        tell(f"  unexplained: {count} {why}")
    return not kinds
