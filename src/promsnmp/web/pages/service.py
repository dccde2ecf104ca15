"""What programs read of the service, for people: the targets of Prometheus's service discovery, and the health."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from promsnmp.errors import UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.inventory.query import parse_parameters
from promsnmp.observe.health import Component, worst_status
from promsnmp.web.pages.paging import page_number, page_of
from promsnmp.web.sources import Sources

SIZE = 100
"""Targets on a page."""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """An entry of the list, and its device."""

    device: Device
    name: str
    labels: Sequence[tuple[str, str]]


def targets_view(sources: Sources, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """A page of the list that ``/targets`` answers with the same filters; ``status`` is 400 when one is wrong."""
    filters = [pair for pair in query if pair[0] != "page"]
    snapshot, error = sources.devices.snapshot, ""
    devices: Sequence[Device] = [one for one in snapshot.inventory.devices if one.primary is not None]
    try:
        if conditions := parse_parameters(tuple(filters)):
            chosen = {device.id for device in sources.select.select(conditions, snapshot.inventory.devices)}
            devices = [device for device in devices if device.id in chosen]
    except ValueError as problem:
        error, devices = str(problem), []
    shown, number, pages = page_of(devices, page_number(dict(query).get("page", "")), SIZE)
    groups = sources.target_groups(snapshot, {device.id for device in shown}) if shown else []
    return {
        "status": HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK,
        "error": error,
        "found": len(devices),
        "targets": [_row(device, group.text) for device, group in zip(shown, groups, strict=True)],
        "number": number,
        "pages": pages,
        "url_of": lambda page: urlencode([*filters, ("page", page)], errors="replace"),
    }


def _row(device: Device, text: bytes) -> TargetRow:
    group = json.loads(text)
    return TargetRow(device, group["targets"][0], sorted(group["labels"].items()))


def health_view(sources: Sources, item: str) -> Mapping[str, object]:
    """All components, or the one behind ``health/``; ``status`` as ``/actuator/health`` has it. Raises UnknownDevice
    for a component that does not exist. Everybody may read it, so it says nothing else of this service."""
    _, _, name = item.partition("/")
    components: Mapping[str, Component] = sources.health.components()
    if name:
        if name not in components:
            raise UnknownDevice(f"there is no component {name!r}")
        components = {name: components[name]}
    whole = worst_status(components)
    return {
        "status": HTTPStatus.OK if whole.is_healthy else HTTPStatus.SERVICE_UNAVAILABLE,
        "whole": whole.value,
        "component": name,
        "components": list(components.items()),
        "version": "",
        "site": "",
    }
