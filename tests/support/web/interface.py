"""The pages over devices and polls that a test makes up; nothing is polled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.cluster.members.members import Member
from promsnmp.discovery.jobs import Job
from promsnmp.discovery.scan.rate import ScanLimits
from promsnmp.discovery.serialize import job_document
from promsnmp.discovery.service import Discovery
from promsnmp.errors import ModuleError, PeerError, SnmpTimeout
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, Inventory, NamedCredentials, Seed
from promsnmp.inventory.query import DeviceSelector
from promsnmp.inventory.targets import Site, TargetList
from promsnmp.inventory.writes.many_devices import ManyDevices
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.modules.snmp_yml.read_options import STRICT
from promsnmp.observe.counts import DiscoveryCounts, PollCounts
from promsnmp.observe.health import Component, Health, Status
from promsnmp.polling.explain.health import HealthExplanation
from promsnmp.polling.explain.model import Explanation
from promsnmp.polling.history.poll_history import PastPoll
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.polling.walks.walker import Walked
from promsnmp.snmp.credentials import Community
from promsnmp.traps.follow_up.recent import RecentTraps
from promsnmp.traps.names.model import NamedNotification
from promsnmp.web.interface import WebInterface
from promsnmp.web.peers.recent_traps import TrapExchange
from promsnmp.web.peers.statuses import NO_REPORT, PeerReport
from promsnmp.web.rates import PollRateMeter
from promsnmp.web.sources import Sources

NOW = 1_800_000_000.0
ME = Member("replica-1", "instance-1", "192.0.2.50:8080", NOW - 3600)


def device(number: int, **fields: Any) -> Device:
    """A device ``switch-N`` with an address of its own; ``fields`` replace its own."""
    agent = Agent(
        f"00000000-0000-4000-9000-{number:012}",
        AgentEndpoint(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"),
        Community(community="s3cret"),
    )
    made = Device(
        f"00000000-0000-4000-8000-{number:012}", f"switch-{number}", agents=(agent,), primary=agent, vendor="Example"
    )
    return replace(made, **fields)


def up(seconds_ago: float = 5.0, **fields: Any) -> PollStatus:
    """A poll that went well."""
    return PollStatus("up", NOW - seconds_ago, **{"seconds": 0.25, "samples": 1234, **fields})


def down(problem: str = "no response") -> PollStatus:
    """A poll that failed."""
    return PollStatus("down", NOW - 9, problem, 3.0)


def interface(
    devices: Mapping[Device, PollStatus | None],
    *,
    pages: Mapping[str, str] | None = None,
    members: Sequence[Member] = (ME,),
    rates: Mapping[str, tuple[float, float]] | None = None,
    components: Mapping[str, Component] | None = None,
    module_error: str = "",
    revision: int = 7,
    walk: Callable[[Device, bytes], Awaitable[Walked]] | None = None,
    jobs: Sequence[Job] = (),
    seeds: Sequence[Seed] = (),
    report: PeerReport = NO_REPORT,
    histories: Mapping[str, tuple[bytes, bytes]] | None = None,
    errors: Mapping[str, tuple[float | None, float | None]] | None = None,
    past_polls: Sequence[PastPoll] = (),
    explanation: Explanation | None = None,
    health_explanation: HealthExplanation | None = None,
    mib_folders: Sequence[str] = (),
    traps: Sequence[NamedNotification] = (),
    named: Sequence[NamedCredentials] = (),
) -> WebInterface:
    """The pages of one replica, ME. ``devices`` with how their polls ended, ``pages`` by name of the device."""
    snapshot = Snapshot.of(
        Inventory(tuple(devices), seeds=tuple(seeds), revision=revision, named_credentials=tuple(named))
    )
    store = SimpleNamespace(snapshot=snapshot, current=snapshot.inventory, key=b"0123456789abcdef")
    catalogue_store = CatalogueStore(builtin_catalogue())
    catalogue_store.last_error = ModuleError(module_error) if module_error else None
    texts = pages or {}

    def last_page(one: Device) -> RenderedPage | None:
        text = texts.get(one.sys_name)
        return None if text is None else RenderedPage(0.0, (), {Format.TEXT: text.encode()})

    recent = RecentTraps()
    for trap in traps:
        recent.add(trap)

    async def peer_report() -> PeerReport:
        return report

    async def explain(one: Device) -> Explanation:
        if explanation is None:
            raise SnmpTimeout("no response", target=one.sys_name)
        return explanation

    async def explain_health(one: Device) -> HealthExplanation:
        if health_explanation is None:
            raise SnmpTimeout("no response", target=one.sys_name)
        return health_explanation

    sources = Sources(
        version="1.2.3",
        site="Vienna",
        mib_folders=tuple(mib_folders),
        modules=("system", "if_mib"),
        interval=60.0,
        shows_rates=True,
        devices=Devices(cast("Any", store)),
        many_devices=ManyDevices(cast("Any", store)),
        reload=_nothing_to_reload,
        read_options=STRICT,
        select=DeviceSelector(("system", "if_mib")),
        statuses=lambda all_devices: [devices[one] for one in all_devices],
        peer_report=peer_report,
        status=lambda one: devices[one] or NEVER_POLLED,
        last_page=last_page,
        interface_rates=lambda _: rates or {},
        rate_history=lambda _: histories or {},
        keeps_history=True,
        error_rates=lambda _: errors,
        past_polls=lambda _: past_polls,
        explain=explain,
        explain_health=explain_health,
        definitions_of=lambda _: ("host_resources",),
        definitions=lambda: Counter({"host_resources": 3, "entity_sensor": 9}),
        catalogue_store=catalogue_store,
        cluster=cast("Any", _cluster(members)),
        discovery=cast("Any", discovery(jobs, seeds)),
        traps=TrapExchange(cast("Any", _cluster(members)), recent),
        receives_traps=True,
        next_search=lambda: NOW + 3600,
        walk=walk or no_walk,
        upcoming_searches=lambda count: [NOW + 3600 * (at + 1) for at in range(count)],
        schedule="0 0 * * * *",
        target_groups=TargetList(site=Site(), modules=("system", "if_mib")).groups,
        health=Health({name: (lambda part=part: part) for name, part in (components or {}).items()}),  # type: ignore[misc]
    )
    return WebInterface(sources, PollRateMeter(PollCounts()), clock=lambda: NOW)


def discovery(jobs: Sequence[Job], seeds: Sequence[Seed]) -> SimpleNamespace:
    """Searches and saved seeds, as ``discovery.service.Discovery`` shows them; nothing is searched."""
    made = Discovery(
        cast("Any", SimpleNamespace(inventory=Inventory, update=None, clock=lambda: NOW, scan_limits=ScanLimits())),
        DiscoveryCounts(),
    )
    return SimpleNamespace(
        jobs=jobs,
        finished_at=NOW - 7200,
        documents=lambda now: [job_document(one, now) for one in jobs],
        job=lambda job_id: next((one for one in jobs if one.id == job_id), None),
        seeds=SimpleNamespace(seeds=seeds),
        estimate=made.estimate,
        packets_per_second=made.packets_per_second,
    )


async def no_walk(_: Device, __: bytes) -> Walked:
    """A device that has nothing."""
    return Walked()


async def _no_answer(*_: object, **__: object) -> None:
    """As when another replica is not there."""
    raise PeerError("no answer")


async def _nothing_to_reload() -> None:
    """As when no file has changed."""


def broken(reason: str) -> Component:
    """A component of the health that is not as it should be."""
    return Component(Status.DOWN, {"error": reason})


def _cluster(members: Sequence[Member]) -> SimpleNamespace:
    leader = SimpleNamespace(name=members[-1].name, address=members[-1].address, fencing_token=3)
    return SimpleNamespace(
        members=SimpleNamespace(
            me=ME,
            present=tuple(members),
            others=tuple(one for one in members if one.instance != ME.instance),
            ring=HashRing([one.name for one in members], ME.name),
        ),
        leader=lambda: leader,
        role="leader" if leader.name == ME.name else "follower",
        has_peers=len(members) > 1,
        peers=SimpleNamespace(request=_no_answer),
        leadership=SimpleNamespace(backend="none", problem="", since_renewal=1.5),
        peer_inventories=SimpleNamespace(lag=lambda: "", newest=lambda: None),
        read_leases=SimpleNamespace(rules=SimpleNamespace(is_valid=True)),
    )
