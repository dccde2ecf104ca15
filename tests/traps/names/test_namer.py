"""Names of notifications, and their values for people."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.snmp import ber, oid
from promsnmp.traps.names.namer import MAX_TEXTS, Namer
from promsnmp.traps.names.values import MAX_TEXT
from promsnmp.traps.outputs.event import decode, encode, event_of, line_of
from promsnmp.traps.rules.apply import RuleSet
from promsnmp.traps.rules.reader import default_rules
from tests.support.notifications import IF_DESCR, NAMER, link, notification, varbind


def test_link_down_has_names_indexes_and_enumerations() -> None:
    found = NAMER.name(link(index=7))
    assert (found.mib, found.name) == ("IF-MIB", "linkDown")
    assert [(one.name, one.index, one.value, one.text) for one in found.varbinds] == [
        ("ifIndex", "7", 7, "7"),
        ("ifAdminStatus", "7", 1, "up"),
        ("ifOperStatus", "7", 2, "down"),
    ]


@pytest.mark.parametrize(
    ("trap", "name"),
    [
        ("1.3.6.1.4.1.318.0.5", "upsOnBattery"),  # TRAP-TYPE: enterprise.0.specific
        ("1.3.6.1.2.1.14.16.2.2", "ospfNbrStateChange"),  # has no 0
        ("1.3.6.1.2.1.14.16.2.0.2", "ospfNbrStateChange"),  # sent as v1 (RFC 3584 section 3.1)
        ("1.3.6.1.2.1.15.7.1", "bgpEstablished"),
        ("1.3.6.1.2.1.33.2.1", "upsTrapOnBattery"),
        ("1.3.6.1.2.1.17.0.1", "newRoot"),
        ("1.3.6.1.2.1.47.2.0.1", "entConfigChange"),
        ("1.3.6.1.4.1.9.9.43.2.0.1", "ciscoConfigManEvent"),
        ("1.3.6.1.4.1.2636.4.1.1", "jnxPowerSupplyFailure"),
        ("1.3.6.1.4.1.12356.101.2.0.301", "fgTrapVpnTunUp"),
        ("1.3.6.1.4.1.9.99999.1.0.5", "cisco.99999.1.0.5"),
        ("1.3.6.1.4.1.99999.0.5", "enterprises.99999.0.5"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_names_of_notifications(trap: str, name: str) -> None:
    assert NAMER.name(notification(trap)).name == name


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (varbind("1.3.6.1.2.1.2.2.1.6.3", bytes.fromhex("0050569a0001")), "00:50:56:9A:00:01"),
        (varbind(f"{IF_DESCR}.3", "Größe\nzwei".encode()), "Größe zwei"),
        (varbind(f"{IF_DESCR}.3", b"eth0\0"), "eth0"),
        (varbind(f"{IF_DESCR}.3", b"\xff\xfe\x01"), "FF:FE:01"),
        (varbind("1.3.6.1.2.1.2.2.1.8.3", 99), "99"),
        (varbind("1.3.6.1.2.1.2.2.1.9.3", 8_640_123, ber.TIME_TICKS), "1 day, 0:00:01.23"),
        (varbind("1.3.6.1.6.3.1.1.4.3.0", "1.3.6.1.4.1.9.1.1"), "cisco.1.1"),
        (varbind("1.3.6.1.2.1.1.1.0", bytes((192, 0, 2, 9)), ber.IP_ADDRESS), "192.0.2.9"),
        (varbind("1.3.6.1.2.1.80.1.2.1.4.1", bytes((192, 0, 2, 9))), "192.0.2.9"),
    ],
)
def test_values_for_people(sent: ber.VarBind, text: str) -> None:
    assert NAMER.name(notification("1.2.3", sent)).varbinds[0].text == text


def test_community_of_a_proxy_is_left_out() -> None:
    found = NAMER.name(
        notification("1.2.3", varbind("1.3.6.1.6.3.18.1.4.0", b"secret"), varbind(f"{IF_DESCR}.1", b"a"))
    )
    assert [one.name for one in found.varbinds] == ["ifDescr"]


def test_texts_are_bounded() -> None:
    found = NAMER.name(notification("1.2.3", *(varbind(f"{IF_DESCR}.{number}", b"x" * 60_000) for number in range(40))))
    assert {len(one.text) for one in found.varbinds} == {MAX_TEXT}
    assert len(found.varbinds) + found.left_out == 40
    assert sum(len(one.text) for one in found.varbinds) <= MAX_TEXTS


def test_definitions_are_read_once_and_when_needed() -> None:
    read = 0

    def load() -> object:
        nonlocal read
        read += 1
        return NAMER.ready()

    namer = Namer(load)  # type: ignore[arg-type]
    assert read == 0
    assert namer.name(notification()).name == namer.name(notification()).name
    assert read == 1


def test_no_definition_hides_another() -> None:
    found = NAMER.ready()
    assert len(found.notifications) > 1500
    assert not {oid.to_text(one) for one in found.notifications} & {oid.to_text(one) for one in found.objects}


HOSTILE = st.builds(
    ber.VarBind,
    st.one_of(st.sampled_from(sorted(NAMER.ready().objects)), st.just(b"\x2b")).flatmap(
        lambda oid: st.binary(max_size=6).map(lambda more: oid + bytes(octet & 0x7F for octet in more))
    ),
    st.one_of(st.sampled_from([2, 4, 5, 6, 0x40, 0x41, 0x43, 0x44, 0x46, 0x80]), st.integers(0, 255)),
    st.binary(max_size=40),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(HOSTILE, max_size=4), st.sampled_from([*sorted(NAMER.ready().notifications), b"\x2b", b""]))
def test_whatever_a_device_sends_has_one_line_of_text(varbinds: list[ber.VarBind], trap: bytes) -> None:
    found = NAMER.name(replace(notification("1.3.6", *varbinds), oid=trap))
    for one in found.varbinds:
        assert one.name
        assert one.text.splitlines() in ([], [one.text])
    decided = RuleSet(default_rules()).decide(found, {}).named
    event = decode(encode(event_of(decided)))
    assert json.loads(line_of(event))["trap"] == found.name
