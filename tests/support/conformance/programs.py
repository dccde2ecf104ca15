"""Runs PromSNMP, snmp_exporter and the agent that both poll, as a context manager."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from promsnmp.errors import SnmpError
from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.modules.snmp_yml.document_reader import Document
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.threads import running
from tests.support.conformance.pages import ParsedPage, compare, parse
from tests.support.exporter import Exporter, reload
from tests.support.exposition.reference import USER

PLAIN = CollectorOptions(utilization=False)
EXACT = CollectorOptions(utilization=False, zeros=True, strict=True, own_metrics=False)
"""Settings that restore snmp_exporter's behaviour (docs/reference/conformance.md)."""


@dataclass(frozen=True, slots=True)
class ScrapeResults:
    """The result of a scrape: the page, or the error text."""

    mine: ParsedPage
    exact: ParsedPage | str
    """Our page with the settings ``EXACT``."""
    theirs: ParsedPage | str


class BothPrograms:
    """PromSNMP and snmp_exporter: ``load`` sets their modules, ``device`` the agent's MIB, ``pages`` scrapes both."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._config = folder / "snmp.yml"
        self._log = folder / "snmp_exporter.log"
        self._agent = SimulatedAgent(Mib.of({}), users=(USER,))
        self._polls = count()
        self._stack = ExitStack()
        self._exporter: Exporter | None = None
        self._collectors: list[Collector] = []
        self._document = Document()

    def __enter__(self) -> Self:
        self._loop = self._stack.enter_context(running(self._agent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_exporter()
        self._stack.__exit__(kind, error, trace)

    def load(self, text: str) -> Document:
        """Loads modules and auths into both programs."""
        self._document = read_text(text, source="cases")
        catalogue_store = CatalogueStore(Catalogue(self._document.modules, self._document.auths))
        self._collectors = [Collector(catalogue_store, options) for options in (PLAIN, EXACT)]
        for collector in self._collectors:
            collector.states.max_states = 1
        self._config.write_text(text, encoding="utf-8")
        if self._exporter is None or not self._exporter.running:
            self._start_exporter()
        else:
            reload(self._exporter)
        return self._document

    def device(self, mib: Mib) -> None:
        """Sets the device that the agent simulates."""
        self._agent.mib = mib

    def pages(self, *modules: str, auth: str = "public_v2") -> ScrapeResults:
        """The results of both programs for some modules."""
        mine, exact = asyncio.run_coroutine_threadsafe(self._ours(modules, auth), self._loop).result(120)
        assert self._exporter is not None
        status, body = self._exporter.scrape(self._agent.target, *modules, auth=auth)
        if status == 0 and self._exporter.ended():
            self._start_exporter()
            return ScrapeResults(mine, exact, "snmp_exporter ends")
        return ScrapeResults(mine, exact, parse(body) if status == 200 else f"{status}: {body.strip()}")

    async def _ours(self, modules: Sequence[str], auth: str) -> tuple[ParsedPage, ParsedPage | str]:
        key = f"device{next(self._polls)}"  # a new key: nothing is remembered of earlier devices
        credentials = self._document.auths[auth]
        target = Target(key, "device", SnmpEndpoint(self._agent.address, self._agent.port), credentials, tuple(modules))
        plain, exact = self._collectors
        first, second = await _poll(plain, target), await _poll(plain, target)
        if isinstance(first, str) or isinstance(second, str):
            first = second = ParsedPage({}, {}, {})
        assert not list(compare(first, second)), f"{modules}: a second poll gives another page than the first"
        return first, await _poll(exact, target)

    def _start_exporter(self) -> None:
        self._stop_exporter()
        self._exporter = Exporter(self._program, self._config, log=self._log)
        self._exporter.__enter__()

    def _stop_exporter(self) -> None:
        if self._exporter is not None:
            self._exporter.__exit__(None, None, None)


async def _poll(collector: Collector, target: Target) -> ParsedPage | str:
    try:
        page, _ = await collector.collect(target, deadline=asyncio.get_running_loop().time() + 60)
    except SnmpError as error:
        return str(error)
    return parse(page.plain(Format.TEXT).decode())
