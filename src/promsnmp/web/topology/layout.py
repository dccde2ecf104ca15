"""Places the nodes of a graph. Pure, deterministic, and without jumps: what has a place keeps it.

A graph that is new is laid out as a tree: in each connected part the devices with several links (the backbone) stand
in circles around the one with most, and devices with one link stand around that device. Cycles of a small backbone are
then rounded by forces (Fruchterman and Reingold, 1991). Later only new nodes get a place: the free one nearest to a
neighbour. Distances are in the units of the drawing.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

Point = tuple[float, float]
Edges = Iterable[tuple[str, str]]

SPACING = 90.0
"""Between two nodes."""
ASPECT = 1.7
"""Width of the whole by its height."""
MOST_NEW = 0.3
"""Share of new nodes from which on all are placed anew: so it is while the first polls come in."""
MOST_FORCED = 120
"""Nodes of a backbone that is rounded: every pair of them counts, in each of STEPS steps."""
STEPS = 60
MOST_TRIES = 4_000
"""Places that are tried for a new node."""
_GOLDEN = math.pi * (3 - math.sqrt(5))


def place(nodes: Sequence[str], edges: Edges, before: Mapping[str, Point]) -> dict[str, Point]:
    """The place of each node. ``before``: places of earlier layouts, also of nodes that were not there meanwhile."""
    wanted = sorted(nodes)
    neighbours = _neighbours(wanted, edges)
    kept = {key: before[key] for key in wanted if key in before}
    if len(kept) < (1 - MOST_NEW) * len(wanted):
        return _place_all(wanted, neighbours)
    return _place_new(wanted, neighbours, kept)


def _neighbours(nodes: Sequence[str], edges: Edges) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {key: set() for key in nodes}
    for a, b in edges:
        if a != b and a in found and b in found:
            found[a].add(b)
            found[b].add(a)
    return {key: sorted(others) for key, others in found.items()}


# ------------------------------------------------------------------------------------------------------------- all


def _place_all(nodes: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> dict[str, Point]:
    parts, alone = [], []
    for part in _connected(nodes, neighbours):
        if len(part) > 1:
            parts.append(_from_corner(_place_part(part, neighbours)))
        else:
            alone += part
    parts.sort(key=lambda part: (-len(part), min(part)))
    return _side_by_side(parts, alone)


def _connected(nodes: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> list[list[str]]:
    seen: set[str] = set()
    parts = []
    for start in nodes:
        if start in seen:
            continue
        seen.add(start)
        part, waiting = [], deque([start])
        while waiting:
            key = waiting.popleft()
            part.append(key)
            for other in neighbours[key]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        parts.append(part)
    return parts


def _place_part(part: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> dict[str, Point]:
    backbone = sorted(key for key in part if len(neighbours[key]) > 1) or [min(part)]
    members = set(backbone)
    leaves = {key: [other for other in neighbours[key] if other not in members] for key in backbone}
    radii = {key: _radius(len(leaves[key])) for key in backbone}
    inner = {key: [other for other in neighbours[key] if other in members] for key in backbone}
    root = min(backbone, key=lambda key: (-len(inner[key]), -len(leaves[key]), key))
    places = _circles(root, inner, radii)
    if sum(map(len, inner.values())) // 2 >= len(backbone) and len(backbone) <= MOST_FORCED:
        _round(places, inner, radii)
    for key in backbone:
        x, y = places[key]
        away = math.atan2(
            sum(y - places[other][1] for other in inner[key]), sum(x - places[other][0] for other in inner[key])
        )
        for at, (dx, dy) in zip(leaves[key], _around(len(leaves[key]), away), strict=True):
            places[at] = x + dx, y + dy
    return places


def _rings(count: int) -> list[tuple[float, int]]:
    """Radius and number of places of the rings that ``count`` leaves need."""
    rings, left, radius = [], count, SPACING
    while left > 0:
        fits = min(left, max(int(2 * math.pi * radius / (0.75 * SPACING)), 1))
        rings.append((radius, fits))
        left -= fits
        radius += 0.75 * SPACING
    return rings


def _around(count: int, away: float) -> list[Point]:
    """Places of leaves around their device; few of them stand in the direction ``away`` from the backbone."""
    places: list[Point] = []
    for number, (radius, fits) in enumerate(_rings(count)):
        step = min(2 * math.pi / fits, 0.9)
        for at in range(fits):
            angle = away + (at - (fits - 1) / 2) * step + 0.2 * number
            places.append((radius * math.cos(angle), radius * math.sin(angle)))
    return places


def _radius(leaves: int) -> float:
    """Of a node with its leaves."""
    return (_rings(leaves)[-1][0] if leaves else 0.0) + 0.6 * SPACING


def _circles(root: str, inner: Mapping[str, Sequence[str]], radii: Mapping[str, float]) -> dict[str, Point]:
    """The backbone as a tree, each generation on a circle that is large enough for it."""
    children, generations = _tree(root, inner)
    weights: dict[str, float] = {}
    for generation in reversed(generations):
        for key in generation:
            weights[key] = max(2 * radii[key], sum(weights[child] for child in children[key]))
    spans, angles = {root: 2 * math.pi}, {root: 0.0}
    for generation in generations:
        for key in generation:
            start, whole = angles[key] - spans[key] / 2, sum(weights[child] for child in children[key])
            for child in children[key]:
                spans[child] = spans[key] * weights[child] / whole
                angles[child] = start + spans[child] / 2
                start += spans[child]
    places, radius = {root: (0.0, 0.0)}, radii[root]
    for generation in generations[1:]:
        width = 2 * max(radii[key] for key in generation)
        rings = _rings_for(sum(2 * radii[key] for key in generation), radius, width)
        for key, ring in zip(generation, _shares(rings, len(generation)), strict=True):
            places[key] = ring * math.cos(angles[key]), ring * math.sin(angles[key])
        radius = rings[-1] + width / 2
    return places


def _rings_for(length: float, inside: float, width: float) -> list[float]:
    """Radii of as many rings outside of ``inside`` as ``length`` needs."""
    rings = [inside + width / 2]
    room = 2 * math.pi * rings[0]
    while room * 0.9 < length:
        rings.append(rings[-1] + width)
        room += 2 * math.pi * rings[-1]
    return rings


def _shares(rings: Sequence[float], count: int) -> Iterable[float]:
    """The ring of each of ``count`` nodes: in turn, and more nodes on the longer rings."""
    whole, counts = sum(rings), [0] * len(rings)
    for number in range(1, count + 1):
        at = max(range(len(rings)), key=lambda ring: number * rings[ring] / whole - counts[ring])
        counts[at] += 1
        yield rings[at]


def _tree(root: str, inner: Mapping[str, Sequence[str]]) -> tuple[Mapping[str, list[str]], list[list[str]]]:
    children: defaultdict[str, list[str]] = defaultdict(list)
    generations, seen = [[root]], {root}
    while generations[-1]:
        following = []
        for key in generations[-1]:
            for other in inner[key]:
                if other not in seen:
                    seen.add(other)
                    children[key].append(other)
                    following.append(other)
        generations.append(following)
    return children, generations[:-1]


def _round(places: dict[str, Point], inner: Mapping[str, Sequence[str]], radii: Mapping[str, float]) -> None:
    keys = sorted(places)
    xs = [places[key][0] + math.cos(number * _GOLDEN) for number, key in enumerate(keys)]
    ys = [places[key][1] + math.sin(number * _GOLDEN) for number, key in enumerate(keys)]
    sizes, numbers = [radii[key] for key in keys], {key: number for number, key in enumerate(keys)}
    edges = [(numbers[key], numbers[other]) for key in keys for other in inner[key] if key < other]
    for step in range(STEPS):
        moves_x, moves_y = [0.0] * len(keys), [0.0] * len(keys)
        for one in range(len(keys)):
            for two in range(one):
                dx, dy = xs[one] - xs[two], ys[one] - ys[two]
                ideal = sizes[one] + sizes[two]
                push = ideal * ideal / (dx * dx + dy * dy + 1.0)
                moves_x[one] += dx * push
                moves_y[one] += dy * push
                moves_x[two] -= dx * push
                moves_y[two] -= dy * push
        for one, two in edges:
            dx, dy = xs[one] - xs[two], ys[one] - ys[two]
            pull = math.hypot(dx, dy) / (sizes[one] + sizes[two])
            moves_x[one] -= dx * pull
            moves_y[one] -= dy * pull
            moves_x[two] += dx * pull
            moves_y[two] += dy * pull
        most = 2 * SPACING * (1 - step / STEPS)
        for number in range(len(keys)):
            length = math.hypot(moves_x[number], moves_y[number]) or 1.0
            xs[number] += moves_x[number] / length * min(length, most)
            ys[number] += moves_y[number] / length * min(length, most)
    places.update({key: (xs[number], ys[number]) for number, key in enumerate(keys)})


def _from_corner(places: Mapping[str, Point]) -> dict[str, Point]:
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    return {key: (x - left, y - top) for key, (x, y) in places.items()}


def _side_by_side(parts: Sequence[Mapping[str, Point]], alone: Sequence[str]) -> dict[str, Point]:
    """All parts in rows, the largest first, then the nodes without links."""
    sizes = [(max(x for x, _ in part.values()), max(y for _, y in part.values())) for part in parts]
    area = sum((w + SPACING) * (h + SPACING) for w, h in sizes) + len(alone) * SPACING * SPACING
    width = max([math.sqrt(area * ASPECT), *(w for w, _ in sizes)])
    places: dict[str, Point] = {}
    left = top = height = 0.0
    for part, (w, h) in zip(parts, sizes, strict=True):
        if left and left + w > width:
            left, top, height = 0.0, top + height + 1.5 * SPACING, 0.0
        places.update({key: (left + x, top + y) for key, (x, y) in part.items()})
        left, height = left + w + 1.5 * SPACING, max(height, h)
    top += height + 1.5 * SPACING if parts else 0.0
    columns = max(int(width / SPACING), 1)
    places.update({key: (at % columns * SPACING, top + at // columns * SPACING) for at, key in enumerate(alone)})
    return places


# -------------------------------------------------------------------------------------------------------------- new


def _place_new(
    nodes: Sequence[str], neighbours: Mapping[str, Sequence[str]], kept: Mapping[str, Point]
) -> dict[str, Point]:
    places = dict(kept)
    taken: defaultdict[tuple[int, int], list[Point]] = defaultdict(list)
    for point in kept.values():
        taken[_cell(point)].append(point)
    bottom = max((y for _, y in kept.values()), default=0.0) + 1.5 * SPACING
    waiting, stuck = deque(key for key in nodes if key not in kept), 0
    while waiting:
        key = waiting.popleft()
        beside = next((places[other] for other in neighbours[key] if other in places), None)
        if beside is None and neighbours[key] and stuck < len(waiting):
            waiting.append(key)  # a neighbour may get its place first
            stuck += 1
            continue
        stuck = 0
        places[key] = _free(beside or (0.0, bottom), taken)
        taken[_cell(places[key])].append(places[key])
    return places


def _cell(point: Point) -> tuple[int, int]:
    return math.floor(point[0] / SPACING), math.floor(point[1] / SPACING)


def _free(centre: Point, taken: Mapping[tuple[int, int], Sequence[Point]]) -> Point:
    """The free place nearest to ``centre``, along a spiral."""
    point = centre
    for number in range(1, MOST_TRIES):
        radius, angle = 0.55 * SPACING * math.sqrt(number + 2), number * _GOLDEN
        point = centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)
        x, y = _cell(point)
        near = (other for dx in (-1, 0, 1) for dy in (-1, 0, 1) for other in taken.get((x + dx, y + dy), ()))
        if all(math.dist(point, other) > 0.7 * SPACING for other in near):
            return point
    return point
