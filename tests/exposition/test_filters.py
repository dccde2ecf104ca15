"""Rows chosen by ``filters``; ``test_reference.py`` compares the pages with snmp_exporter."""

from __future__ import annotations

from promsnmp.exposition.filters import FilteredOids, filtered_oids
from promsnmp.modules.model import Filter, Module
from promsnmp.snmp import ber, oid


def column(rows: dict[str, bytes]) -> bytes:
    return b"".join(
        ber.encode_varbind(oid.encode(name), ber.tlv(ber.OCTET_STRING, text)) for name, text in rows.items()
    )


STATES = {oid.encode("1.3.2"): column({"1.3.2.1": b"up", "1.3.2.2": b"down", "1.3.2.9.3": b"upper"})}


def test_rows_whose_value_matches_are_read_by_get() -> None:
    module = Module("m", walk=("1.3.5", "1.3.6"), get=("1.3.7.0",), filters=(Filter("1.3.2", ("1.3.5",), ("^u",)),))
    assert filtered_oids(module, STATES) == FilteredOids(("1.3.6",), ("1.3.7.0", "1.3.5.1", "1.3.5.9.3"))


def test_values_are_compared_in_the_encoding_of_the_device() -> None:
    module = Module("m", walk=("1.3.5",), filters=(Filter("1.3.2", ("1.3.5",), ("机",)),))
    columns = {oid.encode("1.3.2"): column({"1.3.2.1": "机房".encode("gbk"), "1.3.2.2": b"down"})}
    assert filtered_oids(module, columns, encoding="gbk") == FilteredOids((), ("1.3.5.1",))
    assert filtered_oids(module, columns) == FilteredOids((), ())


def test_a_filter_that_could_not_be_walked_changes_nothing() -> None:
    module = Module("m", walk=("1.3.5",), filters=(Filter("1.3.4", ("1.3.5",), ("up",)),))
    assert filtered_oids(module, STATES) == FilteredOids(("1.3.5",), ())


def test_a_row_must_pass_all_filters_on_a_target() -> None:
    kinds = {oid.encode("1.3.3"): column({"1.3.3.1": b"a", "1.3.3.2": b"a", "1.3.3.9.3": b"b"})}
    up, of_kind_a = Filter("1.3.2", ("1.3.5",), ("up",)), Filter("1.3.3", ("1.3.6", "1.3.5"), ("a",))
    module = Module("m", walk=("1.3.5", "1.3.6"), filters=(up, of_kind_a))
    assert filtered_oids(module, STATES | kinds) == FilteredOids((), ("1.3.5.1", "1.3.6.1", "1.3.6.2"))
    contrary = Filter("1.3.2", ("1.3.5",), ("down",))
    assert filtered_oids(Module("m", walk=("1.3.5",), filters=(up, contrary)), STATES) == FilteredOids((), ())


def test_a_filter_on_a_shorter_oid_leaves_the_rows_of_a_longer_one() -> None:
    up, none = Filter("1.3.2", ("1.3.50",), ("up",)), Filter("1.3.2", ("1.3.5",), ("nothing",))
    module = Module("m", walk=("1.3.5", "1.3.50"), filters=(up, none))
    assert filtered_oids(module, STATES) == FilteredOids((), ("1.3.50.1", "1.3.50.9.3"))
