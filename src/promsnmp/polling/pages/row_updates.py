"""Puts newer values of single rows onto a page between two polls, after a trap said that they changed.

Why no scrape then shows an older value after a newer one:

- Only states are replaced, never counters: the rest of the page, and its timestamp, stay those of its poll. So every
  value is at least as new as the page says.
- A poll that began before the rows were answered may have read them before that. Its page gets the update, too, before
  anybody sees it (``RowUpdates``); a poll that began later has read newer values, and ends the update.
- The page keeps the time at which its poll began, so that read leases and invalidations treat it as before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import openmetrics
from promsnmp.exposition.plan import MetricPlan, Plan
from promsnmp.exposition.renderer import RenderState
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.snmp import ber
from promsnmp.support.compression import GzipWriter, decompress_parts

MAX_NAMES = 256
"""Objects of one update: the states that are asked for, and what else the page has of their rows."""
MAX_TARGETS = 200
"""Targets with an update that running polls have to get: some 10 MB."""
_EXACT = 1 << 53
_HEADER = b"\n# "

OwnFamily = tuple[str, str, str, Sequence[tuple[Mapping[str, str], float]]]
"""Name, type, help, and samples of a family of PromSNMP's own: labels and number."""


@dataclass(frozen=True, slots=True)
class RowUpdate:
    """What a page gets. ``answered_at`` (seconds, monotonic): when the device had returned all of it."""

    answered_at: float
    lines: Mapping[bytes, Mapping[bytes, bytes]]
    """By family: the beginning of a sample (newline, name, labels) and its new digits."""
    families: Sequence[OwnFamily] = ()
    """These replace the families of the same names."""
    names: frozenset[str] = frozenset()
    """Families that are replaced, also by none."""

    def merged(self, later: RowUpdate) -> RowUpdate:
        """This one and a later one together."""
        lines = {name: dict(one) for name, one in self.lines.items()}
        for name, one in later.lines.items():
            lines.setdefault(name, {}).update(one)
        return RowUpdate(later.answered_at, lines, later.families, self.names | later.names)


@dataclass(slots=True)
class RowUpdates:
    """The updates that pages of running polls have to get, by key of the page."""

    _updates: dict[Hashable, RowUpdate] = field(default_factory=dict)

    def add(self, key: Hashable, update: RowUpdate) -> bool:
        """Whether there is room for it."""
        known = self._updates.get(key)
        if known is None and len(self._updates) >= MAX_TARGETS:
            return False
        self._updates[key] = update if known is None else known.merged(update)
        return True

    def for_poll(self, key: Hashable, began: float) -> RowUpdate | None:
        """The update that the page of a poll that ``began`` then has to get."""
        update = self._updates.get(key)
        if update is not None and began >= update.answered_at:
            del self._updates[key]
            return None
        return update

    def discard(self, key: Hashable) -> None:
        """There is no page any more."""
        self._updates.pop(key, None)


# -------------------------------------------------------------------------------------------- what to ask, what it says


def names_on_page(plan: Plan, names: Iterable[bytes]) -> list[bytes]:
    """The objects ``names`` (OIDs with their rows), and the states that the page has of the same rows."""
    names = list(names)
    found = dict.fromkeys(names)
    tables: dict[bytes, list[bytes]] = defaultdict(list)
    for one in _state_metrics(plan).values():
        tables[_entry(one.column.oid)].append(one.column.oid)
    for name in names:
        for table, columns in tables.items():
            if name.startswith(table):
                row = _after_number(name, len(table))
                found.update(dict.fromkeys(column + row for column in columns))
    return list(found)[:MAX_NAMES]


def row_lines(
    plan: Plan, state: RenderState, answers: Iterable[ber.VarBind], *, unsigned_sizes: bool = False
) -> dict[bytes, dict[bytes, bytes]]:
    """The samples of objects that a page has, by family, with their new values."""
    metrics = _state_metrics(plan)
    lines: dict[bytes, dict[bytes, bytes]] = {}
    for answer in answers:
        for end in range(len(answer.oid) - 1, 0, -1):
            metric = metrics.get(answer.oid[:end])
            if metric is not None:
                break
        else:
            continue
        table = state.tables.get(metric.table)
        labels = None if table is None else table.known_text(answer.oid[end:])
        digits = _digits(metric, answer, unsigned_sizes=unsigned_sizes)
        if labels is not None and digits is not None:
            lines.setdefault(metric.family.encode(), {})[metric.name + labels] = digits
    return lines


