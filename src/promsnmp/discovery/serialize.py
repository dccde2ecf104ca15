"""Jobs and found devices as JSON, for the API and for commands, with or without a service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from promsnmp.discovery.jobs import DiscoveredDevice, Job
from promsnmp.inventory.document.parsing import VERSION_NAMES

MAX_REFUSING = 1000
"""Most addresses that reject all credentials to list."""


def job_document(job: Job, now: float) -> dict[str, Any]:
    """A job at the Unix time ``now``, without its devices; unknown values are left out."""
    progress, left = job.progress, job.seconds_left(now)
    document = {
        "id": job.id,
        "state": job.state.value,
        "seedId": job.plan.seed_id or None,
        "targets": list(job.plan.targets),
        "createdAt": _instant(job.created),
        "startedAt": _instant(job.started),
        "resumedAt": _instant(job.resumed),
        "endedAt": _instant(job.ended),
        "addresses": progress.addresses if job.started else job.plan.scope.size,
        "probed": progress.probed,
        "answered": progress.answered,
        "found": progress.found,
        "packets": progress.packets,
        "rate": round(job.packets_per_second(now), 1),
        "timeLeft": None if left is None else round(left, 1),
        "errors": dict(progress.errors),
        "added": job.change_counts["added"],
        "updated": job.change_counts["updated"],
        "unchanged": job.change_counts["unchanged"],
        "missed": job.missed_devices.count,
        "lost": len(job.missed_devices.lost),
        "removed": len(job.missed_devices.removed),
        "neighbours": job.neighbours_probed,
        "refusing": list(job.refusing[:MAX_REFUSING]),
        "problems": list(job.plan.problems),
        "error": job.error or None,
    }
    return {key: value for key, value in document.items() if value is not None}


def detailed_document(job: Job, now: float) -> dict[str, Any]:
    """``job_document`` with the devices that the job found."""
    found = [discovered_device_document(one) for one in job.discovered_devices.values()]
    return job_document(job, now) | {"devices": found, "devicesOmitted": job.devices_omitted}


def discovered_device_document(discovered: DiscoveredDevice) -> dict[str, Any]:
    """One found device."""
    device = discovered.device
    agent = next((one for one in device.agents if one.endpoint in discovered.endpoints), device.primary)
    return {
        "id": device.id,
        "change": discovered.kind,
        "sysName": device.sys_name,
        "addresses": [str(one) for one in discovered.endpoints],
        "version": VERSION_NAMES[agent.version] if agent else "",
        "vendor": device.vendor,
        "model": device.model,
        "sysObjectId": device.sys_object_id,
        "sysLocation": device.sys_location,
        "sysDescr": device.sys_descr,
    }


def _instant(seconds: float) -> str | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
