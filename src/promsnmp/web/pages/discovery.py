"""Discovery: a form, the searches and what they find, the saved seeds, and when they are searched next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from promsnmp.discovery.jobs import ENDED_STATES, DiscoveredDevice, Job
from promsnmp.discovery.reconcile.merge import SightingKind
from promsnmp.discovery.scan.target_syntax import read_scope, split_targets
from promsnmp.inventory.model import Seed
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, User
from promsnmp.web.pages.credentials_text import credentials_text
from promsnmp.web.sources import Sources

MOST_JOBS = 20
MOST_DEVICES = 200
"""Devices of a search that are listed."""
MOST_SEEDS = 100
NAMED = "credentials:"
"""How the value of a field begins that means named credentials of the inventory."""
MOST_NAMES = 100
"""Credentials that are listed by name."""
MOST_PROBLEMS = 20
RUNS = 5
"""Scheduled searches that are shown."""
_RUNNING = ("queued", "running")


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that a search found; ``fate``: what became of it in the inventory."""

    id: str
    name: str
    addresses: str
    what: str
    fate: str
    explanation: str


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What the form shows: what was entered when it was refused, without secrets."""

    targets: str = ""
    exclude: str = ""
    neighbours: str = ""
    port: str = ""
    version: str = ""
    force: bool = False
    save: bool = False
    auths: frozenset[str] = frozenset()
    credentials_name: str = ""


@dataclass(frozen=True, slots=True)
class SeedRow:
    """A saved seed."""

    id: str
    targets: str
    credentials: str
    exclude: str


def discovery_view(sources: Sources, query: Sequence[tuple[str, str]], now: float) -> Mapping[str, object]:
    """The values of the page. ``query``: the search to show, and fields of a form that was refused."""
    last, discovery = dict(query), sources.discovery
    documents = list(islice(discovery.documents(now), MOST_JOBS))
    chosen = _chosen(documents, last.get("job", ""))
    job = discovery.job(str(chosen["id"])) if chosen is not None else None
    seeds = discovery.seeds.seeds
    return {
        "problems": [value for name, value in query if name == "problem"][:MOST_PROBLEMS],
        "form": _form(query),
        "names": sorted(sources.catalogue_store.current.auths)[:MOST_NAMES],
        "credential_names": [one.name for one in sources.devices.credentials.current[:MOST_NAMES]],
        "has_more_names": len(sources.devices.credentials.current) > MOST_NAMES,
        "seeds": [_seed_row(seed) for seed in seeds[:MOST_SEEDS]],
        "seed_count": len(seeds),
        "auth_protocols": list(AuthProtocol),
        "priv_protocols": list(PrivProtocol),
        "jobs": [_summary(one) for one in documents],
        "job": None if chosen is None else _summary(chosen),
        "found": [] if job is None else list(_found(job)),
        "found_count": 0 if job is None else len(job.discovered_devices),
        "devices_omitted": job is None or job.devices_omitted,
        "runs": any(one["state"] in _RUNNING for one in documents),
        "upcoming": sources.upcoming_searches(RUNS),
        "schedule": sources.schedule,
    }


def _chosen(documents: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any] | None:
    """The search that is wanted, else one that runs, else the newest."""
    by_id = next((one for one in documents if one["id"] == wanted), None)
    running = next((one for one in documents if one["state"] in _RUNNING), None)
    return by_id or running or next(iter(documents), None)


def _summary(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A search in the form of the API, with its targets as one text, and all keys that the page uses."""
    targets = document.get("targets", [])
    addresses = int(document.get("addresses", 0))
    return {
        "timeLeft": None, "startedAt": "", "endedAt": "", "createdAt": "", "error": "", "errors": {}, "problems": [],
        "refusing": [], **dict.fromkeys(
            ("probed", "answered", "found", "packets", "rate", "added", "updated", "unchanged", "missed", "lost",
             "removed", "neighbours"), 0,
        ),
        **document,
        "targets": ", ".join(map(str, targets[:50])) + (f" and {len(targets) - 50} more" if len(targets) > 50 else ""),
        "share": min(int(document.get("probed", 0)) / addresses, 1.0) if addresses else 0.0,
        "runs": document["state"] in _RUNNING,
    }  # fmt: skip


def _found(job: Job) -> Iterator[FoundDevice]:
    """The last devices that a search found."""
    known = job.discovered_devices.values()
    for one in islice(reversed(known), MOST_DEVICES):
        device = one.device
        fate, explanation = _fate(one)
        yield FoundDevice(
            device.id,
            device.sys_name,
            ", ".join(str(place) for place in one.endpoints[:5]),
            " ".join(filter(None, (device.vendor, device.model))) or device.sys_descr,
            fate,
            explanation,
        )


def _fate(one: DiscoveredDevice) -> tuple[str, str]:
    if one.device.identity_change is not None:
        return "conflict", f"another device answers: {'; '.join(one.device.identity_change.differences)}"
    if one.sighting_kind is SightingKind.REPLACED:
        return "conflict", "other hardware with the name and address of a known device: its entry was replaced"
    if one.sighting_kind is SightingKind.ADDED:
        return "new", "added to the inventory"
    if one.sighting_kind is SightingKind.ANOTHER_ADDRESS:
        return "merged", "a known device at one more address"
    return ("updated", "a known device with new values") if one.updated else ("unchanged", "as the inventory has it")


def _form(query: Sequence[tuple[str, str]]) -> SearchForm:
    last = dict(query)
    return SearchForm(
        targets=last.get("targets", ""),
        exclude=last.get("exclude", ""),
        neighbours=last.get("neighbours", ""),
        port=last.get("port", ""),
        version=last.get("version", ""),
        force=bool(last.get("force")),
        save=bool(last.get("save")),
        auths=frozenset(value for name, value in query if name == "auth"),
        credentials_name=last.get("credentials_name", ""),
    )


def _seed_row(seed: Seed) -> SeedRow:
    targets = seed.potential_targets
    more = f" and {len(targets) - 20} more" if len(targets) > 20 else ""
    kinds = "; ".join(credentials_text(one) for one in seed.credentials[:10])
    return SeedRow(seed.id, ", ".join(targets[:20]) + more, kinds, ", ".join(seed.exclude[:20]))


# ---------------------------------------------------------------------------------------------------------------- check


def check_view(sources: Sources, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """How many addresses the form has, how long they take, and what is wrong with them. Called in a thread."""
    last = dict(query)
    targets = split_targets(last.get("targets", ""))
    scope, problems = read_scope(targets, split_targets(last.get("exclude", "")), force=bool(last.get("force")))
    auths = sources.catalogue_store.current.auths
    find = sources.devices.credentials.find
    names = list(dict.fromkeys(value for name, value in query if name == "auth"))[:MOST_NAMES]
    named = (find(value.removeprefix(NAMED)) for value in names if value.startswith(NAMED))
    chosen = [auths[value] for value in names if value in auths] + [one.credentials for one in named if one]
    users = sum(isinstance(one, User) for one in chosen)
    communities = max(len(chosen) - users, 0 if users else 1)
    seconds = sources.discovery.estimate(scope.size, communities=communities, users=users)
    return {
        "is_empty": not targets,
        "addresses": scope.size,
        "names_to_resolve": len(scope.names),
        "estimate": seconds,
        "rate": sources.discovery.packets_per_second,
        "problems": problems[:MOST_PROBLEMS],
        "problem_count": len(problems),
        "runs_beside": sum(job.state not in ENDED_STATES for job in sources.discovery.jobs),
    }
