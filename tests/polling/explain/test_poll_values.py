"""How a device was polled, and where each value comes from."""

from __future__ import annotations

from promsnmp.inventory.model import PollOverrides
from promsnmp.modules.model import Module
from promsnmp.polling.explain.poll_values import poll_values
from promsnmp.polling.target import Target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint

MODULES = (Module("a", max_repetitions=10), Module("b"), Module("c", use_unconnected_udp_socket=True))


def values(overrides: PollOverrides, *, interval: int | None = 30_000) -> list[tuple[str, str, str]]:
    target = Target("k", "n", SnmpEndpoint("127.0.0.1"), Community(), ("a",), overrides=overrides)
    found = poll_values(target, MODULES, batch_size=overrides.max_varbinds or 10, interval=interval)
    return [(one.name, one.value, one.source) for one in found]


def test_values_of_the_device_come_first() -> None:
    device = "the device in the inventory"
    assert values(PollOverrides(300_000, 5, 7, "gbk", unconnected=False)) == [
        ("interval", "5m", device),
        ("maxRepetitions", "5", device),
        ("maxVarbinds", "7", device),
        ("textEncoding", "gbk", device),
        ("unconnected", "false", device),
    ]


def test_without_them_modules_and_settings_count() -> None:
    assert values(PollOverrides()) == [
        ("interval", "30s", "COLLECTION_INTERVAL"),
        ("maxRepetitions", "10", "module a"),
        ("maxRepetitions", "25", "modules b, c"),
        ("maxVarbinds", "10", "the smallest maxRepetitions"),
        ("textEncoding", "utf-8", "default"),
        ("unconnected", "true", "module c"),
    ]


def test_an_address_outside_of_the_inventory_has_no_interval_and_a_service_that_does_not_poll_none_either() -> None:
    assert values(PollOverrides(), interval=None)[0][0] == "maxRepetitions"
    assert values(PollOverrides(300_000), interval=0)[0] == (
        "interval",
        "none: each scrape polls",
        "COLLECTION_INTERVAL",
    )
