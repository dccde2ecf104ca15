"""A drawing of who polls how much: a ring with an arc for each replica, as long as its share of the devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.cluster.members.members import Member

MOST_ARCS = 24
"""Replicas that get an arc of their own; the others share one."""
COLOURS = 8
RADIUS, WIDTH = 70.0, 22.0
CENTRE = 100.0
_GAP = 0.02
"""Radians between two arcs."""


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc of the ring. ``path``: what SVG draws; ``colour``: a number below COLOURS."""

    name: str
    devices: int
    share: float
    path: str
    colour: int
    is_leader: bool = False
    is_me: bool = False


def ring_arcs(members: Sequence[Member], owned: Mapping[str, int], *, leader: str, me: str) -> Sequence[Arc]:
    """The arcs by the names of replicas; none while nobody polls anything."""
    total = sum(owned[one.name] for one in members)
    if not total:
        return ()
    names = sorted(one.name for one in members)
    shown = names if len(names) <= MOST_ARCS else names[: MOST_ARCS - 1]
    parts = [(name, owned[name]) for name in shown]
    if len(shown) < len(names):
        parts.append((f"{len(names) - len(shown)} others", sum(owned[name] for name in names[len(shown) :])))
    arcs, begin = [], 0.0
    for number, (name, devices) in enumerate(parts):
        share = devices / total
        path = _path(begin, begin + share)
        arcs.append(Arc(name, devices, share, path, number % COLOURS, name == leader, name == me))
        begin += share
    return arcs


def _path(begin: float, end: float) -> str:
    """An arc between two shares of the ring, clockwise from the top (SVG 2 section 9.3.8); empty for no share."""
    if end <= begin:
        return ""
    if end - begin > 0.999:  # begins where it ends, which draws nothing: two halves
        return f"{_path(0, 0.5)} {_path(0.5, 0.9985)}"
    gap = min(_GAP, (end - begin) * math.pi)
    start, stop = begin * math.tau + gap / 2, end * math.tau - gap / 2
    large = int(stop - start > math.pi)
    return f"M {_point(start)} A {RADIUS:g} {RADIUS:g} 0 {large} 1 {_point(stop)}"


def _point(angle: float) -> str:
    return f"{CENTRE + RADIUS * math.sin(angle):.2f} {CENTRE - RADIUS * math.cos(angle):.2f}"
