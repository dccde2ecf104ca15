"""Renders the result of a poll: the modules' columns into a page, together with PromSNMP's own metrics of that poll."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from promsnmp.errors import StrictFailure
from promsnmp.exposition.families import Exposition
from promsnmp.exposition.plan import ModulePlan
from promsnmp.exposition.renderer import Renderer
from promsnmp.exposition.utilization.interfaces import add_utilization
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.polling.device_state import DeviceState
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.poll import PollResult
from promsnmp.polling.target import Target
from promsnmp.snmp import oid
from promsnmp.snmp.operations.base import Cost

_OWN_PREFIX = "promsnmp_"
_SCRAPE_METRICS = {
    "promsnmp_module_up": "Whether everything that the module asks for was read (1) or some of it is missing (0).",
    "snmp_scrape_walk_duration_seconds": "Seconds spent on reading from the device what the module needs.",
    "snmp_scrape_packets_sent": "SNMP packets sent for the module, retransmissions included.",
    "snmp_scrape_packets_retried": "SNMP packets sent again for the module because no answer came in time.",
    "snmp_scrape_pdus_returned": "Variable bindings that the device returned for the module.",
    "snmp_scrape_duration_seconds": "Seconds spent on the module, rendering of the page included.",
}
OWN_METRIC_NAMES = frozenset((*_SCRAPE_METRICS, "promsnmp_collected_timestamp_seconds", "promsnmp_identity_changed"))
"""Families that every page has: a module's samples under one of these names are left out."""
_COLLECTED = "When the device was polled for this page, in Unix seconds; time() minus this is the age of the data."
_IDENTITY_CHANGED = "1: another device than the inventory knows answers at this address; absent otherwise."
_DROPPED = "Values that the device returned but that are not on this page, or (invalid_index) under doubtful labels."


class PageRenderer:
    """Renders pages, and counts in ``dropped`` the values that were left out, by reason."""

    def __init__(
        self, options: CollectorOptions, counts: ExporterCounts, *, observes: Callable[[str], bool] = lambda _: True
    ) -> None:
        """``observes``: whether histograms of a device (``Target.shard``) may be begun or continued now."""
        self._options = options
        self._counts = counts
        self._observes = observes
        self.dropped: dict[str, int] = {}

    def render_modules(self, result: PollResult) -> Renderer:
        """A renderer that has the samples of all modules."""
        renderer = Renderer(
            result.plan,
            result.scanner,
            result.render_state,
            wrap=self._options.wrap,
            zeros=self._options.zeros,
            unsigned_sizes=self._options.unsigned_sizes,
            cached_columns=result.cached_columns,
        )
        for one in result.plan.modules:
            renderer.module(one.metrics)
        return renderer

    def page(self, target: Target, state: DeviceState, result: PollResult) -> RenderedPage:
        """The page of a poll, in the formats that scrapes ask for. Raises StrictFailure."""
        began = time.perf_counter()
        renderer = result.renderer or self.render_modules(result)
        exposition, own = renderer.exposition, self._options.own_metrics
        if self._options.utilization and target.owned and self._observes(target.shard):
            add_utilization(renderer, result.plan, result.render_state.utilization, at=result.started, visible=own)
        exposition.deduplicate()
        if self._options.strict:
            _require_unique(target, exposition)
        seconds = _add_scrape_metrics(exposition, result, time.perf_counter() - began, own=own)
        for name, duration in seconds.items():
            self._counts.record_collection(name, duration)
        if own and state.identity.differences:
            exposition.add("promsnmp_identity_changed", "gauge", _IDENTITY_CHANGED, [({}, 1.0)])
        for reason, count in exposition.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        return RenderedPage(result.started, state.modules, _bodies(exposition, state.next_formats()))


def empty_page(formats: Iterable[Format]) -> RenderedPage:
    """A page without samples, as of now."""
    return RenderedPage(time.monotonic(), (), _bodies(Exposition(), formats))


def _bodies(exposition: Exposition, formats: Iterable[Format]) -> dict[Format, bytes]:
    return {one: exposition.render(as_openmetrics=one is Format.OPENMETRICS) for one in formats}


def _require_unique(target: Target, exposition: Exposition) -> None:
    """Raises StrictFailure when a series is on the page twice, or a family has several types or help texts."""
    address, twice = str(target.endpoint), exposition.dropped.get("duplicate", 0)
    if twice:
        samples = "1 sample has" if twice == 1 else f"{twice} samples have"
        raise StrictFailure(f"duplicate series: {samples} the name and labels of another sample", target=address)
    if exposition.conflicts:
        names = ", ".join(sorted(exposition.conflicts))
        raise StrictFailure(f"metrics of one name have several types or help texts: {names}", target=address)


# ------------------------------------------------------------------------------- PromSNMP's own metrics of a page


def _add_scrape_metrics(exposition: Exposition, result: PollResult, rendering: float, *, own: bool) -> dict[str, float]:
    """Adds, for each module, what the poll cost, and with ``own`` whether it read everything.

    Returns the seconds spent on each module.
    """
    durations: dict[str, float] = {}
    rows: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in _SCRAPE_METRICS}
    for one in result.plan.modules:
        labels = {"module": one.module.name}
        cost = _cost(one, result)
        seconds = durations[one.module.name] = cost.seconds + result.render_seconds + rendering
        figures = (_is_complete(one, result), cost.seconds, cost.sent, cost.retried, cost.varbinds, seconds)
        for name, number in zip(rows, figures, strict=True):
            rows[name].append((labels, float(number)))
    for name, samples in rows.items():
        if own or not name.startswith(_OWN_PREFIX):
            exposition.add(name, "gauge", _SCRAPE_METRICS[name], samples)
    if own:
        _add_own_metrics(exposition, polled_at=time.time() - result.seconds - rendering)
    return durations


def _add_own_metrics(exposition: Exposition, *, polled_at: float) -> None:
    exposition.add("promsnmp_collected_timestamp_seconds", "gauge", _COLLECTED, [({}, round(polled_at, 3))])
    if exposition.dropped:
        dropped = [({"reason": reason}, float(count)) for reason, count in sorted(exposition.dropped.items())]
        exposition.add("promsnmp_page_dropped_values", "gauge", _DROPPED, dropped)


def _cost(one: ModulePlan, result: PollResult) -> Cost:
    total = Cost()
    roots = dict.fromkeys((*one.roots, *(oid.encode(each.oid) for each in one.module.filters)))
    costs: Sequence[Cost] = [result.costs[root] for root in roots if root in result.costs]
    for cost in (*costs, result.gets_cost) if one.gets else costs:
        total = total + cost
    return total


def _is_complete(one: ModulePlan, result: PollResult) -> bool:
    if any(root not in result.finished for root in one.roots):
        return False
    return not (one.gets and result.gets_failed and not all(_is_walked(get, result) for get in one.gets))


def _is_walked(get: bytes, result: PollResult) -> bool:
    return any(get.startswith(root) for root in result.finished)
