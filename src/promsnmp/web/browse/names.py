"""Names of OIDs: those of all modules that are loaded, and of the tables by which modules are detected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from promsnmp.modules.auto_modules import TABLE_PROBES
from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.modules.model import Index, Lookup, Metric
from promsnmp.snmp import oid
from promsnmp.web.browse.mib_names import NO_MIB_NAMES, MibNameReader, MibNames, MibObject

SYSTEM = {
    "system": "1.3.6.1.2.1.1",
    "interfaces": "1.3.6.1.2.1.2",
    "mib-2": "1.3.6.1.2.1",
    "enterprises": "1.3.6.1.4.1",
}
"""Groups that people name (RFC 1213)."""
MOST_NAME = 200


@dataclass(slots=True)
class Column:
    """A column or scalar that modules know: the first metric that it becomes, and all modules that use it."""

    name: str
    metric: Metric | None
    """None for a column that is a label only."""
    type: str = ""
    enum_values: tuple[tuple[int, str], ...] = ()
    display_hint: str = ""
    indexes: tuple[Index, ...] = ()
    modules: list[str] = field(default_factory=list)
    help: str = ""


class Names:
    """The names of one catalogue. OIDs are content octets."""

    def __init__(self, catalogue: Catalogue, mibs: MibNames = NO_MIB_NAMES) -> None:
        self.columns: dict[bytes, Column] = {}
        self.mibs = mibs
        self._oids: dict[str, bytes] = {
            **{probe.what.casefold(): oid.encode(probe.oid) for probe in TABLE_PROBES if " " not in probe.what},
            **{name: oid.encode(text) for name, text in SYSTEM.items()},
        }
        self._spellings: dict[str, str] = {}
        self._indexes: dict[tuple[int, ...], tuple[Index, ...]] = {}
        """By the entry of the table: all its columns have the same (RFC 2578 section 7.7)."""
        for module in catalogue.modules.values():
            for metric in module.metrics:
                self._add_metric(module.name, metric)
        for module in catalogue.modules.values():
            for metric in module.metrics:
                for lookup in metric.lookups:
                    self._add_lookup(module.name, lookup)
        for known in mibs.objects:
            self._add_object(known)

    def _add_object(self, known: MibObject) -> None:
        """An object of MIB files: what modules say comes first."""
        key = oid.encode(known.oid)
        self._name(known.name, key)
        if known.has_values and key not in self.columns:
            indexes = tuple(Index(*parts) for parts in known.indexes)
            self.columns[key] = Column(known.name, None, known.type, known.enum_values, known.display_hint, indexes)

    def _add_metric(self, module: str, metric: Metric) -> None:
        if metric.oid.startswith("."):
            return
        key = oid.encode(metric.oid)
        known = self.columns.get(key)
        if known is None:
            known = self.columns[key] = Column(
                metric.name,
                metric,
                metric.type,
                metric.enum_values,
                metric.display_hint,
                metric.indexes,
                help=metric.help,
            )
            self._name(metric.name, key)
            if metric.indexes:
                self._indexes.setdefault(_entry(key), metric.indexes)
        if module not in known.modules:
            known.modules.append(module)

    def _add_lookup(self, module: str, lookup: Lookup) -> None:
        if not lookup.labels or not lookup.oid:
            return
        key = oid.encode(lookup.oid)
        known = self.columns.get(key)
        if known is None:
            indexes = self._indexes.get(_entry(key), ())
            known = self.columns[key] = Column(
                lookup.labelname, None, lookup.type, lookup.enum_values, lookup.display_hint, indexes
            )
            self._name(lookup.labelname, key)
        if module not in known.modules:
            known.modules.append(module)

    def _name(self, name: str, key: bytes) -> None:
        self._oids.setdefault(name.casefold(), key)
        self._spellings.setdefault(name.casefold(), name)

    def find(self, text: str) -> bytes:
        """The OID of a number (``1.3.6.1``), a name (``ifDescr``) or a name with an index (``ifDescr.3``).

        Raises ValueError with what is near.
        """
        given = text.strip()[:MOST_NAME]
        bare = given.rpartition("::")[2].lstrip(".")
        if bare[:1].isdigit():
            return oid.encode(bare)
        name, dot, index = bare.partition(".")
        key = self._oids.get(name.casefold())
        if key is None:
            near = get_close_matches(name.casefold(), self._oids, 3)
            hint = f"; near: {', '.join(self._spellings.get(one, one) for one in near)}" if near else ""
            where = "no loaded module or MIB file" if self.mibs.objects else "no loaded module"
            waiting = "; MIB files are still being read, retry in a moment" if self.mibs.is_reading else ""
            raise ValueError(f"{where} has the name {name!r}{hint}{waiting}")
        return oid.encode(f"{oid.to_text(key)}.{index}") if dot else key

    def column(self, name: bytes) -> bytes:
        """The known column or scalar above the OID ``name``; empty without one."""
        for size in range(len(name), 0, -1):
            if name[:size] in self.columns:
                return name[:size]
        return b""

    def pairs(self) -> Mapping[bytes, list[tuple[str, str]]]:
        """As ``polling.explain.unclaimed`` wants it."""
        return {key: [(module, one.name) for module in one.modules] for key, one in self.columns.items()}


class CatalogueNames:
    """The names of the catalogue in use, and of MIB files. They take a moment to collect, which ``in_thread`` runs."""

    def __init__(
        self, store: CatalogueStore, in_thread: Callable[..., Awaitable[Names]], mibs: MibNameReader | None = None
    ) -> None:
        self._store = store
        self._in_thread = in_thread
        self._mibs = mibs
        self._known: tuple[int, MibNames, Names] | None = None
        """The generation of the catalogue, the names of MIB files, and all names."""

    async def current(self) -> Names:
        """The names now: MIB files are read again when all files are."""
        generation = self._store.generation
        mibs = NO_MIB_NAMES if self._mibs is None else await self._mibs.current(generation)
        if self._known is None or self._known[0] != generation or self._known[1] is not mibs:
            self._known = generation, mibs, await self._in_thread(Names, self._store.current, mibs)
        return self._known[2]


def _entry(column: bytes) -> tuple[int, ...]:
    """The OID above a column."""
    return oid.decode(column)[:-1]


def unit_of(column: Column | None) -> str:
    """What a number counts, as far as the name of its metric or its help says it."""
    if column is None:
        return ""
    name, text = column.name.lower(), column.help.lower()
    for found, unit in _UNITS:
        if found in name:
            return unit
    return "1/100 s" if "hundredths of a second" in text else ""


_UNITS: Sequence[tuple[str, str]] = (
    ("octets", "octets"), ("celsius", "°C"), ("seconds", "s"), ("ifhighspeed", "Mbit/s"), ("ifspeed", "bit/s"),
    ("pkts", "packets"), ("packets", "packets"), ("percent", "%"), ("sysuptime", "1/100 s"),
)  # fmt: skip
