"""What the pages are made of: the services of the API, and what polling has in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from promsnmp.cluster.cluster import Cluster
from promsnmp.discovery.service import Discovery
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Device
from promsnmp.inventory.query import DeviceSelector
from promsnmp.inventory.targets import TargetGroup
from promsnmp.inventory.writes.many_devices import ManyDevices
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.modules.snmp_yml.read_options import ReadOptions
from promsnmp.observe.health import Health
from promsnmp.polling.explain.health import HealthExplanation
from promsnmp.polling.explain.model import Explanation
from promsnmp.polling.history.poll_history import PastPoll
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.polling.walks.walker import Walked
from promsnmp.web.peers.recent_traps import TrapExchange
from promsnmp.web.peers.statuses import PeerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that the pages read, and change."""

    version: str
    site: str
    """The site's name for people; may be empty."""
    mib_folders: tuple[str, ...]
    """Folders of MIB files, of which modules are built."""
    modules: tuple[str, ...]
    """Those of devices that do not name their own."""
    interval: float
    """Seconds between two polls of a device; 0: devices are polled when they are scraped."""
    shows_rates: bool
    """Whether polls compare the counters of interfaces with those of the poll before."""
    devices: Devices
    many_devices: ManyDevices
    """Changes of many devices at once."""
    reload: Callable[[], Awaitable[object]]
    """Reads all files again; see ``http.services.Services``."""
    read_options: ReadOptions
    """How files of modules are read."""
    select: DeviceSelector
    statuses: Callable[[tuple[Device, ...]], Sequence[PollStatus | None]]
    """How the last polls of all devices ended, in order; None: another replica polls the device."""
    peer_report: Callable[[], Awaitable[PeerReport]]
    """What the other replicas say of the devices that they poll."""
    status: Callable[[Device], PollStatus]
    last_page: Callable[[Device], RenderedPage | None]
    interface_rates: Callable[[Device], Mapping[str, tuple[float, float]]]
    """Bits per second received and sent, by the text of an interface's labels."""
    rate_history: Callable[[Device], Mapping[str, tuple[bytes, bytes]]]
    """Codes of the rates of the last hour, by the same text."""
    keeps_history: bool
    """Whether rates of the last hour are kept at all."""
    error_rates: Callable[[Device], Mapping[str, tuple[float | None, float | None]] | None]
    """Errors and discards per second by ifIndex, where they are not 0."""
    past_polls: Callable[[Device], Sequence[PastPoll]]
    explain: Callable[[Device], Awaitable[Explanation]]
    """Polls a device once, and says where its metrics come from; raises what ``Explainer`` does."""
    explain_health: Callable[[Device], Awaitable[HealthExplanation]]
    definitions_of: Callable[[Device], Sequence[str]]
    """The health definitions that suit a device."""
    definitions: Callable[[], Mapping[str, int]]
    """Health definitions in use here, with their numbers of devices."""
    catalogue_store: CatalogueStore
    cluster: Cluster
    discovery: Discovery
    next_search: Callable[[], float]
    """Unix time of the next search of all seeds; 0: none is scheduled."""
    upcoming_searches: Callable[[int], Sequence[float]]
    """Unix times of the next searches of all seeds, so many of them; empty: none is scheduled."""
    schedule: str
    """When they are, as the settings say it."""
    walk: Callable[[Device, bytes], Awaitable[Walked]]
    """Walks a device at and below an OID (content octets). Raises SnmpError, WalksBusy, and UnknownDevice for a device
    without an agent."""
    health: Health
    traps: TrapExchange
    """The traps that all replicas have received last."""
    receives_traps: bool
    """Whether TRAP_PORT is set."""
    target_groups: Callable[[Snapshot, AbstractSet[str]], Sequence[TargetGroup]]
    """The entries of ``/targets`` of the devices with these ids, in the order of the inventory."""

    def owner(self, device: Device) -> str:
        """The name of the replica that polls a device."""
        return self.cluster.members.ring.owner(device.id)
