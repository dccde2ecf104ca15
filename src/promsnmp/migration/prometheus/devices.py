"""From what Prometheus scrapes through snmp_exporter to devices of the inventory.

Targets with one endpoint become one device, because the inventory has each endpoint once: with the modules of all, and
the shortest interval.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from promsnmp.inventory.address import split_target
from promsnmp.inventory.document.credentials import MIN_PASSPHRASE
from promsnmp.inventory.document.parsing import duration_text
from promsnmp.inventory.document.values import LONGEST_INTERVAL, SHORTEST_INTERVAL
from promsnmp.inventory.model import DEFAULT_PORT, AgentEndpoint
from promsnmp.inventory.named_credentials.document import read_name
from promsnmp.migration.migrated import MigratedDevice
from promsnmp.migration.notes import Notes
from promsnmp.migration.prometheus.config import ScrapeJob
from promsnmp.migration.prometheus.targets import ScrapeTarget
from promsnmp.modules.catalogue import Catalogue
from promsnmp.snmp.credentials import Credentials, SecurityLevel, User

DEFAULT_MODULE, DEFAULT_AUTH = "if_mib", "public_v2"
"""What snmp_exporter takes when a scrape names none."""
LONGEST_POLL = 60_000
"""Milliseconds: the default of COLLECTION_TIMEOUT."""
_NAME = re.compile(r"[A-Za-z0-9._-]+\Z", re.ASCII)
"""Names that /targets uses; for others it uses the address."""


@dataclass(slots=True, kw_only=True)
class ScrapedDevice(MigratedDevice):
    """A device that Prometheus scrapes through snmp_exporter, with its scrapes."""

    targets: list[ScrapeTarget] = field(default_factory=list)


def is_snmp(target: ScrapeTarget) -> bool:
    """Whether a target is a device behind snmp_exporter: the path ``/snmp`` and a parameter ``target``."""
    return target.path.rstrip("/").endswith("/snmp") and bool(target.param("target"))


def devices_of(targets: Iterable[ScrapeTarget], catalogue: Catalogue, notes: Notes) -> list[ScrapedDevice]:
    """The devices behind snmp_exporter, in the order of the targets; ``catalogue`` is that of snmp.yml."""
    devices: dict[AgentEndpoint, ScrapedDevice] = {}
    jobs: dict[int, ScrapeJob] = {}
    for target in targets:
        if not is_snmp(target):
            continue
        try:
            device = _device(target, catalogue, notes)
        except ValueError as error:
            what = f"{target.param('target')}: not migrated: {error}"
            notes.add(target.file, target.line, what, lost=True)
            continue
        jobs[id(target.job)] = target.job
        if (before := devices.get(device.endpoint)) is None:
            devices[device.endpoint] = device
        else:
            _merge(before, device, target, notes)
    for job in jobs.values():
        _note_job(job, notes)
    return _with_own_names(list(devices.values()), notes)


def _device(target: ScrapeTarget, catalogue: Catalogue, notes: Notes) -> ScrapedDevice:
    """The device behind a target. Raises ValueError with the reason why it is not migrated."""
    address = target.param("target")
    transport, separator, rest = address.partition("://")
    if separator and transport != "udp":
        raise ValueError(f"the inventory has SNMP over UDP only, not {transport[:10]}")
    host, port = split_target(rest if separator else address)
    auth = target.param("auth") or DEFAULT_AUTH
    if auth not in catalogue.auths:
        raise ValueError(f"snmp.yml has no auth {auth!r}; give the file that has it as --snmp")
    names = target.values("module") or (DEFAULT_MODULE,)
    modules = tuple(name for name in names if name in catalogue.modules)
    unknown = ", ".join(repr(name) for name in names if name not in modules)
    if not modules:
        raise ValueError(f"snmp.yml has no module {unknown}; give the file that has it as --snmp")
    if unknown:
        what = f"{address}: without module {unknown}, which snmp.yml does not have; give its file as --snmp"
        notes.add(target.file, target.line, what, lost=True)
    credentials = _credentials(target, catalogue.auths[auth])
    used = [catalogue.modules[name] for name in modules]
    interval = min(max(target.interval, SHORTEST_INTERVAL), LONGEST_INTERVAL)
    if interval != target.interval:
        notes.add(target.file, target.line, f"{address}: the interval becomes {duration_text(interval)}")
    labels = {name: value for name, value in target.labels.items() if name != "instance"}
    return ScrapedDevice(
        endpoint=AgentEndpoint(host, port or DEFAULT_PORT),
        source=f"{target.job.name} {Path(target.file).name}:{target.line}",
        credentials_name=auth,
        credentials=credentials,
        modules=modules,
        labels=labels,
        interval=interval,
        timeout=min(max(round(1000 * module.timeout) for module in used), 3_600_000),
        retries=min(max(module.retries for module in used), 100),
        sys_name=_sys_name(target, host, port, notes),
        is_named=credentials == catalogue.auths[auth] and _is_name(auth),
        targets=[target],
    )


def _is_name(auth: str) -> bool:
    try:
        read_name(auth)
    except ValueError:  # it has letters that a name must not have: the device gets credentials of its own
        return False
    return True


def _credentials(target: ScrapeTarget, credentials: Credentials) -> Credentials:
    """Those of the auth, with ``snmp_context`` and ``snmp_engineid`` of the request. Raises ValueError."""
    context, engine_id = target.param("snmp_context"), target.param("snmp_engineid")
    if not isinstance(credentials, User):
        return credentials
    if credentials.level >= SecurityLevel.AUTH_NO_PRIV and len(credentials.auth_passphrase.encode()) < MIN_PASSPHRASE:
        raise ValueError(f"the passphrase of its auth is shorter than {MIN_PASSPHRASE} octets (RFC 3414 section 11.2)")
    if credentials.level is SecurityLevel.AUTH_PRIV and len(credentials.priv_passphrase.encode()) < MIN_PASSPHRASE:
        raise ValueError(f"the passphrase of its auth is shorter than {MIN_PASSPHRASE} octets (RFC 3414 section 11.2)")
    if context:
        credentials = replace(credentials, context_name=context)
    if engine_id:
        try:
            credentials = replace(credentials, context_engine_id=bytes.fromhex(engine_id.removeprefix("0x")))
        except ValueError:
            raise ValueError("the parameter snmp_engineid is not hexadecimal") from None
    return credentials


def _sys_name(target: ScrapeTarget, host: str, port: int | None, notes: Notes) -> str:
    """The name with which series keep their ``instance``; empty where the address does that."""
    instance, address = target.labels["instance"], target.param("target")
    if instance == address:
        is_name = port is None and ":" not in host and not host.replace(".", "").isdigit()
        return instance if is_name and _NAME.match(instance) else ""
    if instance == target.address:
        what = f"its instance was the address of the exporter, {instance}; now it is the address of the device"
        notes.add(target.file, target.line, f"{address}: {what}")
        return ""
    if not _NAME.match(instance):
        what = f"instance {instance!r} becomes the address of the device; set it by relabel_configs if it must stay"
        notes.add(target.file, target.line, f"{address}: {what}")
        return ""
    return instance


def _merge(device: ScrapedDevice, other: ScrapedDevice, target: ScrapeTarget, notes: Notes) -> None:
    """Adds what another scrape of the same device reads."""
    changes = []
    if other.credentials != device.credentials:
        what = f"{target.param('target')}: scraped with auth {device.credentials_name!r} already; the inventory has one"
        advice = f"login for each endpoint, so auth {other.credentials_name!r} or another context is not migrated"
        notes.add(target.file, target.line, f"{what} {advice}", lost=True)
        return
    if added := [name for name in other.modules if name not in device.modules]:
        changes.append(f"modules {', '.join(added)} are added")
        device.modules = (*device.modules, *added)
    for name, value in other.labels.items():
        if device.labels.setdefault(name, value) != value:
            changes.append(f"label {name} stays {device.labels[name]!r}, not {value!r}")
    if other.interval != device.interval:
        device.interval = min(device.interval, other.interval)
        changes.append(f"the interval is {duration_text(device.interval)}")
    device.timeout = max(device.timeout, other.timeout)
    device.retries = max(device.retries or 0, other.retries or 0)
    device.sys_name = device.sys_name or other.sys_name
    device.targets.append(target)
    text = f"{target.param('target')}: the same device as at {device.targets[0].file}:{device.targets[0].line}"
    notes.add(target.file, target.line, f"{text}; {'; '.join(changes) or 'nothing to add'}")


def _with_own_names(devices: list[ScrapedDevice], notes: Notes) -> list[ScrapedDevice]:
    """The devices; those that share a name get none, since scrapes use the address then."""
    by_name: dict[str, list[ScrapedDevice]] = {}
    for device in devices:
        by_name.setdefault(device.sys_name.lower(), []).append(device)
    for name, same in by_name.items():
        if name and len(same) > 1:
            for device in same:
                what = f"{len(same)} devices have the instance {name!r}; this one is named by its address"
                notes.add(device.targets[0].file, device.targets[0].line, f"{device.endpoint}: {what}")
                device.sys_name = ""
    return devices


def _note_job(job: ScrapeJob, notes: Notes) -> None:
    """What a job says that stays in Prometheus."""
    for key, line in job.stays:
        notes.add(job.file, line, f"{key} of job {job.name!r} stays in Prometheus: copy it to the job for PromSNMP")
    if job.timeout > LONGEST_POLL:
        timeout = duration_text(job.timeout)
        what = f"scrape_timeout of job {job.name!r} is {timeout}; set COLLECTION_TIMEOUT={timeout} for polls as long"
        notes.add(job.file, job.line, what)
