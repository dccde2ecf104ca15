"""The label texts of rows, and what stays cached from poll to poll."""

from __future__ import annotations

from promsnmp.exposition.label_table import LabelTable
from promsnmp.exposition.labels import ColumnRows, LabelSpec
from promsnmp.modules.model import Index, Lookup
from promsnmp.snmp import ber, oid
from promsnmp.support.steps import run_steps

NAME = Lookup(("row",), "name", "1.3.9", "DisplayString")
ROW = Index("row")


def index_of(*rows: int) -> bytes:
    return b"".join(len(oid.encode_subids([row])).to_bytes(2, "big") + oid.encode_subids([row]) for row in rows)


class Column:
    """A lookup column that counts how often it is looked at."""

    def __init__(self, **names: str) -> None:
        self.rows = {
            oid.encode_subids([int(row.removeprefix("r"))]): (ber.OCTET_STRING, name.encode())
            for row, name in names.items()
        }
        self.looked = 0

    def __call__(self, name: str) -> ColumnRows:
        self.looked += 1
        return self.rows


def test_labels_are_made_once_while_nothing_changes() -> None:
    table, column = LabelTable(LabelSpec((ROW,), (NAME,))), Column(r1="eth0", r2="eth1")
    for _ in range(3):
        table.refresh([b"same"])
        _, texts, repeated = run_steps(table.texts(index_of(1, 2), column))
        assert texts == [b'{name="eth0",row="1"} ', b'{name="eth1",row="2"} ']
        assert repeated == ()
    assert column.looked == 2
    assert table.generation == 1


def test_labels_follow_the_columns_that_they_come_from() -> None:
    table = LabelTable(LabelSpec((ROW,), (NAME,)))
    table.refresh([b"before"])
    run_steps(table.texts(index_of(1), Column(r1="old")))
    table.refresh([b"after"])
    assert run_steps(table.texts(index_of(1), Column(r1="new"))).texts == [b'{name="new",row="1"} ']
    assert table.generation == 2


def test_rows_may_appear_and_disappear() -> None:
    table, column = LabelTable(LabelSpec((ROW,), (NAME,))), Column(r1="a", r2="b", r3="c")
    for rows in ((1, 2), (2,), (2, 3), (), (1, 2, 3)):
        table.refresh([b"same"])
        _, texts, _ = run_steps(table.texts(index_of(*rows), column))
        assert [text.split(b'"')[1] for text in texts] == [b"abc"[row - 1 : row] for row in rows]


def test_labels_of_rows_that_have_gone_are_dropped_in_time() -> None:
    table, column = LabelTable(LabelSpec((ROW,), ())), Column()
    for start in range(0, 100_000, 1_000):
        table.refresh([])
        run_steps(table.texts(index_of(*range(start, start + 1_000)), column))
    assert len(table._by_suffix) <= 5_000
    assert len(table._by_index) + len(table._previous) <= 2


def test_rows_with_labels_of_an_earlier_row_are_reported() -> None:
    table = LabelTable(LabelSpec((), ()))
    assert run_steps(table.texts(index_of(1, 2, 3), Column()))[1:] == ([b" ", b" ", b" "], (1, 2))


def test_texts_that_the_last_poll_did_not_use_are_not_the_latest() -> None:
    """Else rows that come back are used without being noted, and their labels are not read again."""
    table, column = LabelTable(LabelSpec((ROW,), (NAME,))), Column(r1="a")
    table.refresh([b"same"])
    run_steps(table.texts(index_of(1), column))
    assert table.rows_changed()
    table.refresh([b"same"])
    assert table.latest is not None
    assert table.rows_changed()
    table.refresh([b"same"])
    assert table.latest is None


def test_rows_with_invalid_indexes_are_counted_after_other_rows_are_forgotten() -> None:
    table = LabelTable(LabelSpec((ROW,), ()))
    wrong = (5).to_bytes(2, "big") + oid.encode_subids([1, 2, 3, 4, 5])
    table.refresh([])
    run_steps(table.texts(index_of(*range(2_000)), Column()))
    for _ in range(3):
        table.refresh([])
        run_steps(table.texts(wrong, Column()))
        assert table.invalid_rows(wrong) == 1
