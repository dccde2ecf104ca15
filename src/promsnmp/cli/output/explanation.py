"""The report of ``promsnmp explain``: an explained poll as aligned text, the part that people look for last.

What a device said is printed without control characters, so that it cannot control the terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from promsnmp.cli.output.text import counted, printable
from promsnmp.cli.output.varbinds import TYPES, text_line
from promsnmp.polling.explain.model import Explanation, LookupExplanation, MetricExplanation, WalkExplanation
from promsnmp.polling.explain.reasons import DROPPED
from promsnmp.polling.explain.unclaimed import UnclaimedColumn
from promsnmp.snmp.operations.walk import Cost

WIDTH = 120
MAX_TEXT = 200
"""Characters of a value or a sample, at most, in text."""
MAX_LISTED = 40
"""Objects of a kind that are listed in text; JSON has all."""

Heading = Callable[[str], str]


def _short(text: str) -> str:
    """What a device says, in at most MAX_TEXT characters."""
    return printable(text, longest=MAX_TEXT)


def _sentence(text: str) -> str:
    """What we say ourselves: it may be long, and holds OIDs of the device at most."""
    return printable(text, longest=2000)


def _types(types: Mapping[int, int]) -> str:
    named = {TYPES.get(tag, f"0x{tag:02X}"): count for tag, count in types.items()}
    return next(iter(named)) if len(named) == 1 else ", ".join(f"{count} {name}" for name, count in named.items())


def _cost(cost: Cost) -> str:
    again = f" ({cost.retried} of them again)" if cost.retried else ""
    return f"{counted(cost.varbinds, 'varbind')}, {counted(cost.sent, 'packet')}{again}, {cost.seconds:.2f} s"


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
    """The lines of a whole explanation."""
    yield from _top(explanation, heading)
    yield from _asked(explanation, heading)
    yield heading("What came back, and who took it")
    rows = [
        (found.oid, found.rows, _types(found.types), ", ".join(found.used_by) or "-") for found in explanation.columns
    ]
    yield from _table(("OID", "rows", "type", "taken by"), rows) if rows else ["  nothing that a module wants"]
    yield from _made(explanation, heading)
    yield from _unclaimed(explanation.unclaimed, heading)
    yield from _empty_labels(explanation.metrics, heading)
    yield from _missing(explanation.metrics, heading)


def _top(explanation: Explanation, heading: Heading) -> Iterator[str]:
    yield heading(f"{explanation.target}, asked for {', '.join(explanation.modules)}: {_cost(explanation.total)}")
    if explanation.problem:
        yield f"  The poll is not complete: {_sentence(explanation.problem)}"
    if explanation.discarded:
        reasons = ", ".join(f"{count} {reason}" for reason, count in explanation.discarded.items())
        yield f"  Datagrams that were no answers: {reasons}"
    yield ""
    if explanation.identity is not None or set(explanation.module_reasons.values()) - {"asked for by -m"}:
        yield heading("Why these modules")
        yield from _device(explanation)
        yield from (
            _table(("module", "because"), list(explanation.module_reasons.items()))
            if explanation.module_reasons
            else ["  there are none"]
        )
        yield ""


def _device(explanation: Explanation) -> Iterator[str]:
    identity = explanation.identity
    if identity is None:
        return
    kind = " ".join(filter(None, (identity.match.vendor, identity.match.model))) or "a device of an unknown kind"
    said = f"sysObjectID {identity.sys_object_id or 'unknown'}, asked in {counted(identity.packets, 'packet')}"
    yield f"  It is {_short(kind)} ({said})."
    if identity.problem:
        yield f"  Not all of it is known: {_sentence(identity.problem)}"
    if more := [name for name in identity.match.names if name not in explanation.modules]:
        yield f"  It also shows {', '.join(more)}: the service asks for that once it has looked at the device again."


def _ended(walk: WalkExplanation) -> str:
    return f"{walk.end}: {_sentence(walk.error)}" if walk.error else str(walk.end)


def _asked(explanation: Explanation, heading: Heading) -> Iterator[str]:
    yield heading("What was asked")
    walks = [
        (w.oid, ", ".join(w.modules), w.cost.sent, w.cost.retried, w.cost.varbinds, f"{w.cost.seconds:.3f}", _ended(w))
        for w in explanation.walks
    ]
    if walks:
        yield from _table(("walk", "for", "packets", "again", "varbinds", "seconds", "ended"), walks)
    if explanation.gets:
        gets = [(get.oid, ", ".join(get.modules) or "a filter", _sentence(get.outcome)) for get in explanation.gets]
        yield from _table(("get", "for", "outcome"), gets, limit=MAX_LISTED)
        if explanation.gets_cost.sent:
            yield f"  all of these together: {_cost(explanation.gets_cost)}"
    if not walks and not explanation.gets:
        yield "  nothing: the modules neither walk nor fetch anything"
    yield ""


def _made(explanation: Explanation, heading: Heading) -> Iterator[str]:
    made = [told for told in explanation.metrics if told.samples or told.given_by or told.dropped]
    yield ""
    yield heading("Metrics that were made")
    rows = [
        (m.name, m.module, m.rows, m.samples, f"by {m.given_by} already" if m.given_by else _dropped(m.dropped))
        for m in made
    ]
    yield from _table(("metric", "module", "rows", "samples", "left out"), rows) if rows else ["  none"]
    if first := [told for told in made if told.examples]:
        yield "  the first sample of each:"
        yield from (f"    {_short(told.examples[0])}" for told in first)
    if odd := [told for told in made if told.short or told.long]:
        yield "  rows whose indexes do not fit those of the metric:"
        yield from (f"    {told.name}: {_misfits(told)}" for told in odd)
    if explanation.dropped:
        yield "  left out of the page in all:"
        yield from (f"    {count} {reason}: {DROPPED.get(reason, '')}" for reason, count in explanation.dropped.items())
    yield ""


def _misfits(told: MetricExplanation) -> str:
    short = f"{told.short} too short (zeros take the place of what is missing)" if told.short else ""
    return ", ".join(filter(None, (short, f"{told.long} too long (the rest is ignored)" if told.long else "")))


def _dropped(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items())


def _unclaimed(unclaimed: Sequence[UnclaimedColumn], heading: Heading) -> Iterator[str]:
    yield heading("What nobody took")
    rows = [(one.oid, one.count, _value(one), _known_as(one)) for one in unclaimed]
    yield from _table(("OID", "rows", "first value", "known to"), rows, limit=MAX_LISTED) if rows else ["  nothing"]
    yield ""


def _value(one: UnclaimedColumn) -> str:
    return printable(text_line(one.example).partition(" = ")[2], longest=40)


def _known_as(one: UnclaimedColumn) -> str:
    return ", ".join(f"{module} ({metric})" for module, metric in one.known_as[:3])


def _empty_labels(metrics: Iterable[MetricExplanation], heading: Heading) -> Iterator[str]:
    found: dict[tuple[str, str], tuple[LookupExplanation, list[str]]] = {}
    for told in metrics:
        for one in told.lookups:
            if one.missed:
                found.setdefault((one.label, one.oid), (one, []))[1].append(told.name)
    if not found:
        return
    yield heading("Labels that are empty")
    for one, names in found.values():
        yield from _wrapped(f"{_lookup(one)}; in {', '.join(dict.fromkeys(names))}")
    yield ""


def _lookup(one: LookupExplanation) -> str:
    came = f"{one.label} from {one.oid}: {counted(one.rows, 'row')} came"
    missed = f", none for {counted(one.missed, 'row')} of the metric" if one.missed else ""
    return f"{came}{missed}{f': {_sentence(one.reason)}' if one.reason else ''}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)


def _missing(metrics: Iterable[MetricExplanation], heading: Heading) -> Iterator[str]:
    by_reason: dict[str, list[MetricExplanation]] = {}
    for told in metrics:
        if told.reason:
            by_reason.setdefault(told.reason, []).append(told)
    yield heading("Metrics without samples, and why")
    if not by_reason:
        yield "  none is missing"
    for reason, of_reason in by_reason.items():
        yield from _wrapped(f"{', '.join(f'{one.name} ({one.module})' for one in of_reason)}: {_sentence(reason)}")


# ----------------------------------------------------------------------------------------------------------- one metric


def report_metric(explanation: Explanation, heading: Heading) -> Iterator[str]:
    """The lines about the few metrics that an explanation was narrowed to."""
    yield from _top(explanation, heading)
    yield from _asked(explanation, heading)
    for told in explanation.metrics:
        yield heading(f"{told.name} of module {told.module}")
        for name, lines in _facts(told).items():
            for at, line in enumerate(lines):
                yield f"  {name if not at else '':9} {line}"


def _facts(told: MetricExplanation) -> dict[str, list[str]]:
    facts = {
        "OID": [f"{told.oid}, taken as {told.type}"],
        "help": [_sentence(told.help)],
        "came": [f"{counted(told.rows, 'row')}{f' of {_types(told.types)}' if told.rows else ''}"],
        "made": [f"{counted(count, 'sample')} of {name}" for name, count in told.families.items()] or ["no sample"],
        "indexes": [_misfits(told)] if told.short or told.long else [],
        "lost": [f"{count} {reason}" for reason, count in told.dropped.items()],
        "labels": [f"{name} = {_short(value)!r}" for name, value in told.labels.items()],
        "look-ups": [_lookup(one) for one in told.lookups],
        "first": [_short(one) for one in told.examples],
        "why": [_sentence(told.reason)] if told.reason else [],
    }
    if told.given_by:
        facts["made"] = [f"nothing here: module {told.given_by}, asked for before, made it already"]
    return {name: lines for name, lines in facts.items() if lines}
