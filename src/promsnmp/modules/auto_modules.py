"""Chooses the modules for a device from its sysObjectID and the tables that answer. Pure.

A table that answers is better evidence: many devices have another vendor's sysObjectID (a NAS that of net-snmp), and
the devices of one vendor differ in their tables. So every module, the vendors' too, has tables to probe, and the
sysObjectID counts only where the tables are unknown.

A new built-in module is a file in ``builtin/``, and its tables in ``_VENDOR_TABLES`` or ``_STANDARD_TABLES`` here; a
vendor's sysObjectIDs are in ``sys_object_ids.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.modules.sys_object_ids import ENTERPRISES, GENERIC, Product, product_of

MIB_2 = "1.3.6.1.2.1"


@dataclass(frozen=True, slots=True)
class TableProbe:
    """A subtree whose presence (anything at or below ``oid``) indicates a module."""

    oid: str
    module: str
    what: str
    """Its name in the MIB."""
    vendor: str = ""
    """The vendor, for tables that only its devices have."""


_STANDARD_TABLES = (
    ("2.2", "if_mib", "ifTable"),
    ("31.1.1", "if_mib", "ifXTable"),
    ("4.3", "ip_mib", "ipInReceives"),
    ("4.31.1", "ip_mib", "ipSystemStatsTable"),
    ("6.5", "tcp_udp", "tcpActiveOpens"),
    ("7.1", "tcp_udp", "udpInDatagrams"),
    ("25.1.1", "host_resources", "hrSystemUptime"),
    ("25.2.3", "host_resources", "hrStorageTable"),
    ("25.3.3", "host_resources", "hrProcessorTable"),
    ("47.1.1.1", "entity", "entPhysicalTable"),
    ("99.1.1", "entity_sensor", "entPhySensorTable"),
    ("15.3.1", "bgp4", "bgpPeerTable"),
    ("14.7", "ospf", "ospfIfTable"),
    ("14.10", "ospf", "ospfNbrTable"),
    ("17.1.4", "bridge", "dot1dBasePortTable"),
    ("17.2.15", "bridge", "dot1dStpPortTable"),
    ("33.1.1", "ups", "upsIdent"),
    ("33.1.2", "ups", "upsBattery"),
    ("43.10.2", "printer", "prtMarkerTable"),
    ("43.11.1", "printer", "prtMarkerSuppliesTable"),
    ("105.1.1", "poe", "pethPsePortTable"),
    ("105.1.3", "poe", "pethMainPseTable"),
)
_VENDOR_TABLES = (
    ("2021.4", "ucd_snmp", "memory of UCD-SNMP-MIB", ""),
    ("2021.10", "ucd_snmp", "laTable", ""),
    ("2021.11", "ucd_snmp", "systemStats of UCD-SNMP-MIB", ""),
    ("9.9.23.1.2.1", "cdp", "cdpCacheTable", ""),
    ("9.9.109.1.1.1", "cisco", "cpmCPUTotalTable", "Cisco"),
    ("9.9.221.1.1.1", "cisco", "cempMemPoolTable", "Cisco"),
    ("9.9.48.1.1", "cisco", "ciscoMemoryPoolTable", "Cisco"),
    ("9.9.13.1", "cisco", "ciscoEnvMonObjects", "Cisco"),
    ("9.9.91.1.1", "cisco", "entSensorValueTable", "Cisco"),
    ("2636.3.1.13", "juniper", "jnxOperatingTable", "Juniper"),
    ("2636.3.60.1.1", "juniper_optics", "jnxDomCurrentTable", "Juniper"),
    ("30065.3.1.1", "arista", "aristaSwFwdIpStatsTable", "Arista"),
    ("30065.3.12.1", "arista", "aristaEntSensorThresholdTable", "Arista"),
    ("11.2.14.11.5.1.9.6.1", "hp_aruba", "hpSwitchCpuStat", "HP"),
    ("11.2.14.11.1.2.6", "hp_aruba", "hpicfSensorTable", "HP"),
    ("47196.4.1.1.3.11", "hp_aruba", "arubaWiredChassisMIB", "Aruba"),
    ("14988.1.1.3", "mikrotik", "mtxrHealth", "MikroTik"),
    ("14988.1.1.4", "mikrotik", "mtxrLicense", "MikroTik"),
    ("14988.1.1.7", "mikrotik", "mtxrSystem", "MikroTik"),
    ("12356.101.4.1", "fortinet", "fgSystemInfo", "Fortinet"),
    ("25461.2.1.2.3", "paloalto", "panSession", "Palo Alto Networks"),
    ("318.1.1.1", "apc", "ups of PowerNet-MIB", "APC"),
    ("6574.1", "synology", "synoSystem", "Synology"),
    ("674.10892.5.4", "dell_idrac", "statusGroup of IDRAC-MIB", "Dell"),
    ("3375.2.1.1.2.1", "f5", "sysGlobalStat", "F5"),
    ("2011.5.25.31.1.1.1", "huawei", "hwEntityStateTable", "Huawei"),
)

TABLE_PROBES: tuple[TableProbe, ...] = (
    *(TableProbe(f"{MIB_2}.{oid}", module, what) for oid, module, what in _STANDARD_TABLES),
    TableProbe("1.0.8802.1.1.2.1.3", "lldp", "lldpLocalSystemData"),
    TableProbe("1.0.8802.1.1.2.1.4.1", "lldp", "lldpRemTable"),
    *(TableProbe(f"{ENTERPRISES}.{oid}", module, what, vendor) for oid, module, what, vendor in _VENDOR_TABLES),
)
"""The subtrees to probe, in the order of the modules."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Vendor and model of a device, as far as known, and its modules, each with the reason."""

    vendor: str
    """"" when unknown."""
    model: str
    """Product line or model; "" when unknown."""
    modules: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the modules."""
        return tuple(name for name, _ in self.modules)


def fingerprint(sys_object_id: str, answers: Mapping[str, bool], sys_descr: str = "") -> Fingerprint:
    """The fingerprint of a device.

    ``answers`` maps OIDs of ``TABLE_PROBES`` to whether anything is there; a missing one was not probed, or the device
    did not answer. ``system`` is always among the modules, as every agent has it, and so is ``if_mib``, unless the
    device has none of its tables.
    """
    known = product_of(sys_object_id)
    product = known[1] if known else Product("")
    reasons = {"system": "every agent has the system group"}
    by_module: dict[str, list[TableProbe]] = {}
    for probe in TABLE_PROBES:
        by_module.setdefault(probe.module, []).append(probe)
    for module, probes in by_module.items():
        answering = [probe for probe in probes if answers.get(probe.oid)]
        if answering:
            reasons[module] = f"answers to {', '.join(f'{probe.what} ({probe.oid})' for probe in answering)}"
        elif any(probe.oid in answers for probe in probes):
            continue
        elif module == "if_mib":
            reasons[module] = "nearly every agent has it, and its tables were not probed"
        elif known and module in product.modules:
            reasons[module] = f"sysObjectID {sys_object_id} is below {known[0]} ({_title(product)})"
    vendor = _vendor(product, answers)
    return Fingerprint(vendor, _model(product, vendor, sys_descr), tuple(reasons.items()))


def _title(product: Product) -> str:
    return f"{product.vendor} {product.line}".rstrip()


def _vendor(product: Product, answers: Mapping[str, bool]) -> str:
    """The vendor; that of the tables where the sysObjectID is generic or unknown."""
    if product.vendor not in ("", GENERIC):
        return product.vendor
    vendors = [probe.vendor for probe in TABLE_PROBES if probe.vendor and answers.get(probe.oid)]
    return vendors[0] if vendors else product.vendor


def _model(product: Product, vendor: str, sys_descr: str) -> str:
    if vendor != product.vendor:
        return ""
    found = re.search(product.model, sys_descr[:1000]) if product.model else None
    return next(filter(None, found.groups())).strip() if found else product.line
