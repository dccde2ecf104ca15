"""Runs the comparison: both programs poll recorded devices (intact and mangled) and generated ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.modules.snmp_yml.document_reader import Document
from promsnmp.modules.snmp_yml.writer import metric_document
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import oid
from tests.support.conformance.known_differences import (
    STRICT,
    ScrapedModule,
    has_slips_apart,
    refusal,
    unexplained_differences,
)
from tests.support.conformance.mangled import mangled, mib_of
from tests.support.conformance.pages import Difference, ParsedPage
from tests.support.conformance.programs import BothPrograms, ScrapeResults
from tests.support.exposition.reference import Case, device, document

BATCH = 200
"""How many generated cases are loaded at once."""


@dataclass(slots=True)
class Result:
    """The result for one module on one device."""

    module: str
    device: str
    samples: int = 0
    known: Counter[str] = field(default_factory=Counter)
    """Pages that snmp_exporter refuses, by documented reason."""
    unknown: list[Difference] = field(default_factory=list)


def compare_module(module: str, name: str, scraped: ScrapedModule, pages: ScrapeResults) -> Result:
    """Compares both pages, or our page and their refusal."""
    result = Result(module, name, len(pages.mine.samples))
    if isinstance(pages.theirs, ParsedPage):
        result.unknown += unexplained_differences(scraped, pages.mine, pages.theirs)
        result.unknown += [Difference(f"exact: {one.kind}", one.what) for one in _inexact(scraped, pages)]
    elif why := refusal(pages.theirs):
        result.known[why] += 1
        if why in STRICT and isinstance(pages.exact, ParsedPage):
            result.unknown.append(Difference("exact: only snmp_exporter refuses", pages.theirs[:600]))
    else:
        result.unknown.append(Difference("snmp_exporter refuses", pages.theirs[:600]))
    return result


def _inexact(scraped: ScrapedModule, pages: ScrapeResults) -> list[Difference]:
    """Differences that remain with the settings that restore snmp_exporter's behaviour."""
    assert isinstance(pages.theirs, ParsedPage)
    if isinstance(pages.exact, str):
        is_served = pages.theirs.samples and not has_slips_apart(pages.theirs)
        return [Difference("only PromSNMP refuses", pages.exact)] if is_served else []
    return unexplained_differences(scraped, pages.exact, pages.theirs, is_exact=True)


def recorded(
    programs: BothPrograms,
    found: Document,
    modules: Sequence[str],
    recordings: Iterable[Path],
    *,
    seeds: Sequence[int] = (),
) -> Iterator[Result]:
    """One result per recording and module; with ``seeds``, one per seed, with the recording mangled."""
    metrics = {name: [metric_document(one) for one in found.modules[name].metrics] for name in modules}
    for path in recordings:
        recording = read_recording(path).mib.objects
        still = {name: value for name, value in recording.items() if isinstance(value, bytes)}
        for seed in seeds or ("",):
            objects = mangled(still, f"{seed}.{path.stem}") if seeds else still
            programs.device(mib_of(objects))
            dotted = {oid.to_text(name): value for name, value in objects.items()}
            for name in modules:
                scraped = ScrapedModule(metrics[name], dotted)
                yield compare_module(name, f"{path.stem} {seed}".rstrip(), scraped, programs.pages(name))


def generated(programs: BothPrograms, cases: Sequence[Case]) -> Iterator[Result]:
    """One result per case."""
    for at in range(0, len(cases), BATCH):
        batch = cases[at : at + BATCH]
        programs.device(device(batch))
        programs.load(document(batch))
        for case in batch:
            pages = programs.pages(case.name, auth=f"public_v{case.version}")
            yield compare_module(case.name, "made up", ScrapedModule(case.metrics, case.objects), pages)


def summary(found: Sequence[Result], tell: Callable[[str], None], *, shown: int = 5) -> bool:
    """Prints the differences by module and a total; returns whether all are explained."""
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
