"""Renders ``/targets``: the list of targets for Prometheus's HTTP service discovery.

A new label is an entry of ``device_labels``; a filter by it also needs one of ``FIELDS`` in ``inventory/query.py``.

Prometheus takes the list with the usual relabelling of multi-target exporters (``__address__`` to ``__param_target``
to ``instance``), so a target is what ``/snmp?target=`` accepts. Everything else about a device is a
``__meta_promsnmp_*`` label, which costs nothing unless a relabelling rule uses it.
See https://prometheus.io/docs/prometheus/latest/http_sd/.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from promsnmp.inventory.document.parsing import VERSION_NAMES, duration_text
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import DEFAULT_PORT, Agent, Device
from promsnmp.inventory.modules import AUTO, effective_modules, requested_modules
from promsnmp.inventory.per_device_cache import PerDeviceCache
from promsnmp.settings import Settings

META = "__meta_promsnmp_"
LONGEST_SCRAPE_INTERVAL = 300_000
"""Milliseconds: Prometheus shows no sample that is older (--query.lookback-delta), so alerts would end in between."""
SCRAPE_TIMEOUT = 10_000
"""Milliseconds: the default of SCRAPE_TIMEOUT, and of Prometheus's scrape_timeout."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\Z")


@dataclass(frozen=True, slots=True)
class Site:
    """The site of this PromSNMP: labels of all its targets. Empty values give no label."""

    tenant: str = ""
    id: str = ""
    label: str = ""
    descr: str = ""
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Site:
        return cls(
            tenant=settings.prom_tenant_id,
            id=settings.prom_site_id,
            label=settings.prom_site_label,
            descr=settings.prom_site_descr,
            address=settings.prom_site_addr,
            latitude=settings.prom_site_lat,
            longitude=settings.prom_site_long,
        )

    def labels(self) -> dict[str, str]:
        """``tenant``, ``site_id``... without prefix; only those with a value."""
        values = {
            "tenant": self.tenant,
            "site_id": self.id,
            "site_label": self.label,
            "site_descr": self.descr,
            "site_address": self.address,
            "site_latitude": _degrees(self.latitude),
            "site_longitude": _degrees(self.longitude),
        }
        return {name: value for name, value in values.items() if value}


class TargetGroup(NamedTuple):
    """An entry of the list as JSON, and a hash of it."""

    text: bytes
    digest: int


class TargetList:
    """Renders the JSON of ``/targets``; after a change, only the devices that changed."""

    def __init__(
        self,
        *,
        site: Site,
        modules: Sequence[str],
        scrape_timeout: int = SCRAPE_TIMEOUT,
        native_histograms: bool = False,
    ) -> None:
        """``modules``: those of a device that does not name its own; may contain ``AUTO``. ``scrape_timeout``
        (milliseconds): that of a device with an interval of its own, unless the interval is shorter.
        ``native_histograms``: whether Prometheus is to scrape them."""
        self._scrape_timeout = scrape_timeout
        self._more = {"__scrape_native_histograms__": "true"} if native_histograms else {}
        self._site = {META + name: value for name, value in site.labels().items()}
        self._modules = tuple(modules)
        self._named = PerDeviceCache(lambda device: self._render(device, by_name=True))
        self._unnamed = PerDeviceCache(lambda device: self._render(device, by_name=False))

    @classmethod
    def from_settings(cls, settings: Settings) -> TargetList:
        return cls(
            site=Site.from_settings(settings),
            modules=settings.modules,
            scrape_timeout=settings.scrape_timeout,
            native_histograms=settings.targets_native_histograms,
        )

    def of(self, now: Snapshot, chosen: AbstractSet[str] | None = None) -> bytes:
        """A JSON list of the groups."""
        return b"[" + b",\n".join([group.text for group in self.groups(now, chosen)]) + b"]\n"

    def groups(self, now: Snapshot, chosen: AbstractSet[str] | None = None) -> list[TargetGroup]:
        """One group per device with an agent and with an id in ``chosen`` (None: all), in order."""
        devices, ambiguous_ids = now.inventory.devices, now.index.ambiguous_ids
        groups = self._named.of(devices)
        if ambiguous_ids:
            others = tuple(device for device in devices if device.id in ambiguous_ids)
            found = dict(zip((device.id for device in others), self._unnamed.of(others), strict=True))
            groups = [found.get(device.id, group) for device, group in zip(devices, groups, strict=True)]
        if chosen is not None:
            groups = [group for device, group in zip(devices, groups, strict=True) if device.id in chosen]
        return [group for group in groups if group is not None]

    def _render(self, device: Device, *, by_name: bool) -> TargetGroup | None:
        if device.primary is None:
            return None
        labels = device_labels(device, device.primary) | self._site | self._more
        wanted = requested_modules(device, self._modules)
        modules = ",".join(effective_modules(device, self._modules))
        if modules and (AUTO not in wanted or device.detected_modules):
            labels[META + "module"] = modules
        if modules and AUTO not in wanted:  # with auto, a scrape that names no modules gets the detected ones
            labels["__param_module"] = modules
        if interval := device.overrides.interval:
            labels["__scrape_interval__"] = duration_text(min(interval, LONGEST_SCRAPE_INTERVAL))
            labels["__scrape_timeout__"] = duration_text(min(interval, self._scrape_timeout))
        group = {"targets": [target_of(device, device.primary, by_name=by_name)], "labels": labels}
        text = json.dumps(group, separators=(",", ":")).encode("ascii")
        return TargetGroup(text, int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()))


def target_of(device: Device, primary: Agent, *, by_name: bool) -> str:
    """The sysName when it is unambiguous (``by_name``) and Prometheus accepts it as an address (no slash, colon or
    blank), else the address of the primary agent, with the port unless it is 161."""
    if by_name and _PLAIN_NAME.match(device.sys_name):
        return device.sys_name
    return primary.endpoint.address if primary.endpoint.port == DEFAULT_PORT else str(primary.endpoint)


def device_labels(device: Device, primary: Agent) -> dict[str, str]:
    """The meta labels of one device; only those with a value."""
    values = {
        "sysname": device.sys_name,
        "address": primary.endpoint.address,
        "port": str(primary.endpoint.port),
        "sysobjectid": device.sys_object_id,
        "location": device.sys_location,
        "contact": device.sys_contact,
        "descr": device.sys_descr,
        "vendor": device.vendor,
        "model": device.model,
        "status": device.status,
        "identity": "changed" if device.identity_change is not None else "",
        "source": device.source.name if device.source is not None else "",
        "version": VERSION_NAMES[primary.version],
        **{f"label_{name}": value for name, value in device.labels},
    }
    return {META + name: value for name, value in values.items() if value}


def _degrees(value: float | None) -> str:
    return "" if value is None else repr(value)
