"""Names that a MIB module gives to several OIDs, against RFC 2578 section 3.1: which of them a name means.

Vendors move a table and forget the old one, or declare a node for each series of products. net-snmp, and with it
snmpwalk and snmp_exporter's generator, takes the one that it happens to reach first where the module itself uses the
name, and the one that it reaches last where another module imports it (``snmplib/parse.c``: ``do_subtree`` hands the
children to the first, ``find_tree_node`` finds the one added last). It goes through the tree from the imports down, and
through the children of a node against the order of the file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from promsnmp.modules.mibs.definitions import Definition, MibModule

_MAX_DEPTH = 128
"""Of names above a name; no OID has more sub-identifiers (RFC 2578 section 3.5)."""
_Order = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the names of a module mean: within it, and for other modules (only those that mean something else there)."""

    within: dict[str, Definition]
    elsewhere: dict[str, Definition] = field(default_factory=dict)


def meanings(module: MibModule) -> Meanings:
    """The definitions of a module by name."""
    within = {one.name: one for one in reversed(module.definitions)}
    if len(within) == len(module.definitions):
        return Meanings(within)
    counts = Counter(one.name for one in module.definitions)
    visits = _Visits(module)
    elsewhere = {}
    for name in (name for name, count in counts.items() if count > 1):
        first, last = visits.ends(name)
        within[name] = first
        if last is not first:
            elsewhere[name] = last
    return Meanings(within, elsewhere)


class _Visits:
    """The order in which the definitions of ``module`` are reached."""

    def __init__(self, module: MibModule) -> None:
        self._definitions = module.definitions
        self._imports = {item.symbol: number for number, item in reversed(list(enumerate(module.imports)))}
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, definition in enumerate(module.definitions):
            self._places[definition.name].append(place)

    def ends(self, name: str) -> tuple[Definition, Definition]:
        """The first and the last one of this name."""
        places = sorted(self._places[name], key=self._order)
        return self._definitions[places[0]], self._definitions[places[-1]]

    def _order(self, place: int) -> _Order:
        """Sorts as the definitions are reached: a node before those under it, siblings against the order of the file.

        Above a node is the last one of its parent's name in the file, which is right unless that has several, too.
        """
        upwards: list[int] = []
        for _ in range(_MAX_DEPTH):
            upwards.append(-place)
            parent = self._definitions[place].parts[0][0]
            above = [one for one in self._places.get(parent, ()) if one != place]
            if not above:
                return (self._imports.get(parent, len(self._imports)), *reversed(upwards))
            place = above[-1]
        return tuple(reversed(upwards))  # defined in terms of itself
