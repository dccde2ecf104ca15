"""Explanations of polls over real sockets: honest devices, hostile ones, and modules whose objects are missing."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from promsnmp.errors import SnmpError, SnmpTimeout
from promsnmp.modules.catalogue import Catalogue, builtin_catalogue
from promsnmp.modules.model import Module
from promsnmp.polling.explain.explain import explain
from promsnmp.polling.explain.model import Explanation, MetricExplanation
from promsnmp.polling.explain.reasons import DOUBTFUL, DROPPED, WalkEnd
from promsnmp.polling.explain.recorder import PollRecording
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.behaviours import BEHAVIOURS, silent_after, status, too_big_above
from tests.support.agents.hostile import Behaviour, HostileAgent, after
from tests.support.agents.polled_devices import mib, target_of
from tests.support.exposition.polls import ROW, module
from tests.support.tools import PROJECT

TABLE = "1.3.6.1.4.1.4711.1.1"
ENTRY = f"{TABLE}.1"
BUILTIN = builtin_catalogue()


def integer(number: int) -> bytes:
    return ber.encode_integer(number)


def octets(text: bytes) -> bytes:
    return ber.tlv(ber.OCTET_STRING, text)


def rows(column: int, *values: bytes) -> dict[str, bytes]:
    return {f"{ENTRY}.{column}.{at}": value for at, value in enumerate(values, 1)}


def metric(column: int, **fields: Any) -> dict[str, Any]:
    return {"name": f"column{column}", "oid": f"{ENTRY}.{column}", "indexes": [ROW], **fields}


async def poll(target: Target, catalogue: Catalogue = BUILTIN, *, seconds: float = 5) -> Explanation:
    until = asyncio.get_running_loop().time() + seconds
    return await explain(target, catalogue, deadline=until, recording=PollRecording())


async def explained(objects: dict[str, bytes], *modules: Module, version: Version = Version.V2C) -> Explanation:
    """The explanation of a poll of a device with these objects for these modules."""
    catalogue = Catalogue({**BUILTIN.modules, **{one.name: one for one in modules}}, {})
    async with SimulatedAgent(Mib.of(objects)) as agent:
        target = target_of(agent, *(one.name for one in modules))
        return await poll(replace(target, credentials=Community(version)), catalogue)


def named(one: Explanation, name: str, of: str = "") -> MetricExplanation:
    (explained_metric,) = (
        explained_metric
        for explained_metric in one.metrics
        if explained_metric.name == name and of in ("", explained_metric.module)
    )
    return explained_metric


def walked(*metrics: dict[str, Any], name: str = "m", **fields: Any) -> Module:
    return module(name, **{"walk": [TABLE], **fields, "metrics": list(metrics)})


# --- what was asked


async def test_each_walk_shows_its_modules_cost_and_end() -> None:
    async with SimulatedAgent(mib()) as agent:
        one = await poll(target_of(agent, "system", "if_mib"))
    assert [(walk.oid, walk.modules, walk.end, walk.cost.varbinds) for walk in one.walks] == [
        ("1.3.6.1.2.1.1", ("system",), WalkEnd.WHOLE, 2),
        ("1.3.6.1.2.1.2", ("if_mib",), WalkEnd.WHOLE, 11),
        ("1.3.6.1.2.1.31.1.1", ("if_mib",), WalkEnd.WHOLE, 0),
    ]
    assert sum(walk.cost.sent for walk in one.walks) == one.total.sent
    assert [get.outcome for get in one.gets] == ["read by the walk of 1.3.6.1.2.1.1"]
    assert (one.problem, one.total.varbinds, one.total.retried) == ("", 13, 0)


@pytest.mark.parametrize(("version", "said"), [(Version.V1, "noSuchName"), (Version.V2C, "noSuchInstance")])
async def test_each_get_shows_its_outcome(version: Version, said: str) -> None:
    mine = module(
        walk=[], get=[f"{ENTRY}.1.1", f"{ENTRY}.1.9"], metrics=[metric(1, name="a"), metric(2, oid=f"{ENTRY}.1.9")]
    )
    one = await explained(rows(1, integer(5)), mine, version=version)
    assert {get.oid: (get.outcome, get.modules) for get in one.gets} == {
        f"{ENTRY}.1.1": ("value", ("m",)),
        f"{ENTRY}.1.9": (said, ("m",)),
    }
    assert one.gets_cost.varbinds >= 1
    assert named(one, "a").samples == 1


async def test_retries_are_counted_with_their_walk() -> None:
    deaf = Behaviour("deaf_once", lambda r: [] if r.number == 1 else [r.honest])
    async with HostileAgent(deaf) as agent:
        one = await poll(Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("if_mib",), 0.2, 2))
    assert one.total.retried == 1
    assert one.walks[0].cost.retried == 1


# --- what came back, and who took it


async def test_columns_show_rows_types_and_every_user() -> None:
    lookup = {"labels": ["row"], "labelname": "label", "oid": f"{ENTRY}.2", "type": "DisplayString"}
    mine = walked(metric(1, lookups=[lookup]), metric(2, type="DisplayString"))
    one = await explained({**rows(1, integer(1), octets(b"x")), **rows(2, octets(b"a"), octets(b"b"))}, mine)
    assert [(found.oid, found.rows, dict(found.types), found.used_by) for found in one.columns] == [
        (f"{ENTRY}.1", 2, {ber.INTEGER: 1, ber.OCTET_STRING: 1}, ("column1",)),
        (f"{ENTRY}.2", 2, {ber.OCTET_STRING: 2}, ("label label", "column2")),
    ]
    explained_metric = named(one, "column1")
    assert (explained_metric.rows, explained_metric.samples, dict(explained_metric.dropped)) == (
        2,
        1,
        {"not_a_number": 1},
    )
    assert explained_metric.labels == {"row": "1", "label": "a"}
    assert explained_metric.examples == ('column1{label="a",row="1"} 1',)
    assert explained_metric.reason == ""


async def test_a_metric_of_two_modules_belongs_to_the_first() -> None:
    one = await explained(rows(1, integer(1)), walked(metric(1)), walked(metric(1), name="n"))
    assert named(one, "column1", "m").samples == 1
    second = named(one, "column1", "n")
    assert (second.samples, second.given_by, second.reason) == (0, "m", "")


async def test_duplicate_series_are_reported_for_the_later_metric() -> None:
    one = await explained({**rows(1, integer(1)), **rows(2, integer(2))}, walked(metric(1), metric(2, name="column1")))
    first, second = one.metrics
    assert (first.samples, second.samples) == (1, 0)
    assert dict(second.dropped) == {"duplicate": 1} == dict(one.dropped)
    assert "on the page already" in second.reason


async def test_families_of_a_metric_have_their_own_names() -> None:
    states = {"type": "EnumAsInfo", "enum_values": {1: "up"}}
    one = await explained(rows(1, integer(1), integer(2)), walked(metric(1, **states)))
    assert dict(named(one, "column1").families) == {"column1_info": 2}


# --- what nobody took


async def test_unused_objects_are_grouped_by_column_with_modules_that_would_use_them() -> None:
    objects = {**rows(1, integer(1)), **rows(3, integer(7), integer(8)), **rows(4, octets(b"x"), octets(b"y"))}
    other = walked(metric(4), name="other")
    catalogue = Catalogue({**BUILTIN.modules, "m": walked(metric(1)), "other": other}, {})
    async with SimulatedAgent(Mib.of(objects)) as agent:
        one = await poll(target_of(agent, "m"), catalogue)
    assert [(left.oid, left.count, left.example.value, left.known_as) for left in one.unclaimed] == [
        (f"{ENTRY}.3", 2, b"\x07", ()),
        (f"{ENTRY}.4", 2, b"x", (("other", "column4"),)),
    ]


async def test_objects_beyond_the_subtree_of_a_getbulk_are_not_counted() -> None:
    one = await explained({**rows(1, integer(1)), "1.3.6.1.4.1.4712.1.0": integer(1)}, walked(metric(1)))
    assert one.unclaimed == ()


# --- why a metric is missing


@pytest.mark.parametrize(
    ("mine", "objects", "says"),
    [
        (walked(metric(1), metric(2)), rows(1, integer(1)), f"no object under {ENTRY}.2"),
        (
            walked(metric(2)),
            {"1.3.6.1.2.1.1.3.0": integer(1)},
            f"no object under {TABLE}, the subtree that is walked for it",
        ),
        (walked(metric(2), walk=[f"{ENTRY}.1"]), rows(1, integer(1)), "the module m neither walks nor gets"),
        (walked(metric(2)), rows(2, octets(b"x"), octets(b"y")), r"its values are not numbers \(2 of 2\)"),
        (walked(metric(2, type="DateAndTime")), rows(2, octets(b"x")), r"its values are not dates.* \(1 of 1\)"),
        (walked(metric(2, type="Bits")), rows(2, octets(b"\x80")), "enum_values"),
        (walked(metric(2, type="Bits", enum_values={0: "a"})), rows(2, integer(1)), "not octets"),
        (walked(metric(2, oid=f".{ENTRY}.2")), rows(2, integer(1)), "starts with a dot"),
        (walked(metric(2), metric(3, name="y", oid=f"{ENTRY}.2")), rows(2, integer(1)), "also that of y"),
        (walked(metric(2), metric(3, name="y", oid=ENTRY)), rows(2, integer(1)), rf"shallower metric y \({ENTRY}\)"),
    ],
)
async def test_a_metric_without_samples_says_why(mine: Module, objects: dict[str, bytes], says: str) -> None:
    system = module("s", walk=["1.3.6.1.2.1.1"], metrics=[])
    explained_metric = named(await explained({"1.3.6.1.2.1.1.1.0": integer(1), **objects}, mine, system), "column2")
    assert explained_metric.samples == 0
    assert re.search(says, explained_metric.reason), explained_metric.reason


async def test_a_look_up_with_an_empty_column_shows_the_reason() -> None:
    lookups = [
        {"labels": ["row"], "labelname": "none", "oid": f"{ENTRY}.8", "type": "DisplayString"},
        {"labels": ["row"], "labelname": "some", "oid": f"{ENTRY}.9", "type": "DisplayString"},
        {"labels": ["row"], "labelname": "far", "oid": "1.3.6.1.4.1.4712.1", "type": "DisplayString"},
    ]
    objects = {**rows(1, integer(1), integer(2)), **rows(9, octets(b"first"))}
    one = await explained(objects, walked(metric(1, lookups=lookups)))
    none, some, far = named(one, "column1").lookups
    assert (none.label, none.rows, none.missed) == ("none", 0, 2)
    assert none.reason == f"the device has no object under {ENTRY}.8"
    assert (some.rows, some.missed, some.reason) == (1, 1, "")
    assert (far.missed, far.reason) == (2, "not requested: no walk or get of the modules covers it")


async def test_a_look_up_that_finds_its_rows_with_a_further_zero_misses_none() -> None:
    lookup = {"labels": ["row"], "labelname": "name", "oid": f"{ENTRY}.9", "type": "DisplayString"}
    shorter = {**rows(1, integer(1), integer(2)), **rows(9, octets(b"first"))}
    objects = {f"{name}.0": value for name, value in shorter.items()}
    explained_metric = named(await explained(objects, walked(metric(1, lookups=[lookup]))), "column1")
    assert explained_metric.labels == {"row": "1", "name": "first"}
    assert [one.missed for one in explained_metric.lookups] == [1]


async def test_v1_hints_at_counter64_which_it_does_not_have() -> None:
    objects = {**rows(1, integer(1)), **rows(2, ber.encode_integer(5, ber.COUNTER64))}
    mine = walked(metric(1), metric(2, type="counter"))
    assert "v1 has no Counter64" in named(await explained(objects, mine, version=Version.V1), "column2").reason
    assert named(await explained(objects, mine), "column2").samples == 1


# --- filters


def filtering(*values: str) -> Module:
    chosen = {"oid": f"{ENTRY}.1", "targets": [f"{ENTRY}.2"], "values": list(values)}
    return walked(metric(2), walk=[f"{ENTRY}.2"], filters=[chosen])


async def test_the_walk_of_a_filter_and_its_rows_are_shown() -> None:
    objects = {**rows(1, octets(b"a"), octets(b"b")), **rows(2, integer(1), integer(2))}
    one = await explained(objects, filtering("b"))
    assert [(walk.oid, walk.modules, walk.end) for walk in one.walks] == [
        (f"{ENTRY}.1", ("m (filter)",), WalkEnd.WHOLE)
    ]
    assert [(get.oid, get.outcome) for get in one.gets] == [(f"{ENTRY}.2.2", "value")]
    assert named(one, "column2").samples == 1
    assert one.unclaimed == ()


async def test_a_filter_without_matches_is_the_reason() -> None:
    objects = {**rows(1, octets(b"a")), **rows(2, integer(1))}
    reason = named(await explained(objects, filtering("x", "y")), "column2").reason
    assert reason == f"the module's filter matches no row: no value under {ENTRY}.1 matches 'x' or 'y'"
    reason = named(await explained(rows(2, integer(1)), filtering("x")), "column2").reason
    assert reason.startswith("the module's filter matches no row: the device has no object under ")


# --- devices that lie


def hostile_source(agent: HostileAgent, *modules: str) -> Target:
    return Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), modules or ("if_mib",), 0.1, 0)


async def test_a_walk_ended_by_an_error_status_is_partial_and_the_reason() -> None:
    async with HostileAgent(after(1, status(5))) as agent:
        one = await poll(hostile_source(agent))
    walk = one.walks[0]
    assert (walk.end, walk.cost.varbinds) == (WalkEnd.PARTIAL, 64)
    assert "genErr" in walk.error
    assert "genErr" in one.problem
    assert named(one, "ifIndex").samples == 40  # came before the error
    assert "ended early after" in named(one, "ifInOctets").reason
    assert named(one, "ifNumber").reason == "the device has no object under 1.3.6.1.2.1.2.1"  # the walk went by it
    later = one.walks[1]
    assert (later.end, later.last) == (WalkEnd.FAILED, "")
    assert named(one, "ifHCInOctets").reason.startswith("the walk of 1.3.6.1.2.1.31.1.1 failed: ")


async def test_objects_not_requested_because_the_device_fell_silent_are_shown() -> None:
    async with HostileAgent(silent_after(1)) as agent:
        one = await poll(hostile_source(agent))
    assert [walk.end for walk in one.walks] == [WalkEnd.PARTIAL, WalkEnd.NOT_ASKED]
    assert one.walks[0].cost.sent == 4  # and twice for less
    assert one.walks[0].cost.varbinds == 64
    assert "no answer to 3 requests" in named(one, "ifInOctets").reason
    assert "did not start" in named(one, "ifHCInOctets").reason
    assert [get.outcome for get in one.gets] == ["not asked"]
    assert "was never requested" in named(one, "sysUpTime").reason


async def test_an_agent_that_answers_too_big_is_read_completely() -> None:
    async with HostileAgent(too_big_above(3)) as agent:
        one = await poll(hostile_source(agent))
    assert [walk.end for walk in one.walks] == [WalkEnd.WHOLE, WalkEnd.WHOLE]
    assert named(one, "ifInOctets").samples == 40


async def test_a_device_that_does_not_answer_is_an_error() -> None:
    async with HostileAgent(silent_after(0)) as agent:
        with pytest.raises(SnmpTimeout, match="no answer"):
            await poll(hostile_source(agent))


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
async def test_no_hostile_behaviour_breaks_the_explanation(behaviour: Behaviour) -> None:
    async with HostileAgent(behaviour) as agent:
        try:
            one = await poll(hostile_source(agent, "system", "if_mib"), seconds=0.5)
        except SnmpError:
            return
    assert len(one.walks) == 3
    for explained_metric in one.metrics:
        assert bool(explained_metric.samples) + bool(explained_metric.given_by) + bool(explained_metric.reason) == 1, (
            explained_metric
        )
    for walk in one.walks:
        assert bool(walk.error) == (walk.end is not WalkEnd.WHOLE)


async def test_a_metric_with_a_reserved_name_is_left_out_with_the_reason() -> None:
    own = module(metrics=[metric(1, name="promsnmp_module_up"), metric(2)], walk=[TABLE])
    found = await explained(rows(1, integer(5), integer(6)) | rows(2, integer(7)), own)
    ours, other = found.metrics
    assert (ours.samples, dict(ours.dropped)) == (0, {"reserved_name": 2})
    assert ours.reason == "its name is reserved: PromSNMP adds a metric of this name to every page (2 of 2)"
    assert (other.samples, found.dropped["reserved_name"]) == (1, 2)


OCTETS = octets(b"many")
LIES: dict[str, tuple[dict[str, Any], bytes]] = {
    "not_a_number": ({"type": "gauge"}, OCTETS),
    "not_octets": ({"type": "Bits", "enum_values": {0: "a"}}, integer(1)),
    "not_a_date": ({"type": "DateAndTime"}, octets(b"1234567")),
    "unparsed_date": ({"type": "ParseDateAndTime", "datetime_pattern": "%Y"}, OCTETS),
    "no_extract": ({"type": "DisplayString", "regex_extracts": {"T": [{"regex": "(\\d+) C"}]}}, OCTETS),
    "duplicate": ({"type": "gauge", "name": "column1"}, integer(1)),
    "reserved_name": ({"type": "gauge", "name": "snmp_scrape_pdus_returned"}, integer(1)),
}


@pytest.mark.parametrize("reason", [one for one in DROPPED if one != "page_size"])
async def test_a_false_value_is_counted_with_its_reason_and_costs_nothing_else(reason: str) -> None:
    fields, value = LIES[reason]
    one = walked(metric(1, help="h"), metric(2, help="h", **fields), metric(3, help="h"))
    objects = rows(1, integer(5), integer(6)) | rows(2, value) | rows(3, integer(7), integer(8))
    found = await explained(objects, one)
    first, liar, last = found.metrics
    assert dict(found.dropped) == {reason: 1} == dict(liar.dropped)
    assert liar.samples == 0
    assert liar.reason == f"{DROPPED[reason]} (1 of 1)"
    assert (first.samples, last.samples) == (2, 2)


@pytest.mark.parametrize(
    "content", [b"\x02\x00", b"\x02\x09" + b"\1" * 9, b"\x41\x0c" + bytes(12), b"\x46\x09" + b"\1" * 9]
)
async def test_numbers_out_of_range_cost_only_themselves(content: bytes) -> None:
    found = await explained(rows(1, integer(5), content, integer(6)), walked(metric(1)))
    assert (found.metrics[0].samples, dict(found.dropped)) == (2, {"not_a_number": 1})


async def test_indexes_that_do_not_fit_are_counted_with_their_metric() -> None:
    indexes = [ROW, {"labelname": "mac", "type": "PhysAddress48"}]
    whole = {f"{ENTRY}.1.{row}.1.2.3.4.5.6": integer(row) for row in (1, 2, 3)}
    odd = {f"{ENTRY}.1.4.1.2": integer(4), f"{ENTRY}.1.5.1.2.3.4.5.6.7.8": integer(5), f"{ENTRY}.2.1": integer(6)}
    found = await explained(whole | odd, walked(metric(1, indexes=indexes), metric(2)))
    first, second = found.metrics
    assert (first.samples, first.short, first.long) == (5, 1, 1)
    assert (second.short, second.long) == (0, 0)
    assert dict(found.dropped) == {"invalid_index": 2}


def test_every_reason_for_dropped_values_has_a_text() -> None:
    source = PROJECT / "src" / "promsnmp"
    targets = [*(source / "exposition").rglob("*.py"), source / "polling" / "render.py"]
    reasons = {one for path in targets for one in re.findall(r'drop\("(\w+)"', path.read_text())}
    assert len(reasons) > 4
    assert reasons == DROPPED.keys() | DOUBTFUL.keys()
    page = (PROJECT / "docs" / "reference" / "modules.md").read_text()
    assert [one for one in reasons if f"| `{one}` |" not in page] == []


async def test_detection_is_not_part_of_the_explained_poll() -> None:
    async with SimulatedAgent(mib()) as agent:
        found = await poll(target_of(agent, "auto"))
    assert found.identity is not None
    assert found.total.sent + found.identity.packets == agent.requests
    assert not any(get.outcome == "noSuchObject" for get in found.gets if not get.modules)
    assert list(found.module_reasons) == list(found.modules) == ["system", "if_mib"]