def _state_metrics(plan: Plan) -> dict[bytes, MetricPlan]:
    """Metrics of numbers that are no counters, by column; not those that share a family."""
    families: dict[str, list[MetricPlan]] = defaultdict(list)
    for module in plan.modules:
        for one in module.metrics:
            if all(one.column.oid != other.column.oid for other in families[one.family]):
                families[one.family].append(one)
    alone = (found[0] for found in families.values() if len(found) == 1)
    return {one.column.oid: one for one in alone if one.numeric and one.metric.type == "gauge"}


def _digits(metric: MetricPlan, answer: ber.VarBind, *, unsigned_sizes: bool) -> bytes | None:
    """The value as the renderer writes it; None where that would need more than a page's own rules."""
    number = ber.integer_value(answer.tag, answer.value)
    if number is None or abs(number) >= _EXACT or (metric.is_size and unsigned_sizes and number < 0):
        return None
    if metric.metric.scale or metric.metric.offset:
        return ber.float_text(float(number) * (metric.metric.scale or 1.0) + metric.metric.offset)
    return b"%d" % number


def _entry(column: bytes) -> bytes:
    """A column's OID without its last number."""
    end = len(column) - 1
    while end > 0 and column[end - 1] & 0x80:
        end -= 1
    return column[:end]


def _after_number(name: bytes, start: int) -> bytes:
    while start < len(name) and name[start] & 0x80:
        start += 1
    return name[start + 1 :]


# ------------------------------------------------------------------------------------------------------------- the page


def updated_page(page: RenderedPage, update: RowUpdate) -> RenderedPage:
    """The page with an update; a large one takes tenths of a second, so in a thread."""
    return page.changed(
        {
            body_format: _updated(decompress_parts(body), update, as_openmetrics=body_format is Format.OPENMETRICS)
            for body_format, body in page.texts().items()
        }
    )


def _updated(parts: Iterable[bytes], update: RowUpdate, *, as_openmetrics: bool) -> bytes:
    writer, is_first = GzipWriter(), True
    for piece in _pieces(parts, update):
        writer.write(piece[1:] if is_first else piece)  # the newline that _pieces put before the first line
        is_first = is_first and not piece
    exposition = Exposition()
    for name, kind, help_text, samples in update.families:
        exposition.add(name, kind, help_text, samples)
    names = {name for name, *_ in update.families}
    for piece in exposition.pieces(names, as_openmetrics=as_openmetrics):
        writer.write(piece)
    if as_openmetrics:
        writer.write(openmetrics.END)
    return writer.finish()


def _pieces(parts: Iterable[bytes], update: RowUpdate) -> Iterator[bytes]:
    """The page with new values, without the families that are replaced and without an end; a newline is before it."""
    dropped = {name.encode() for name in update.names}
    dropped |= {name.removesuffix(b"_total") for name in dropped} | {b"EOF"}
    rest, family = b"\n", b""
    for part in parts:
        block = rest + part
        end = block.rfind(b"\n")
        block, rest = block[:end], block[end:]
        for segment, name in _segments(block, family):
            family = name
            if family not in dropped:
                yield _replaced(segment, update.lines.get(family))
    if rest != b"\n" and family not in dropped:  # a page always ends with a newline
        yield rest
    yield b"\n"


def _segments(block: bytes, family: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of whole lines that begin with a header, each with the name of its family; first what is before."""
    start = 0
    at = block.find(_HEADER)
    while True:
        if at < 0:
            yield block[start:], family
            return
        if at > start:
            yield block[start:at], family
        words = block[at + len(_HEADER) : at + 300].split(maxsplit=2)
        family = words[1] if len(words) > 1 and words[0] in (b"HELP", b"TYPE") else words[0] if words else b""
        start = at
        at = block.find(_HEADER, at + 1)


def _replaced(segment: bytes, lines: Mapping[bytes, bytes] | None) -> bytes:
    for beginning, digits in lines.items() if lines else ():
        at = segment.find(beginning)
        if at >= 0:
            end = segment.find(b"\n", at + 1)
            segment = segment[: at + len(beginning)] + digits + (segment[end:] if end >= 0 else b"")
    return segment
