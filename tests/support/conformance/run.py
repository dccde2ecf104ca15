"""Runs the comparison: both programs poll recorded devices (intact and mangled) and generated ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.modules.snmp_yml.document_reader import Document
from promsnmp.modules.snmp_yml.writer import filter_document, metric_document
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import oid
from tests.support.conformance.known_differences import (
    STRICT,
    ScrapedModule,
    has_formatting_bugs,
    refusal,
    unexplained_differences,
)
from tests.support.conformance.mangled import mangled, mib_of
from tests.support.conformance.newer_rules import filters_differ
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
    """Pages that are not compared, by documented reason: most of them, because snmp_exporter refuses them."""
    unknown: list[Difference] = field(default_factory=list)


def compare_module(module: str, name: str, scraped: ScrapedModule, pages: ScrapeResults) -> Result:
    """Compares both pages, or our page and their refusal."""
    result = Result(module, name, len(pages.mine.samples))
    if filters_differ(scraped.filters, scraped.objects):
        result.known["filters on one target, or on rows of several numbers"] += 1
    elif isinstance(pages.theirs, ParsedPage):
        result.unknown += unexplained_differences(scraped, pages.mine, pages.theirs)
        result.unknown += [Difference(f"exact: {each.kind}", each.what) for each in _inexact(scraped, pages)]
    elif why := refusal(pages.theirs):
        result.known[why] += 1
        if why in STRICT and isinstance(pages.exact, ParsedPage) and not scraped.is_read_otherwise:
            result.unknown.append(Difference("exact: only snmp_exporter refuses", pages.theirs[:600]))
    else:
        result.unknown.append(Difference("snmp_exporter refuses", pages.theirs[:600]))
    return result


def _inexact(scraped: ScrapedModule, pages: ScrapeResults) -> list[Difference]:
    """Differences that remain with the settings that restore snmp_exporter's behaviour."""
    assert isinstance(pages.theirs, ParsedPage)
    if isinstance(pages.exact, str):
        has_other_labels = has_formatting_bugs(pages.theirs) or scraped.is_read_otherwise
        is_served = pages.theirs.samples and not has_other_labels
        return [Difference("only PromSNMP refuses", pages.exact)] if is_served else []
    return unexplained_differences(scraped, pages.exact, pages.theirs, is_exact=True)


def recorded(
    programs: BothPrograms,
    snmp_yml: Document,
    modules: Sequence[str],
    recordings: Iterable[Path],
    *,
    seeds: Sequence[int] = (),
) -> Iterator[Result]:
    """A result per recording and module; with ``seeds``, one per seed, with the recording mangled."""
    metrics = {name: [metric_document(metric) for metric in snmp_yml.modules[name].metrics] for name in modules}
    for path in recordings:
        recording = read_recording(path).mib.objects
        fixed = {name: value for name, value in recording.items() if isinstance(value, bytes)}
        for seed in seeds or ("",):
            objects = mangled(fixed, f"{seed}.{path.stem}") if seeds else fixed
            programs.device(mib_of(objects))
            dotted = {oid.to_text(name): value for name, value in objects.items()}
            for name in modules:
                filters = [filter_document(one) for one in snmp_yml.modules[name].filters]
                scraped = ScrapedModule(metrics[name], dotted, filters)
                yield compare_module(name, f"{path.stem} {seed}".rstrip(), scraped, programs.pages(name))


def generated(programs: BothPrograms, cases: Sequence[Case]) -> Iterator[Result]:
    """A result per case."""
    for at in range(0, len(cases), BATCH):
        batch = cases[at : at + BATCH]
        programs.device(device(batch))
        programs.load(document(batch))
        for case in batch:
            pages = programs.pages(case.name, auth=f"public_v{case.version}")
            scraped = ScrapedModule(case.metrics, case.objects, case.module.get("filters", ()))
            yield compare_module(case.name, "generated", scraped, pages)


def summary(results: Sequence[Result], write: Callable[[str], None], *, shown: int = 5) -> bool:
    """Writes the differences by module and a total; returns whether all are explained."""
    for module in sorted({result.module for result in results if result.unknown}):
        of_module = [result for result in results if result.module == module]
        unknown = [(result.device, difference) for result in of_module for difference in result.unknown]
        write(f"{module}: {sum(result.samples for result in of_module)} samples, {len(unknown)} differences")
        for device_name, difference in unknown[:shown]:
            write(f"  {device_name}: {difference.kind}: {difference.what}")
        if len(unknown) > shown:
            write(f"  ... and {len(unknown) - shown} more")
    kinds = Counter(difference.kind for result in results for difference in result.unknown)
    known = sum((result.known for result in results), Counter[str]())
    samples = sum(result.samples for result in results)
    write(f"  {len(results)} pages, {samples} samples, {kinds.total()} differences")
    for reason, count in known.most_common():
        write(f"  {count} pages not compared: {reason}")
    for kind, count in kinds.most_common():
        write(f"  unexplained: {count} {kind}")
    return not kinds
