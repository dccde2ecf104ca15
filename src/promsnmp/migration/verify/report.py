"""The result of a comparison as text, and as a page for a change request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from promsnmp.migration.verify.compare import Comparison, Difference
from promsnmp.migration.verify.pages import shown

_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:70em;padding:0 1em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.25em .6em;text-align:left;vertical-align:top}.no{color:#a00}.yes{color:#060}"
)


@dataclass(frozen=True, slots=True)
class Group:
    """Differences of one kind, metric and reason, on all devices."""

    kind: str
    metric: str
    reason: str
    count: int
    devices: int
    example: str


def groups_of(comparisons: Sequence[Comparison]) -> list[Group]:
    """The differences by kind, metric and reason: those without a reason first."""
    found: dict[tuple[str, str, str], list[tuple[str, Difference]]] = {}
    for comparison in comparisons:
        for one in comparison.differences:
            found.setdefault((one.kind, one.series[0], one.reason), []).append((comparison.device, one))
    groups = [
        Group(kind, metric, reason, len(of), len({device for device, _ in of}), _example(*of[0]))
        for (kind, metric, reason), of in found.items()
    ]
    return sorted(groups, key=lambda group: (bool(group.reason), group.kind, group.metric))


def summary_of(comparisons: Sequence[Comparison]) -> str:
    """One line: what was compared, and the verdict."""
    same = sum(one.is_same for one in comparisons)
    series = sum(one.compared for one in comparisons)
    expected = sum(len(one.differences) - len(one.unexpected) for one in comparisons)
    unexpected = sum(len(one.unexpected) for one in comparisons)
    return (
        f"devices that are the same: {same} of {len(comparisons)}; {series:,} series equal, "
        f"{expected:,} expected differences, {unexpected:,} to look at"
    )


def text_of(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """The lines of the result."""
    for comparison in comparisons:
        if comparison.failure:
            yield f"{comparison.device}: {comparison.failure}"
    for group in groups_of(comparisons):
        counts = f"{group.count:,} series, devices: {group.devices:,}"
        verdict = "expected" if group.reason else "LOOK AT"
        yield f"{verdict}: {group.kind} {group.metric}: {counts}, such as {group.example}"
        if group.reason:
            yield f"    {group.reason}"
    yield summary_of(comparisons)


def html_of(comparisons: Sequence[Comparison], *, facts: Sequence[tuple[str, str]]) -> str:
    """The result as a page that needs no other file; ``facts`` say what was compared, how and when."""
    is_same = all(one.is_same for one in comparisons)
    verdict = "The pages are the same" if is_same else "There are differences to look at"
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{verdict}</title><style>{_STYLE}</style>',
        f'<h1>snmp_exporter and PromSNMP</h1><p class="{"yes" if is_same else "no"}"><strong>{verdict}.</strong> ',
        f"{escape(summary_of(comparisons))}.</p>",
        _table((), facts),
        "<h2>Differences</h2>",
        _table(
            ("", "kind", "metric", "series", "devices", "example", "why"),
            [
                ("expected" if one.reason else "look at", one.kind, one.metric, f"{one.count:,}", f"{one.devices:,}",
                 one.example, one.reason or "unknown")
                for one in groups_of(comparisons)
            ],
        ),
        "<h2>Devices</h2>",
        _table(
            ("device", "result", "series equal", "expected", "to look at"),
            [
                (one.device, one.failure or ("same" if one.is_same else "differs"), f"{one.compared:,}",
                 f"{len(one.differences) - len(one.unexpected):,}", f"{len(one.unexpected):,}")
                for one in comparisons
            ],
        ),
    ]  # fmt: skip
    return "\n".join(parts) + "\n</html>\n"


def _example(device: str, one: Difference) -> str:
    values = " and now ".join(f"{value:.17g}" for value in (one.old, one.new) if value is not None)
    return f"{device}: {shown(one.series)} {values}".rstrip()


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>" if rows else "<p>None.</p>"
