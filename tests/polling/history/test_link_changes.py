"""Which interfaces have another state than at the poll before, from columns as agents send them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from promsnmp.polling.history.link_changes import IF_OPER_STATUS, MOST_OCTETS, LinkChanges
from promsnmp.snmp import ber, oid


def note(links: LinkChanges, states: Mapping[int, int] | None, *, octets: bytes = b"") -> dict[int, int]:
    """Notes a poll with states by ifIndex, None: without the column; returns the changes."""
    rows = (states or {}).items()
    column = octets or b"".join(
        ber.encode_varbind(oid.encode(f"{IF_OPER_STATUS}.{row}"), ber.encode_integer(state)) for row, state in rows
    )
    plan = SimpleNamespace(by_oid={} if states is None else {IF_OPER_STATUS: IF_OPER_STATUS})
    links.note(cast("Any", SimpleNamespace(plan=plan, octets=lambda _: column)))
    return {oid.decode_subids(row)[0]: state for row, state in links.changes.items()}


def test_changes_are_those_since_the_poll_before() -> None:
    links = LinkChanges()
    assert note(links, {1: 1, 300: 2}) == {}
    assert note(links, {1: 1, 300: 1}) == {300: 1}
    assert note(links, {1: 1, 300: 1}) == {}
    assert note(links, None) == {}
    assert note(links, {1: 2, 2: 1}) == {1: 2}  # a new interface has no change


def test_a_column_that_is_too_long_is_left_out() -> None:
    links = LinkChanges()
    note(links, {1: 1})
    assert note(links, {1: 2}, octets=bytes(MOST_OCTETS + 1)) == {}
    assert note(links, {1: 2}) == {1: 2}
