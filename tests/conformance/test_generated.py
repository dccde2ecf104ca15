"""Generated cases are the same for the same seed, and contain every type."""

from __future__ import annotations

from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.modules.types import IndexType, MetricType
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber
from tests.support.conformance.generated import case
from tests.support.conformance.mangled import mangled, mib_of
from tests.support.conformance.shrink import shrunk
from tests.support.exposition.reference import document
from tests.support.tools import require_shared

CASES = [case(number, seed=0) for number in range(300)]


def test_each_seed_makes_its_own_case() -> None:
    assert case(7, seed=3) == case(7, seed=3)
    assert case(7, seed=3) != case(7, seed=4)


def test_every_type_and_key_of_the_language_is_generated() -> None:
    metrics = [metric for one in CASES for metric in one.metrics]
    indexes = [index for metric in metrics for index in metric.get("indexes", ())]
    assert {metric["type"] for metric in metrics} == set(MetricType)
    assert {index["type"] for index in indexes} == set(IndexType)
    keys = {key for metric in metrics for key in metric}
    assert keys >= {"lookups", "regex_extracts", "datetime_pattern", "enum_values", "offset", "scale"}
    assert {key for one in CASES for key in one.module} >= {"walk", "get", "filters", "max_repetitions"}
    assert any(not lookup["labels"] for metric in metrics for lookup in metric.get("lookups", ()))
    assert {one.version for one in CASES} == {1, 2, 3}


def test_generated_modules_load() -> None:
    assert len(read_text(document(CASES), source="made").modules) == len(CASES)


def test_a_case_is_shrunk_to_the_difference() -> None:
    big = next(one for one in CASES if len(one.metrics) > 2 and len(one.objects) > 20)
    name, metric = list(big.objects)[11], big.metrics[1]

    small = shrunk(big, lambda one: name in one.objects and any(each["oid"] == metric["oid"] for each in one.metrics))

    assert list(small.objects) == [name]
    assert [each.keys() for each in small.metrics] == [{"oid", "type", "name", "help"}]
    assert small.module == {}
    assert small.version == 2


def test_a_mangled_device_has_most_of_its_objects_and_some_others() -> None:
    recording = read_recording(require_shared("recordings", "junos_qfx5100.snmprec")).mib.objects
    still = {name: value for name, value in recording.items() if isinstance(value, bytes)}
    again = mangled(still, "1")
    assert again == mangled(still, "1") != mangled(still, "2")
    same = [name for name, value in again.items() if still.get(name) == value]
    assert 0.4 * len(still) < len(same) < 0.99 * len(still)
    assert again.keys() - still.keys()
    assert len(mib_of(again)) == len(again)
    kinds = {value[0] for value in again.values()}
    assert {ber.INTEGER, ber.OCTET_STRING, ber.COUNTER64, ber.OPAQUE} <= kinds
