"""The comparison: every module of one snmp.yml on every recording, by both programs, and what differs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.collect.collector import Collector, Options
from promsnmp.collect.page import Format
from promsnmp.collect.source import Source
from promsnmp.errors import SnmpError
from promsnmp.modules.catalogue import Catalogue, Catalogues
from promsnmp.modules.reader import Document
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.recording import read_recording
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import Endpoint
from tests.conformance.known import refusal
from tests.conformance.pages import Difference, Page, compare, parse
from tests.exporter import Exporter
from tests.sim.threads import running


@dataclass(slots=True)
class Result:
    """What became of one module on one device."""

    module: str
    device: str
    samples: int = 0
    known: Counter[str] = field(default_factory=Counter)
    """Pages that snmp_exporter refuses, by reasons that are documented."""
    unknown: list[Difference] = field(default_factory=list)


def results(
    exporter: Exporter, document: Document, modules: Sequence[str], recordings: Sequence[Path]
) -> Iterator[Result]:
    """One result per recording and module."""
    collector = Collector(Catalogues(Catalogue(document.modules, document.auths)), Options(utilization=False))
    for path in recordings:
        agent = SimulatedAgent(read_recording(path).mib)
        with running(agent) as loop:
            for name in modules:
                mine = asyncio.run_coroutine_threadsafe(_ours(collector, agent, name), loop).result(120)
                yield _result(name, path.stem, mine, *exporter.scrape(agent.target, name))


async def _ours(collector: Collector, agent: SimulatedAgent, module: str) -> Page:
    source = Source("device", "device", Endpoint(agent.address, agent.port), Community(), (module,))
    try:
        page, _ = await collector.collect(source, deadline=asyncio.get_running_loop().time() + 60)
    except SnmpError:
        return Page({}, {}, {})
    finally:
        collector.known(source).device.tables.clear()
    return parse(page.plain(Format.TEXT).decode())


def _result(module: str, device: str, mine: Page, status: int, body: str) -> Result:
    result = Result(module, device, len(mine.samples))
    if status != 200:
        why = refusal(body)
        if why:
            result.known[why] += 1
        else:
            result.unknown.append(Difference("snmp_exporter refuses", f"{status}: {body.strip()[:300]}"))
        return result
    result.unknown += compare(mine, parse(body))
    return result


def summary(found: Sequence[Result], tell: Callable[[str], None], *, shown: int = 5) -> bool:
    """Tells of all results, module by module; whether nothing is unexplained."""
    for module in sorted({one.module for one in found}):
        mine = [one for one in found if one.module == module]
        unknown = [(one, each) for one in mine for each in one.unknown]
        known = sum((one.known for one in mine), Counter[str]())
        line = f"{module}: {sum(one.samples for one in mine)} samples of {len(mine)} devices"
        notes = [f"{count} {why}" for why, count in known.most_common()]
        tell(f"{line}; {len(unknown)} differences" + (f" (known: {', '.join(notes)})" if notes else ""))
        for one, each in unknown[:shown]:
            tell(f"  {one.device}: {each.kind}: {each.what}")
        if len(unknown) > shown:
            tell(f"  ... and {len(unknown) - shown} more")
    kinds = Counter(each.kind for one in found for each in one.unknown)
    known = sum((one.known for one in found), Counter[str]())
    tell(f"In all: {len(found)} pages, {sum(one.samples for one in found)} samples")
    for title, counter in (("known", known), ("unexplained", kinds)):
        for why, count in counter.most_common():
            tell(f"  {title}: {count} {why}")
    return not kinds
