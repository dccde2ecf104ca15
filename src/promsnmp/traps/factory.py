"""The receiver of traps with names, rules and outputs, from the settings."""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.cluster.cluster import Cluster
from promsnmp.inventory.store import InventoryStore
from promsnmp.polling.subsystem import PollingSubsystem
from promsnmp.settings import Settings
from promsnmp.traps.device_traps import DeviceTraps
from promsnmp.traps.naming import TrapNames
from promsnmp.traps.pass_on import PassOn
from promsnmp.traps.subsystem import TrapSubsystem


def make_traps(
    settings: Settings, store: InventoryStore, cluster: Cluster, polling: PollingSubsystem, device_traps: DeviceTraps
) -> TrapSubsystem:
    """Raises ModuleError, SettingsError and PromSnmpError: files, outputs or sockets are wrong. While TRAP_PORT is 0,
    files and outputs are not looked at."""
    if not settings.trap_port:
        return TrapSubsystem(settings, store, cluster, polling, device_traps)

    def labels(device_id: str) -> Mapping[str, str]:
        device = store.snapshot.index.device(device_id)
        return dict(device.labels) if device is not None else {}

    pass_on = PassOn.of_settings(settings, labels)
    names = TrapNames(pass_on.name_of, pass_on.severity_of, pass_on.confirmation_of)
    return TrapSubsystem(settings, store, cluster, polling, device_traps, names=names, pass_on=pass_on)
