"""From interface columns to the histogram: counters, speeds and labels."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from promsnmp.exposition.utilization.interfaces import add_utilization
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.snmp import ber
from promsnmp.support.steps import run_steps
from tests.support.exposition.polls import Device, counter64, gauge32, integer, module, octets

IF = "1.3.6.1.2.1.2.2.1"
IF_X = "1.3.6.1.2.1.31.1.1.1"


def row(
    index: int, received: int, *, wide: bool = True, high: int | None = 100, low: int = 10**8, alias: str = ""
) -> dict[str, bytes]:
    """An interface that receives only; ``high`` in Mbit/s, None: without ifHighSpeed."""
    objects = {
        f"{IF}.2.{index}": octets(f"port{index}"), f"{IF}.5.{index}": gauge32(low),
        f"{IF}.10.{index}": ber.encode_integer(received % 2**32, ber.COUNTER32),
        f"{IF}.16.{index}": ber.encode_integer(0, ber.COUNTER32), f"{IF_X}.18.{index}": octets(alias),
    }  # fmt: skip
    if wide:
        objects |= {f"{IF_X}.6.{index}": counter64(received), f"{IF_X}.10.{index}": counter64(0)}
    if high is not None:
        objects[f"{IF_X}.15.{index}"] = gauge32(high)
    return objects


class Polls:
    """A device under if_mib, with the histograms of its last page by ifIndex."""

    def __init__(self) -> None:
        self.device = Device(builtin_catalogue().module("if_mib"))
        self.at = 0.0

    def poll(self, *rows: dict[str, bytes], ticks: int | None = None) -> dict[str, tuple[float, float]]:
        """(count, sum) by ifIndex after a poll 30 seconds later."""
        objects = {name: value for one in rows for name, value in one.items()}
        if ticks is not None:
            objects["1.3.6.1.2.1.1.3.0"] = ber.encode_integer(ticks, ber.TIME_TICKS)
        renderer = self.device.renderer(objects)
        run_steps(add_utilization(renderer, self.device.plan, self.device.state.utilization, at=self.at))
        self.at += 30
        found: dict[str, dict[str, float]] = {}
        for family in text_string_to_metric_families(renderer.exposition.render().decode()):
            if family.name == "interface_utilization":
                assert family.type == "histogram"
                for sample in family.samples:
                    assert {"ifIndex", "ifName", "ifDescr", "ifAlias"} <= sample.labels.keys()
                    found.setdefault(sample.labels["ifIndex"], {})[sample.name.rpartition("_")[2]] = sample.value
        return {index: (one["count"], one["sum"]) for index, one in found.items()}


PERCENT = 3_750_000  # octets of 100 Mbit/s in 30 seconds


def test_64_bit_counters_are_used_where_there_are_some() -> None:
    polls = Polls()
    assert polls.poll(row(1, 2**32 - 5), row(2, 0, wide=False)) == {"1": (0, 0), "2": (0, 0)}
    assert polls.poll(row(1, 2**32 - 5 + PERCENT), row(2, 2 * PERCENT, wide=False)) == {"1": (1, 1), "2": (1, 2)}


def test_a_device_without_if_x_table_is_read_by_its_32_bit_counters_over_their_wrap() -> None:
    polls = Polls()
    polls.poll(row(1, 2**32 - 5, wide=False, high=None))
    assert polls.poll(row(1, 2**32 - 5 + PERCENT, wide=False, high=None)) == {"1": (1, 1)}


def test_counters_above_2_to_the_53_are_not_wrapped() -> None:
    polls = Polls()
    polls.poll(row(1, 2**53 - 5))
    assert polls.poll(row(1, 2**53 - 5 + PERCENT)) == {"1": (1, 1)}
    assert polls.poll(row(1, 2**63 + 1)) != {}


def test_if_speed_is_used_where_if_high_speed_is_0_or_missing() -> None:
    polls = Polls()
    polls.poll(row(1, 0, high=0, low=10**7), row(2, 0, high=None, low=10**7), row(3, 0))
    found = polls.poll(row(1, PERCENT, high=0, low=10**7), row(2, PERCENT, high=None, low=10**7), row(3, PERCENT))
    assert found == {"1": (1, 10), "2": (1, 10), "3": (1, 1)}


def test_without_a_known_speed_there_is_no_histogram() -> None:
    polls = Polls()
    for received in (0, PERCENT):
        assert polls.poll(row(1, received, high=0, low=4_294_967_295), row(2, received, high=0, low=0)) == {}


def test_a_reboot_is_seen_by_sys_up_time() -> None:
    polls = Polls()
    polls.poll(row(1, 0), ticks=100_000)
    assert polls.poll(row(1, PERCENT), ticks=1_000) == {"1": (0, 0)}
    assert polls.poll(row(1, 2 * PERCENT), ticks=4_000) == {"1": (1, 1)}


def test_a_new_alias_is_a_new_series() -> None:
    polls = Polls()
    polls.poll(row(1, 0, alias="before"))
    assert polls.poll(row(1, PERCENT, alias="before")) == {"1": (1, 1)}
    assert polls.poll(row(1, 2 * PERCENT, alias="after")) == {"1": (0, 0)}


def test_an_interface_that_takes_another_number_is_another_series() -> None:
    polls = Polls()
    polls.poll(row(1, 0), row(2, 10**9))
    assert polls.poll(row(2, 10**9), row(3, 0)) == {"2": (1, 0), "3": (0, 0)}


def test_a_walk_that_ended_early_loses_no_histogram() -> None:
    polls = Polls()
    polls.poll(row(1, 0), row(2, 0))
    polls.poll(row(1, PERCENT), row(2, PERCENT))
    polls.poll(row(1, 2 * PERCENT))
    assert polls.poll(row(1, 3 * PERCENT), row(2, 3 * PERCENT)) == {"1": (3, 3), "2": (2, 2)}


def test_of_interfaces_with_equal_labels_the_first_has_a_histogram() -> None:
    metric = {"oid": f"{IF_X}.6", "name": "ifHCInOctets"}
    others = [{"oid": f"{IF_X}.10"}, {"oid": f"{IF_X}.15"}]
    device = Device(module(walk=["1.3.6.1.2.1"], metrics=[metric, *others]))
    pages = []
    for at in (0, 30):
        renderer = device.renderer({**row(1, at * 10), **row(2, 0)})
        run_steps(add_utilization(renderer, device.plan, device.state.utilization, at=at))
        pages.append(renderer.exposition.render())
    assert [page.count(b"\ninterface_utilization_count") for page in pages] == [1, 1]


def test_a_module_without_interfaces_has_no_histogram() -> None:
    device = Device(builtin_catalogue().module("system"))
    renderer = device.renderer({"1.3.6.1.2.1.1.3.0": integer(5)})
    run_steps(add_utilization(renderer, device.plan, device.state.utilization, at=0))
    assert b"interface_utilization" not in renderer.exposition.render()


def test_a_modules_metric_named_interface_utilization_is_dropped() -> None:
    own = module("own", walk=["1.3.9"], metrics=[{"oid": "1.3.9", "name": "interface_utilization"}])
    device = Device(own, builtin_catalogue().module("if_mib"))
    renderer = device.renderer({"1.3.9.0": integer(1), **row(1, 0)})
    run_steps(add_utilization(renderer, device.plan, device.state.utilization, at=0))
    assert b"\ninterface_utilization 1\n" not in renderer.exposition.render()
    assert renderer.exposition.dropped == {"reserved_name": 1}


def test_counters_that_are_not_whole_numbers_are_ignored() -> None:
    polls = Polls()
    fraction = ber.tlv(ber.OPAQUE, b"\x9f\x78\x04\x3f\xc0\x00\x00")
    assert polls.poll({**row(1, 0), f"{IF_X}.6.1": fraction, f"{IF}.10.1": octets("x")}, row(2, 0)) == {"2": (0, 0)}
