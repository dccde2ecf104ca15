"""Generated cases are the same for the same seed, and contain every type."""

from __future__ import annotations

from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.modules.types import IndexType, MetricType
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber
from tests.support.conformance.generated import case
from tests.support.conformance.mangled import mangled, mib_of
from tests.support.conformance.shrink import shrunk
from tests.support.exposition.reference import Case, document
from tests.support.tools import require_shared

CASES = [case(number, seed=0) for number in range(300)]


def test_each_seed_makes_its_own_case() -> None:
    assert case(7, seed=3) == case(7, seed=3)
    assert case(7, seed=3) != case(7, seed=4)


def test_every_type_and_key_of_the_language_is_generated() -> None:
    metrics = [metric for generated in CASES for metric in generated.metrics]
    indexes = [index for metric in metrics for index in metric.get("indexes", ())]
    assert {metric["type"] for metric in metrics} == set(MetricType)
    assert {index["type"] for index in indexes} == set(IndexType) - {IndexType.OBJECT_IDENTIFIER}  # which is ours only
    keys = {key for metric in metrics for key in metric}
    assert keys >= {"lookups", "regex_extracts", "datetime_pattern", "enum_values", "offset", "scale"}
    assert {key for generated in CASES for key in generated.module} >= {"walk", "get", "filters", "max_repetitions"}
    assert any(not lookup["labels"] for metric in metrics for lookup in metric.get("lookups", ()))
    assert {generated.version for generated in CASES} == {1, 2, 3}


def test_generated_modules_load() -> None:
    assert len(read_text(document(CASES), source="made").modules) == len(CASES)


def test_a_case_is_shrunk_to_the_difference() -> None:
    big = next(generated for generated in CASES if len(generated.metrics) > 2 and len(generated.objects) > 20)
    name, metric = list(big.objects)[11], big.metrics[1]

    def has_both(smaller: Case) -> bool:
        return name in smaller.objects and any(each["oid"] == metric["oid"] for each in smaller.metrics)

    small = shrunk(big, has_both)

    assert list(small.objects) == [name]
    assert [each.keys() for each in small.metrics] == [{"oid", "type", "name", "help"}]
    assert small.module == {}
    assert small.version == 2


def test_a_mangled_device_has_most_of_its_objects_and_some_others() -> None:
    recording = read_recording(require_shared("recordings", "junos_qfx5100.snmprec")).mib.objects
    fixed = {name: value for name, value in recording.items() if isinstance(value, bytes)}
    again = mangled(fixed, "1")
    assert again == mangled(fixed, "1") != mangled(fixed, "2")
    same = [name for name, value in again.items() if fixed.get(name) == value]
    assert 0.4 * len(fixed) < len(same) < 0.99 * len(fixed)
    assert again.keys() - fixed.keys()
    assert len(mib_of(again)) == len(again)
    kinds = {value[0] for value in again.values()}
    assert {ber.INTEGER, ber.OCTET_STRING, ber.COUNTER64, ber.OPAQUE} <= kinds
