"""Polls without a network: renders a page from modules and objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from promsnmp.exposition.plan import Plan, make_plan
from promsnmp.exposition.renderer import Renderer, RenderState
from promsnmp.modules.model import Module
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.snmp import ber, oid
from tests.support.exposition.reference import counter64, gauge32, integer, octets

ROW = {"labelname": "row", "type": "gauge"}
Objects = Mapping[str, bytes]

__all__ = ["ROW", "Device", "counter64", "gauge32", "integer", "module", "octets"]


def module(name: str = "m", **fields: Any) -> Module:
    """A module from the fields of snmp.yml; metrics without name, type or help get defaults."""
    metrics = [
        {"name": f"m{at}", "type": "gauge", "help": "-", **metric}
        for at, metric in enumerate(fields.pop("metrics", []))
    ]
    text = yaml.safe_dump({"modules": {name: {"walk": ["1.3"], **fields, "metrics": metrics}}})
    return read_text(text, source="test").modules[name]


class Device:
    """One device that is polled repeatedly with one plan."""

    def __init__(self, *modules: Module, wrap: bool = True, zeros: bool = False, unsigned_sizes: bool = False) -> None:
        self.plan: Plan = make_plan(modules)
        self.state = RenderState()
        self.wrap = wrap
        self.zeros = zeros
        self.unsigned_sizes = unsigned_sizes

    def renderer(self, objects: Objects) -> Renderer:
        """A renderer after a poll that returned ``objects``."""
        scanner = ber.Scanner(list(self.plan.columns))
        names = sorted((oid.encode(name) for name in objects), key=oid.decode_subids)
        values = {oid.encode(name): value for name, value in objects.items()}
        varbinds = b"".join(ber.encode_varbind(name, values[name]) for name in names)
        scanner.feed(varbinds, 0, len(varbinds), False)
        renderer = Renderer(
            self.plan, scanner, self.state, wrap=self.wrap, zeros=self.zeros, unsigned_sizes=self.unsigned_sizes
        )
        for module_plan in self.plan.modules:
            renderer.module(module_plan.metrics)
        renderer.exposition.deduplicate()
        return renderer

    def poll(self, objects: Objects) -> str:
        """The page of a poll in text format."""
        return self.renderer(objects).exposition.render().decode()

    def samples(self, objects: Objects) -> list[str]:
        """The lines of the page that are samples."""
        return samples(self.poll(objects))


def samples(page: str) -> list[str]:
    """The lines of a page that are samples."""
    return [line for line in page.splitlines() if not line.startswith("#")]


def column(base: str, values: Sequence[bytes]) -> dict[str, bytes]:
    """The rows of a column from 1 on."""
    return {f"{base}.{at}": value for at, value in enumerate(values, 1)}
