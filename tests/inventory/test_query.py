from __future__ import annotations

import pytest

from promsnmp.inventory.model import Agent, AgentEndpoint, Device
from promsnmp.inventory.query import MAX_QUERY_LENGTH, DeviceSelector, parse_parameters, parse_query
from promsnmp.snmp.credentials import Community, Version


def device(number: int, name: str, address: str, port: int = 161, **values: object) -> Device:
    agent = Agent(f"agent-{number}", AgentEndpoint(address, port), Community(Version.V2C, "geheim"))
    return Device(f"id-{number}", name, agents=(agent,), primary=agent, **values)  # type: ignore[arg-type]


DEVICES = (
    device(1, "core1.example.net", "192.0.2.1", sys_location="Rack 7", sys_descr="Cisco IOS", vendor="cisco",
           labels=(("region", "eu"), ("role", "core"))),
    device(2, "core2.example.net", "2001:db8::2", 1161, sys_location="rack 77", vendor="juniper", modules=("bgp",),
           labels=(("region", "EU"), ("note", "a=b"))),
    device(3, "Straße", "198.51.100.3", sys_contact='O"Brien', labels=(("region", "us"),), status="lost"),
    Device("id-4", "bare"),
)  # fmt: skip


def numbers(found: list[Device]) -> list[int]:
    return [int(one.id.removeprefix("id-")) for one in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [("", [1, 2, 3, 4]), ("  ", [1, 2, 3, 4]), ("CORE", [1, 2]), ("core cisco", [1]), ("-core", [3, 4]),
     ('"rack 7"', [1, 2]), ("location:rack", [1, 2]), ('location="RACK 7"', [1]), ("location=rack*", [1, 2]),
     ('location:"rack 7" vendor:jun', [2]), ("label.region=eu", [1, 2]), ("label.region:u", [1, 2, 3]),
     ("label.region=", [4]), ("-label.region=", [1, 2, 3]), ("label.note=a=b", [2]), ("label.Region=eu", []),
     ("vendor=cisco", [1]), ("vendor=cis", []), ("vendor=c*o", [1]), ("vendor=[c]isco", []), ("vendor=?isco", []),
     ("address=192.0.2.1", [1]), ("address=2001:DB8:0::2", [2]), ("address=[2001:db8::2]:1161", [2]),
     ("address:192.0.2.0/24", [1]), ("address:2001:db8::/32", [2]), ("-address:0.0.0.0/0", [2, 4]), ("address=", [4]),
     ("2001:db8::2", [2]), ("192.0.2.1:161", [1]), ("port=1161", [2]), ("version=v2c", [1, 2, 3]),
     ("module=if_mib", [1, 3, 4]), ("module=bgp", [2]), ("status=lost", [3]), ("-status=lost", [1, 2, 4]),
     ("name=straSSe", [3]), ("strasse", [3]), ("sysName:core", [1, 2]), ("ID=id-4", [4]), ('o"brien', None),
     ("geheim", []), ("eu", [1, 2]), ("- core", None), ('"', None), ('location:"x', None), ('"a"b', None),
     ("nonsense=1", None), ("location:", None), ('""', None), ("x" * (MAX_QUERY_LENGTH + 1), None),
      ("(.*", []), ("\\", [])],
)  # fmt: skip
def test_a_query_finds(text: str, found: list[int] | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match=r"\w"):
            parse_query(text)
    else:
        assert numbers(DeviceSelector(("system", "if_mib")).select(parse_query(text), DEVICES)) == found


@pytest.mark.parametrize(
    ("pairs", "found"),
    [([], [1, 2, 3, 4]), ([("label.region", "eu")], [1, 2]),
     ([("label.region", "eu"), ("label.region", "us")], [1, 2, 3]),
     ([("label.region", "eu"), ("vendor", "cisco")], [1]), ([("query", "core -cisco")], [2]),
     ([("query", "core"), ("vendor", "juniper"), ("vendor", "cisco")], [1, 2]), ([("location", "rack*")], [1, 2]),
     ([("label.region", "")], [4]), ([("sysName", "BARE")], [4]), ([("nonsense", "1")], None), ([("label", "x")], None),
     ([("vendor", "x" * (MAX_QUERY_LENGTH + 1))], None)],
)  # fmt: skip
def test_parameters_find(pairs: list[tuple[str, str]], found: list[int] | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match=r"\w"):
            parse_parameters(pairs)
    else:
        assert numbers(DeviceSelector(("if_mib",)).select(parse_parameters(pairs), DEVICES)) == found


def test_an_unknown_filter_is_refused_with_a_list_of_the_filters() -> None:
    with pytest.raises(ValueError, match=r"unknown filter 'lable\.region'.*vendor, .*label\.<name>"):
        parse_parameters([("lable.region", "eu")])
