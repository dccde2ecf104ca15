"""Which MAC addresses, serial numbers and engine ids identify a device."""

from __future__ import annotations

import pytest

from promsnmp.discovery.reconcile.distinctive import (
    MAX_IDENTIFIERS,
    distinctive_macs,
    distinctive_serials,
    is_distinctive_engine,
    local_macs,
)


def test_only_macs_of_one_device_are_kept() -> None:
    shared = ["00005e000101", "00005e00020a", "00000c07ac01", "00000c9ff001", "0007b4000101", "00090f090001",
              "0242ac110002", "000000000000", "ffffffffffff", "01005e000001", "0a0000000001", "0000",
              "0011223344556677"]  # fmt: skip
    assert distinctive_macs(map(bytes.fromhex, [*shared, "001b54000001"])) == {"001b54000001"}
    shared = ["00005e005301", "002304eebe01", "443839ff0001", "001c73000099", "005056c00008", "204153594eff",
              "505054503030", "000000000001", "001122334455"]  # fmt: skip
    assert distinctive_macs(map(bytes.fromhex, shared)) == local_macs(map(bytes.fromhex, shared)) == frozenset()
    assert distinctive_macs([]) == frozenset()


def test_of_the_macs_assigned_by_software_those_of_the_first_interfaces_are_kept() -> None:
    containers = [bytes.fromhex(f"0242ac1100{number:02x}") for number in range(99, 50, -1)]
    macs = [bytes(6), bytes.fromhex("001b54000001"), bytes.fromhex("52540000000a"), *containers]
    assert "52540000000a" in local_macs(macs)
    assert len(local_macs(macs)) == MAX_IDENTIFIERS
    assert not any(one.startswith("00") for one in local_macs(macs))


@pytest.mark.parametrize(
    ("engine_id", "is_able"),
    [
        ("80001f8804636f72652d31", True),  # the text "core-1"
        ("80001f8880aabbccddeeff0011", True),
        ("80000009030000001b540001", True),
        ("000000090200000c01020304", True),  # the form of RFC 1910
        ("80001f88017f000101", False),  # 127.0.1.1: the host's name in /etc/hosts
        ("80001f880100000000", False),
        ("80001f88046c6f63616c686f7374", False),  # the text "localhost"
        ("800000090300005e000101", False),  # VRRP's address
        ("8000000903000000000000", False),
        ("80000009050000000000", False),
        ("80000009ff", False),
        ("", False),
    ],
)
def test_engine_ids_made_of_what_many_have_identify_nothing(engine_id: str, is_able: bool) -> None:
    assert is_distinctive_engine(engine_id) is is_able


def test_a_device_with_a_new_module_still_shares_macs_with_its_old_sighting() -> None:
    before = [bytes.fromhex(f"001b5400{port:04x}") for port in range(48)]
    for first in range(20):
        module = [bytes.fromhex(f"001a{first:02x}00{port:04x}") for port in range(48)]
        assert len(distinctive_macs(before + module)) == MAX_IDENTIFIERS
        assert distinctive_macs(before) & distinctive_macs(before + module)
    assert distinctive_macs(reversed(before)) == distinctive_macs(before)


def test_filler_values_are_not_serial_numbers() -> None:
    fillers = ["", " ", "N/A", "n/a", "None", "0", "0000000000", "xxxxxxxx", "Not Specified", "To be filled by O.E.M.",
               "123", "Serial Number", "0123456789", "123456789", "........", "System Serial Number",
               "default", "Default string", "(none)", "<null>", "Not Present", "No Serial", "INVALID", "12345678",
               "123456", "1234567890", "Base Board Serial Number", "Chassis Serial Number", "O.E.M.",
               "FFFFFFFF"]  # fmt: skip
    real = {"FOC1234X0AB", "JN1234", "12346", "NOTE55", "1234ABC"}
    assert distinctive_serials([*fillers, *real, " FOC1234X0AB "]) == real
