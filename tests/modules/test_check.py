"""Everything that is wrong with a file of modules, told by line."""

from __future__ import annotations

import pytest

from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.modules.check import check_text, module_notes
from promsnmp.modules.model import Module
from promsnmp.modules.writer import to_yaml
from tests.tools import require_shared

GOOD = """\
modules:
  good:
    walk: [1.3.6.1.2.1.1]
    metrics:
      - {name: sysDescr, oid: 1.3.6.1.2.1.1.1, type: DisplayString}
"""
TWO_WRONG = f"""\
{GOOD}\
  first:
    walkz: [1.3.6.1.2.1.2]
  second:
    walk: [1.3.6.1.2.1.2]
    metrics:
      - name: ifMtu
        oid: 1.3.6.1.2.1.2.2.1.4
        type: number
auths:
  mine:
    version: 4
"""


def notes(body: str) -> list[str]:
    """The notes of one module whose keys are ``body``'s lines."""
    text = "modules:\n  one:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    checked = check_text(text, source="f")
    assert checked.problems == ()
    return list(checked.notes)


def test_a_good_file_has_neither_problems_nor_notes() -> None:
    checked = check_text(GOOD, source="f")
    assert (checked.problems, checked.notes, list(checked.document.modules)) == ((), (), ["good"])


def test_every_module_and_auth_that_is_wrong_is_told_with_its_line() -> None:
    checked = check_text(TWO_WRONG, source="f")
    lines = sorted(int(one.split(":")[1]) for one in checked.problems)
    assert lines == [7, 13, 16]
    assert any("walkz" in one for one in checked.problems)
    assert list(checked.document.modules) == ["good"]


def test_a_file_that_is_not_yaml_has_one_problem() -> None:
    assert len(check_text("modules: [", source="f").problems) == 1


def test_a_file_of_another_kind_has_a_problem() -> None:
    assert len(check_text("- one\n- two\n", source="f").problems) == 1


def test_a_module_whose_anchors_others_use_ends_the_search() -> None:
    text = TWO_WRONG.replace("walkz: [", "walkz: &w [").replace(
        "walk: [1.3.6.1.2.1.2]\n    metrics", "walk: *w\n    metrics"
    )
    assert len(check_text(text, source="f").problems) == 1


def test_a_metric_that_nothing_brings_is_noted_with_its_line() -> None:
    (found,) = notes("walk: [1.3.6.1.2.1.1]\nmetrics:\n- {name: a, oid: 1.3.6.1.2.1.10, type: gauge}")
    assert found == "f:5: module 'one': metric a is never asked for: 1.3.6.1.2.1.10 is under no 'walk', 'get' or filter"


@pytest.mark.parametrize(
    "asked",
    ["walk: [1.3.6.1.2.1.1]", "walk: [1.3.6.1.2.1.1.5.0]", "get: [1.3.6.1.2.1.1.5.0]",
     "filters: [{oid: 1.3.6.1.2.1.2, targets: [1.3.6.1.2.1.1.5], values: [a]}]"],
)  # fmt: skip
def test_a_metric_is_brought_by_walks_above_and_below_it_gets_and_filters(asked: str) -> None:
    assert notes(f"{asked}\nmetrics:\n- {{name: a, oid: 1.3.6.1.2.1.1.5, type: gauge}}") == []


def test_lookups_that_never_find_anything_are_noted() -> None:
    body = """\
walk: [1.3.6.1.2.1.1]
metrics:
- name: a
  oid: 1.3.6.1.2.1.1.5
  type: gauge
  indexes: [{labelname: i, type: gauge}]
  lookups:
  - {labels: [i], labelname: j, oid: 1.3.6.1.2.1.31.1}
  - {labels: [k], labelname: l, oid: 1.3.6.1.2.1.1.6}
"""
    first, second = notes(body)
    assert "label 'j' stays empty: 1.3.6.1.2.1.31.1 is under no" in first
    assert "label 'l' is looked up by k, which is no label before it" in second


def test_a_chain_of_lookups_is_fine_in_its_order_only() -> None:
    metric = "name: a, oid: 1.3.6.1.1, type: gauge, indexes: [{{labelname: i}}], lookups: [{}]"
    body = f"walk: [1.3.6.1]\nmetrics:\n- {{{{{metric}}}}}"
    links = ["{labels: [i], labelname: j, oid: 1.3.6.1.2}", "{labels: [j], labelname: k, oid: 1.3.6.1.3}"]
    assert notes(body.format(", ".join(links))) == []
    assert len(notes(body.format(", ".join(reversed(links))))) == 1


def test_two_metrics_of_one_oid_are_noted() -> None:
    body = (
        "walk: [1.3.6.1]\nmetrics:\n- {name: a, oid: 1.3.6.1.1, type: gauge}\n- {name: b, oid: 1.3.6.1.1, type: gauge}"
    )
    (found,) = notes(body)
    assert "metric b has the OID of a (1.3.6.1.1)" in found


def test_a_module_that_asks_for_nothing_is_noted() -> None:
    assert [what for _, what in module_notes(Module("empty"))] == [
        "nothing is asked for: it has neither 'walk' nor 'get'",
        "there are no metrics",
    ]


@pytest.mark.parametrize("module", builtin_catalogue().modules.values(), ids=lambda one: one.name)
def test_the_built_in_modules_have_no_notes_and_can_be_written_and_read_again(module: Module) -> None:
    assert list(module_notes(module)) == []
    again = check_text(to_yaml({module.name: module}, {}), source="written")
    assert again.problems == ()
    assert again.document.modules[module.name] == module


def test_the_file_of_snmp_exporter_has_no_problems() -> None:
    path = require_shared("snmp_exporter", "snmp.yml")
    assert check_text(path.read_text(), source=str(path)).problems == ()
