"""Polls a simulated device with PromSNMP and with snmp_exporter, to compare their pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import SecurityLevel, User
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.threads import running
from tests.support.exporter import Exporter, require_exporter

ROOT = "1.3.6.1.4.1.8072.9999"
"""The root of all cases: net-snmp's arc for experiments."""
USER = User("reader", SecurityLevel.NO_AUTH_NO_PRIV)
OWN = re.compile(r"^(snmp_scrape_|promsnmp_)")
"""Families about the scrape, not about the device."""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def integer(value: int) -> bytes:
    return ber.encode_integer(value)


def octets(value: bytes | str) -> bytes:
    return ber.tlv(ber.OCTET_STRING, value.encode() if isinstance(value, str) else value)


def counter64(value: int) -> bytes:
    return ber.encode_integer(value, ber.COUNTER64)


def gauge32(value: int) -> bytes:
    return ber.encode_integer(value, ber.GAUGE32)


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """The content of a page without its order: samples by name and labels, and type and help by family."""

    samples: Samples
    types: Mapping[str, str]
    helps: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """A module and the objects that it reads; OIDs are relative to the case's own subtree.

    ``missing`` are names of samples that snmp_exporter invents (0 for a value that is not a number) and we leave out.
    """

    name: str
    metrics: Sequence[Mapping[str, Any]]
    objects: Mapping[str, bytes]
    module: Mapping[str, Any] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    version: int = 2
    """The SNMP version."""


def _placed(value: Any, base: str) -> Any:
    """``value``, with every ``oid`` in it moved under ``base``."""
    if isinstance(value, Mapping):
        return {key: f"{base}.{part}" if key == "oid" else _placed(part, base) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_placed(part, base) for part in value]
    return value


def _placed_filter(rule: Mapping[str, Any], base: str) -> dict[str, Any]:
    targets = [f"{base}.{target}" for target in rule["targets"]]
    return {"oid": f"{base}.{rule['oid']}", "targets": targets, "values": list(rule["values"])}


def document(cases: Sequence[Case]) -> str:
    """All cases as one snmp.yml."""
    modules = {}
    for number, case in enumerate(cases, 1):
        base = f"{ROOT}.{number}"
        fields = {key: value for key, value in case.module.items() if key not in ("walk", "get", "filters")}
        fields["filters"] = [_placed_filter(rule, base) for rule in case.module.get("filters", [])]
        fields["walk"] = [f"{base}.{root}".removesuffix(".") for root in case.module.get("walk", [""])]
        fields["get"] = [f"{base}.{name}" for name in case.module.get("get", [])]
        named = [{"help": "-", "name": f"m{at}", **metric} for at, metric in enumerate(case.metrics)]
        modules[case.name] = {**fields, "metrics": _placed(named, base)}
    auths: dict[str, Any] = {f"public_v{version}": {"version": version, "community": "public"} for version in (1, 2)}
    auths["public_v3"] = {"version": 3, "username": USER.name}
    return yaml.safe_dump({"auths": auths, "modules": modules}, sort_keys=False)


def device(cases: Sequence[Case]) -> Mib:
    """The objects of all cases."""
    objects: dict[str, bytes] = {}
    for number, case in enumerate(cases, 1):
        objects.update({f"{ROOT}.{number}.{name}": value for name, value in case.objects.items()})
    return Mib.of(objects)


def parse(text: str) -> ReferencePage:
    """Parses a page in text format."""
    samples: Samples = {}
    types, helps = {}, {}
    for family in text_string_to_metric_families(text):
        if OWN.match(family.name):
            continue
        types[family.name], helps[family.name] = family.type, family.documentation
        for sample in family.samples:
            samples[sample.name, tuple(sorted(sample.labels.items()))] = float(sample.value)
    return ReferencePage(samples, types, helps)


def agent_of(cases: Sequence[Case]) -> SimulatedAgent:
    """An agent with the objects of all cases, for every SNMP version."""
    return SimulatedAgent(device(cases), users=(USER,))


async def ours(cases: Sequence[Case], agent: SimulatedAgent) -> dict[str, ReferencePage]:
    """PromSNMP's page of each case."""
    read = read_text(document(cases), source="cases")
    collector = Collector(CatalogueStore(Catalogue(read.modules, read.auths)), CollectorOptions(utilization=False))
    pages = {}
    for case in cases:
        credentials = read.auths[f"public_v{case.version}"]
        target = Target(case.name, case.name, SnmpEndpoint(agent.address, agent.port), credentials, (case.name,))
        page, error = await collector.collect(target, deadline=asyncio.get_running_loop().time() + 20)
        assert error is None, (case.name, error)
        pages[case.name] = parse(page.plain(Format.TEXT).decode())
    return pages


def theirs(cases: Sequence[Case], target: str, folder: Path) -> dict[str, ReferencePage | str]:
    """snmp_exporter's page of each case, or the text of its error."""
    config = folder / "snmp.yml"
    config.write_text(document(cases))
    pages: dict[str, ReferencePage | str] = {}
    with Exporter(require_exporter(), config, log=folder / "snmp_exporter.log") as exporter:
        for case in cases:
            status, body = exporter.scrape(target, case.name, auth=f"public_v{case.version}")
            pages[case.name] = parse(body) if status == 200 else body
    return pages


def pages_of_both(cases: Sequence[Case], folder: Path) -> dict[str, tuple[ReferencePage, ReferencePage | str]]:
    """PromSNMP's and snmp_exporter's page of every case."""
    require_exporter()
    agent = agent_of(cases)
    with running(agent) as loop:
        mine = asyncio.run_coroutine_threadsafe(ours(cases, agent), loop).result(60)
        other = theirs(cases, agent.target, folder)
    return {case.name: (mine[case.name], other[case.name]) for case in cases}
