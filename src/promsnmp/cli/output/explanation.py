"""The report of ``promsnmp explain``: an explained poll as aligned text, the part that people look for last. Lines may
be long.
The reasons in it are texts of ``polling/explain/reasons.py``.

What a device said is printed without control characters, so that it cannot control the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from promsnmp.cli.output.text import counted, printable
from promsnmp.cli.output.varbinds import text_line
from promsnmp.polling.explain.model import Explanation, LookupExplanation, MetricExplanation, WalkExplanation
from promsnmp.polling.explain.reasons import DROPPED
from promsnmp.polling.explain.unclaimed import UnclaimedColumn
from promsnmp.snmp.operations.base import Cost
from promsnmp.snmp.varbind_text import TYPES

MAX_TEXT = 200
"""Characters of a value or a sample, at most, in text."""
MAX_LISTED = 40
"""Objects of a kind that are listed in text; JSON has all."""

Heading = Callable[[str], str]


def _short(text: str) -> str:
    """What a device says, in at most MAX_TEXT characters."""
    return printable(text, longest=MAX_TEXT)


def _sentence(text: str) -> str:
    """Our own text: it may be long, and of the device it holds OIDs at most."""
    return printable(text, longest=2000)


def _types(types: Mapping[int, int]) -> str:
    named = {TYPES.get(tag, f"0x{tag:02X}"): count for tag, count in types.items()}
    return next(iter(named)) if len(named) == 1 else ", ".join(f"{count} {name}" for name, count in named.items())


def _cost(cost: Cost) -> str:
    again = f", {cost.retried:,} retransmitted" if cost.retried else ""
    return f"{counted(cost.varbinds, 'varbind')}, {counted(cost.sent, 'packet')} sent{again}, {cost.seconds:.2f} s"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], *, limit: int | None = None) -> Iterator[str]:
    """Aligned columns; numbers to the right."""
    shown = [[f"{one:,}" if isinstance(one, int) else str(one) for one in row] for row in rows[:limit]]
    right = [bool(rows) and isinstance(one, int) for one in (rows[0] if rows else head)]
    widths = [max(map(len, cells)) for cells in zip(head, *shown, strict=True)]
    for row in (head, *shown):
        cells = zip(row, widths, right, strict=True)
        yield "  " + "  ".join(one.rjust(width) if is_right else one.ljust(width) for one, width, is_right in cells)
    if limit is not None and len(rows) > limit:
        yield f"  and {len(rows) - limit:,} more (--json has all)"


# ------------------------------------------------------------------------------------------------------------ all of it


def report(explanation: Explanation, heading: Heading) -> Iterator[str]:
    """The lines of the whole report."""
    yield from _top(explanation, heading)
    yield from _asked(explanation, heading)
    yield heading("Returned columns")
    rows = [
        (found.oid, found.rows, _types(found.types), ", ".join(found.used_by) or "-") for found in explanation.columns
    ]
    yield from _table(("OID", "rows", "type", "used by"), rows) if rows else ["  none that a module uses"]
    yield from _made(explanation, heading)
    yield from _unclaimed(explanation.unclaimed, heading)
    yield from _empty_labels(explanation.metrics, heading)
    yield from _missing(explanation.metrics, heading)


def _top(explanation: Explanation, heading: Heading) -> Iterator[str]:
    yield heading(f"{explanation.target}, polled with {', '.join(explanation.modules)}: {_cost(explanation.total)}")
    if explanation.differences:
        yield f"  Another device than the inventory knows answers: {_sentence('; '.join(explanation.differences))}"
        yield "  Search its address again (promsnmp discover), or correct the inventory."
    if explanation.problem:
        yield f"  The poll is incomplete: {_sentence(explanation.problem)}"
    for line in explanation.agent:
        yield f"  This agent: {_sentence(line)}"
    if explanation.discarded:
        reasons = ", ".join(f"{count} {reason}" for reason, count in explanation.discarded.items())
        yield f"  Discarded datagrams: {reasons}"
    yield ""
    if explanation.identity is not None or set(explanation.module_reasons.values()) - {"requested with -m"}:
        yield heading("Why these modules")
        yield from _device(explanation)
        yield from (
            _table(("module", "because"), list(explanation.module_reasons.items()))
            if explanation.module_reasons
            else ["  none"]
        )
        yield ""
    yield heading("How it was polled")
    yield from _table(("value", "is", "from"), [(one.name, one.value, one.source) for one in explanation.poll_values])
    yield ""


def _device(explanation: Explanation) -> Iterator[str]:
    identity = explanation.identity
    if identity is None:
        return
    kind = " ".join(filter(None, (identity.match.vendor, identity.match.model))) or "unknown"
    how = f"sysObjectID {identity.sys_object_id or 'unknown'}, identified with {counted(identity.packets, 'packet')}"
    yield f"  Device: {_short(kind)} ({how})"
    if identity.problem:
        yield f"  The identification is incomplete: {_sentence(identity.problem)}"
    if more := [name for name in identity.match.names if name not in explanation.modules]:
        yield f"  It also supports {', '.join(more)}: the service polls that after its next detection of modules."


def _ended(walk: WalkExplanation) -> str:
    return f"{walk.end}: {_sentence(walk.error)}" if walk.error else str(walk.end)


def _asked(explanation: Explanation, heading: Heading) -> Iterator[str]:
    yield heading("Requests")
    walks = [
        (w.oid, ", ".join(w.modules), w.cost.sent, w.cost.retried, w.cost.varbinds, f"{w.cost.seconds:.3f}", _ended(w))
        for w in explanation.walks
    ]
    if walks:
        yield from _table(("walk", "for", "packets", "retransmitted", "varbinds", "seconds", "ended"), walks)
    if explanation.gets:
        gets = [(get.oid, ", ".join(get.modules) or "a filter", _sentence(get.outcome)) for get in explanation.gets]
        yield from _table(("get", "for", "outcome"), gets, limit=MAX_LISTED)
        if explanation.gets_cost.sent:
            yield f"  all gets together: {_cost(explanation.gets_cost)}"
    if not walks and not explanation.gets:
        yield "  none: the modules have nothing to walk or get"
    yield ""


def _made(explanation: Explanation, heading: Heading) -> Iterator[str]:
    made = [metric for metric in explanation.metrics if metric.samples or metric.given_by or metric.dropped]
    yield ""
    yield heading("Metrics made")
    rows = [
        (m.name, m.module, m.rows, m.samples, f"already made by {m.given_by}" if m.given_by else _dropped(m.dropped))
        for m in made
    ]
    yield from _table(("metric", "module", "rows", "samples", "left out"), rows) if rows else ["  none"]
    if first := [metric for metric in made if metric.examples]:
        yield "  first sample of each:"
        yield from (f"    {_short(metric.examples[0])}" for metric in first)
    if odd := [metric for metric in made if metric.short or metric.long]:
        yield "  rows whose indexes do not fit those of the metric:"
        yield from (f"    {metric.name}: {_misfits(metric)}" for metric in odd)
    if explanation.dropped:
        yield "  left out of the page in total:"
        yield from (f"    {count} {reason}: {DROPPED.get(reason, '')}" for reason, count in explanation.dropped.items())
    yield ""


def _misfits(metric: MetricExplanation) -> str:
    short = f"{metric.short} too short (the missing part counts as zeros)" if metric.short else ""
    return ", ".join(filter(None, (short, f"{metric.long} too long (the rest is ignored)" if metric.long else "")))


def _dropped(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items())


def _unclaimed(unclaimed: Sequence[UnclaimedColumn], heading: Heading) -> Iterator[str]:
    yield heading("Returned but unused")
    rows = [(one.oid, one.count, _value(one), _known_as(one)) for one in unclaimed]
    yield from _table(("OID", "rows", "first value", "defined in"), rows, limit=MAX_LISTED) if rows else ["  none"]
    yield ""


def _value(one: UnclaimedColumn) -> str:
    return printable(text_line(one.example).partition(" = ")[2], longest=40)


def _known_as(one: UnclaimedColumn) -> str:
    return ", ".join(f"{module} ({metric})" for module, metric in one.known_as[:3])


def _empty_labels(metrics: Iterable[MetricExplanation], heading: Heading) -> Iterator[str]:
    found: dict[tuple[str, str], tuple[LookupExplanation, list[str]]] = {}
    for metric in metrics:
        for one in metric.lookups:
            if one.missed:
                found.setdefault((one.label, one.oid), (one, []))[1].append(metric.name)
    if not found:
        return
    yield heading("Empty labels")
    for one, names in found.values():
        yield f"  {_lookup(one)}; in {', '.join(dict.fromkeys(names))}"
    yield ""


def _lookup(one: LookupExplanation) -> str:
    came = f"{one.label} from {one.oid}: {counted(one.rows, 'row')} returned"
    missed = f", no match for {counted(one.missed, 'row')} of the metric" if one.missed else ""
    return f"{came}{missed}{f': {_sentence(one.reason)}' if one.reason else ''}"


def _missing(metrics: Iterable[MetricExplanation], heading: Heading) -> Iterator[str]:
    by_reason: dict[str, list[MetricExplanation]] = {}
    for metric in metrics:
        if metric.reason:
            by_reason.setdefault(metric.reason, []).append(metric)
    yield heading("Missing metrics")
    if not by_reason:
        yield "  none"
    for reason, of_reason in by_reason.items():
        yield f"  {', '.join(f'{one.name} ({one.module})' for one in of_reason)}: {_sentence(reason)}"


# ----------------------------------------------------------------------------------------------------------- one metric


def report_metric(explanation: Explanation, heading: Heading) -> Iterator[str]:
    """The lines about the one metric of ``--metric``, in each module that has it."""
    yield from _top(explanation, heading)
    yield from _asked(explanation, heading)
    for metric in explanation.metrics:
        yield heading(f"{metric.name} of module {metric.module}")
        for name, lines in _facts(metric).items():
            for at, line in enumerate(lines):
                yield f"  {name if not at else '':9} {line}"


def _facts(metric: MetricExplanation) -> dict[str, list[str]]:
    facts = {
        "OID": [f"{metric.oid}, type {metric.type}"],
        "help": [_sentence(metric.help)],
        "returned": [f"{counted(metric.rows, 'row')}{f' of {_types(metric.types)}' if metric.rows else ''}"],
        "made": [f"{counted(count, 'sample')} of {name}" for name, count in metric.families.items()] or ["no sample"],
        "indexes": [_misfits(metric)] if metric.short or metric.long else [],
        "left out": [f"{count} {reason}" for reason, count in metric.dropped.items()],
        "labels": [f"{name} = {_short(value)!r}" for name, value in metric.labels.items()],
        "lookups": [_lookup(one) for one in metric.lookups],
        "examples": [_short(one) for one in metric.examples],
        "why": [_sentence(metric.reason)] if metric.reason else [],
    }
    if metric.given_by:
        facts["made"] = [f"nothing: module {metric.given_by}, earlier in the list, has already made it"]
    return {name: lines for name, lines in facts.items() if lines}
