"""The drawing of the ring."""

from __future__ import annotations

import re

import pytest

from promsnmp.cluster.members.members import Member
from promsnmp.web.pages.ring import MOST_ARCS, ring_arcs


def members(count: int) -> list[Member]:
    return [Member(f"pod-{number:03}", f"i{number}", f"192.0.2.1:{number}", 0.0) for number in range(count)]


@pytest.mark.parametrize("counts", [[1], [3, 3], [10, 0], [1, 999_999], [5, 1, 1], [1] * 24, [2] * 300])
def test_arcs_have_the_shares_of_the_replicas_and_fill_the_ring(counts: list[int]) -> None:
    replicas = members(len(counts))
    owned = {one.name: number for one, number in zip(replicas, counts, strict=True)}
    arcs = ring_arcs(replicas, owned, leader="pod-000", me="pod-001")
    assert sum(arc.share for arc in arcs) == pytest.approx(1)
    assert sum(arc.devices for arc in arcs) == sum(counts)
    assert len(arcs) == min(len(counts), MOST_ARCS)
    assert [arc.name for arc in arcs if arc.is_leader] == ["pod-000"]
    for arc in arcs:
        assert re.fullmatch(r"(M [\d.]+ [\d.]+ A 70 70 0 [01] 1 [\d.]+ [\d.]+ ?)*", arc.path)
        assert bool(arc.path) is (arc.devices > 0)


def test_nobody_polls_anything() -> None:
    assert ring_arcs(members(2), {"pod-000": 0, "pod-001": 0}, leader="", me="") == ()
