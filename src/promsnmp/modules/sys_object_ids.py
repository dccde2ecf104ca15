"""Vendors and product lines by sysObjectID: enterprise numbers (IANA's registry) and the OIDs below them.

Data only, for product lines that need different modules. ``auto_modules.py`` looks them up by the longest prefix;
to have a module picked, list its tables there: a sysObjectID decides only where those tables were not probed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ENTERPRISES = "1.3.6.1.4.1"


@dataclass(frozen=True, slots=True)
class Product:
    """The products below one OID: vendor, product line (if the OID implies one) and modules.

    ``model`` is a regex for sysDescr; the group that matches is the model.
    """

    vendor: str
    line: str = ""
    modules: tuple[str, ...] = ()
    model: str = ""


GENERIC = "net-snmp"
"""Not a vendor: products built on net-snmp that keep its sysObjectID."""

_CISCO = r"Software,? \(?(?!Version)([\w-]+)|Cisco (Firepower Threat Defense|Adaptive Security Appliance)"

PRODUCTS: Mapping[str, Product] = {
    "2": Product("IBM"),
    "9": Product("Cisco", modules=("cisco",), model=_CISCO),
    "9.6.1": Product("Cisco", "Small Business", modules=("cisco",), model=r"\b(S[FGX]\d\S+)"),
    "9.12.3": Product("Cisco", "Nexus and MDS", modules=("cisco",), model=r"NX-OS\(tm\) (\w+)"),
    "11": Product("HP"),
    "11.2.3.7.11": Product("HP", "ProCurve and ArubaOS-Switch", ("hp_aruba",), r"(?:HP|Aruba|ProCurve) (J\w+ \S+)"),
    "11.2.3.9.1": Product("HP", "LaserJet and OfficeJet", ("printer",), r"PID:([^,;]+)"),
    "36": Product("DEC"),
    "42": Product("Oracle", "Sun"),
    "43": Product("3Com"),
    "45": Product("Nortel"),
    "119": Product("NEC"),
    "171": Product("D-Link"),
    "193": Product("Ericsson"),
    "207": Product("Allied Telesis"),
    "211": Product("Fujitsu"),
    "232": Product("HPE", "ProLiant and iLO"),
    "236": Product("Samsung"),
    "253": Product("Xerox", modules=("printer",)),
    "311": Product("Microsoft"),
    "311.1.1.3.1.1": Product("Microsoft", "Windows workstation"),
    "311.1.1.3.1.2": Product("Microsoft", "Windows server"),
    "311.1.1.3.1.3": Product("Microsoft", "Windows domain controller"),
    "318": Product("APC", modules=("apc",)),
    "318.1.3": Product("APC", modules=("apc",), model=r"MN:\s?(\S+)"),
    "318.1.3.2": Product("APC", "Smart-UPS", ("apc",)),
    "318.1.3.4": Product("APC", "rack PDU"),
    "318.1.3.5": Product("APC", "Symmetra", ("apc",)),
    "318.1.3.27": Product("APC", "Smart-UPS", ("apc",)),
    "343": Product("Intel"),
    "367": Product("Ricoh", modules=("printer",)),
    "388": Product("Symbol"),
    "476": Product("Vertiv", "Liebert"),
    "534": Product("Eaton", model=r"Eaton (\S+)"),
    "641": Product("Lexmark", modules=("printer",), model=r"Lexmark (\S+)"),
    "664": Product("Adtran"),
    "674": Product("Dell"),
    "674.10892.5": Product("Dell", "iDRAC", ("dell_idrac",)),
    "674.10895": Product("Dell", "PowerConnect"),
    "674.11000.5000.100": Product("Dell", "OS10"),
    "789": Product("NetApp"),
    "850": Product("Tripp Lite"),
    "850.1": Product("Tripp Lite", "PowerAlert"),
    "890": Product("Zyxel"),
    "1182": Product("Yamaha", model=r"^(\S+)"),
    "1248": Product("Epson", modules=("printer",)),
    "1347": Product("Kyocera", modules=("printer",)),
    "1588": Product("Brocade"),
    "1602": Product("Canon", modules=("printer",)),
    "1718": Product("Server Technology"),
    "1916": Product("Extreme Networks"),
    "1991.1.3.51": Product("Extreme Networks", "NetIron CER", model=r"NetIron (\w+)"),
    "1991": Product("Ruckus", "IronWare", model=r"(?:NetIron|FastIron|ICX|BigIron|ServerIron) ?(\w+)"),
    "2011": Product("Huawei", modules=("huawei",)),
    "2011.2": Product("Huawei", modules=("huawei",), model=r"\b((?:S|CE|NE|AR|USG)\d{2,}\S*)"),
    "2011.2.185": Product("Huawei", "SmartAX", ("huawei",)),
    "2021": Product(GENERIC, modules=("ucd_snmp",)),
    "2356": Product("LANCOM"),
    "2435": Product("Brother", modules=("printer",)),
    "2604": Product("Sophos"),
    "2620": Product("Check Point"),
    "2636": Product("Juniper", modules=("juniper",), model=r"Juniper Networks, Inc\. (\S+)"),
    "3224": Product("Juniper", "NetScreen"),
    "3375": Product("F5", "BIG-IP", ("f5",)),
    "3417": Product("Blue Coat"),
    "3808": Product("CyberPower"),
    "3902": Product("ZTE"),
    "4413": Product("Broadcom", "FASTPATH"),
    "4526": Product("Netgear"),
    "4874": Product("Juniper", "E series"),
    "5003": Product("AudioCodes", model=r"Product: ?([^;]+)"),
    "5528": Product("APC", "NetBotz"),
    "5624": Product("Enterasys"),
    "5951": Product("Citrix", "NetScaler"),
    "6027": Product("Dell", "Force10"),
    "6141": Product("Ciena"),
    "6321": Product("Calix"),
    "6486": Product("Alcatel-Lucent Enterprise", model=r"(OS\d\S+)"),
    "6527": Product("Nokia", "SR OS"),
    "6574": Product("Synology", modules=("synology",)),
    "6876": Product("VMware", "ESXi"),
    "6889": Product("Avaya"),
    "7779": Product("Infoblox"),
    "8072": Product(GENERIC),
    "8072.3.2.8": Product(GENERIC, "FreeBSD", ("ucd_snmp",)),
    "8072.3.2.10": Product(GENERIC, "Linux", ("ucd_snmp",)),
    "8072.3.2.12": Product(GENERIC, "OpenBSD", ("ucd_snmp",)),
    "8691": Product("Moxa"),
    "8741": Product("SonicWall"),
    "9694": Product("Arbor"),
    "10002": Product("Ubiquiti", "airOS"),
    "10418": Product("Avocent"),
    "10876": Product("Supermicro"),
    "11863": Product("TP-Link"),
    "12325": Product("FreeBSD", "bsnmpd"),
    "12356": Product("Fortinet"),
    "12356.15": Product("Fortinet", "FortiGate", ("fortinet",)),
    "12356.101": Product("Fortinet", "FortiGate", ("fortinet",)),
    "12356.103": Product("Fortinet", "FortiManager and FortiAnalyzer"),
    "12356.106": Product("Fortinet", "FortiSwitch"),
    "13742": Product("Raritan", model=r"^(PX\w*)"),
    "14179": Product("Cisco", "wireless controller"),
    "14823": Product("Aruba", "mobility"),
    "14988": Product("MikroTik", modules=("mikrotik",)),
    "14988.1": Product("MikroTik", "RouterOS", ("mikrotik",), r"RouterOS (\S+)"),
    "14988.2": Product("MikroTik", "SwOS", ("mikrotik",)),
    "15497": Product("Cisco", "IronPort"),
    "18334": Product("Konica Minolta", modules=("printer",)),
    "19046": Product("Lenovo"),
    "20632": Product("Barracuda"),
    "21239": Product("Vertiv", "Geist"),
    "22610": Product("A10"),
    "24681": Product("QNAP", "NAS"),
    "25049": Product("Opengear"),
    "25053": Product("Ruckus"),
    "25461": Product("Palo Alto Networks", modules=("paloalto",), model=r"Palo Alto Networks (\S+)"),
    "25506": Product("HPE", "Comware", model=r"(?:HPE?|H3C) (\S+(?: \S+)?) (?:Switch|Router)"),
    "26866": Product("Gigamon"),
    "26928": Product("Aerohive"),
    "27282.3.2.10": Product("Ubiquiti", "EdgeSwitch"),
    "29671": Product("Cisco", "Meraki", model=r"Meraki (\S+)"),
    "30065": Product("Arista", modules=("arista",), model=r"Arista Networks (\S+)$"),
    "30803": Product("VyOS"),
    "33049": Product("NVIDIA", "Mellanox"),
    "35265": Product("Eltex"),
    "40310": Product("NVIDIA", "Cumulus Linux"),
    "41112": Product("Ubiquiti"),
    "46242": Product("Netonix", model=r"Netonix (\S+)"),
    "47196": Product("Aruba", modules=("hp_aruba",)),
    "47196.4.1.1.1": Product("Aruba", "ArubaOS-CX", ("hp_aruba",), r"Aruba (\S+ \S+)"),
    "48690": Product("Teltonika"),
}
"""OIDs below enterprises, to what lies below them."""


def product_of(sys_object_id: str) -> tuple[str, Product] | None:
    """The longest prefix of an OID that is known, whole, and what lies below it; None when nothing is."""
    body = sys_object_id.removeprefix(".").strip()
    if not body.startswith(f"{ENTERPRISES}."):
        return None
    parts = body[len(ENTERPRISES) + 1 :].split(".")
    for size in range(len(parts), 0, -1):
        prefix = ".".join(parts[:size])
        if prefix in PRODUCTS:
            return f"{ENTERPRISES}.{prefix}", PRODUCTS[prefix]
    return None
