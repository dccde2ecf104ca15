"""Renders the result of a poll: the modules' columns into a page, together with PromSNMP's own metrics of that poll."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from promsnmp.errors import SnmpError, StrictFailure, TooMuchData
from promsnmp.exposition.families import BLOCK_PIECES, Exposition, Family, blocks, openmetrics_pieces
from promsnmp.exposition.formats import openmetrics, text
from promsnmp.exposition.labels import label_text
from promsnmp.exposition.plan import ModulePlan
from promsnmp.exposition.renderer import Renderer
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.exposition.utilization.interfaces import add_utilization
from promsnmp.inventory.modules import HEALTH
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.polling.device_state import DeviceState
from promsnmp.polling.health.health_run import HealthResult
from promsnmp.polling.health.health_samples import add_health, health_of
from promsnmp.polling.health.summary import NO_SUMMARY, HealthSummary, summarise
from promsnmp.polling.history.start_times import start_times
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.row_updates import OwnFamily
from promsnmp.polling.poll import PollResult
from promsnmp.polling.target import Target
from promsnmp.snmp import oid
from promsnmp.snmp.operations.base import Cost
from promsnmp.support.compression import GzipWriter
from promsnmp.support.steps import Steps

_OWN_PREFIX = "promsnmp_"
_SCRAPE_METRICS = {
    "promsnmp_module_up": "Whether everything that the module asks for was read (1) or some of it is missing (0).",
    "snmp_scrape_walk_duration_seconds": "Seconds spent on reading from the device what the module needs.",
    "snmp_scrape_packets_sent": "SNMP packets sent for the module, retransmissions included.",
    "snmp_scrape_packets_retried": "SNMP packets sent again for the module because no answer came in time.",
    "snmp_scrape_pdus_returned": "Variable bindings that the device returned for the module.",
    "snmp_scrape_duration_seconds": "Seconds spent on the module, rendering of the page included.",
}
OWN_METRIC_NAMES = frozenset(
    (
        *_SCRAPE_METRICS,
        "promsnmp_collected_timestamp_seconds",
        "promsnmp_identity_changed",
        "promsnmp_page_dropped_values",
        "promsnmp_poll_interval_seconds",
        "snmp_trap_last_timestamp_seconds",
        "snmp_trap_object_state",
        "snmp_trap_object_timestamp_seconds",
        "snmp_trap_total",
    )
)
"""Families that a page has of its poll: a module's samples under one of these names are left out."""
_COLLECTED = "When the device was polled for this page, in Unix seconds; time() minus this is the age of the data."
_IDENTITY_CHANGED = "1: another device than the inventory knows answers at this address; absent otherwise."
_INTERVAL = "Seconds between two polls of a device that has an interval of its own; absent otherwise."
_DROPPED = "Values that the device returned but that are not on this page, or (invalid_index) under doubtful labels."


PageFamilies = Callable[[str, float], Sequence[OwnFamily]]
"""More families (of OWN_METRIC_NAMES) on the page of a poll of a device, by the device's id and when the poll began
(seconds, monotonic); called in any thread."""


def no_families(_: str, __: float) -> Sequence[OwnFamily]:
    """No more families."""
    return ()


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendered page, what is missing from it because it would be too large, and the values left out, by reason."""

    page: RenderedPage
    samples: int
    """How many are on the page."""
    summary: HealthSummary
    problem: SnmpError | None
    dropped: Mapping[str, int]


class PageRenderer:
    """Renders pages, in steps; counts in ``dropped`` the values that were left out of all pages, by reason."""

    def __init__(
        self,
        options: CollectorOptions,
        counts: ExporterCounts,
        *,
        observes: Callable[[str], bool] = lambda _: True,
        page_families: PageFamilies = no_families,
    ) -> None:
        """``observes``: whether histograms of a device (``Target.shard``) may be begun or continued now."""
        self._page_families = page_families
        self._options = options
        self._counts = counts
        self._observes = observes
        self.dropped: dict[str, int] = {}

    def count(self, dropped: Mapping[str, int]) -> None:
        """Adds to ``dropped``."""
        for reason, count in dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def render_modules(self, result: PollResult) -> Steps[Renderer]:
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
            yield from renderer.module_steps(one.metrics)
        return renderer

    def page(
        self,
        target: Target,
        state: DeviceState,
        result: PollResult,
        formats: Iterable[Format],
        *,
        release: bool = False,
    ) -> Steps[Rendering]:
        """The page of a poll in ``formats``. Raises StrictFailure.

        With ``release`` what the poll has read is freed at the end.
        """
        began = time.perf_counter()
        renderer = result.renderer or (yield from self.render_modules(result))
        summary = NO_SUMMARY
        if result.health is not None:
            result.health.health = yield from health_of(result.health, renderer)
            summary = yield from summarise(result.health.health)
            yield from add_health(renderer.exposition, result.health.health)
        if self._options.error_rates and target.managed and target.owned:
            yield from state.errors.note(renderer, result.started)
            if self._options.link_changes:
                state.links.note(renderer)
        yield from self._complete(target, renderer, result)
        is_other_device = bool(state.identity.differences)
        starts = None
        if self._options.start_times:
            starts = start_times(state.start, renderer, result, is_other_device=is_other_device)
        scrape_metrics = _ScrapeMetrics(
            result,
            time.perf_counter() - began,
            own=self._options.own_metrics,
            is_other_device=is_other_device,
            interval=target.overrides.interval / 1000,
            families=self._page_families(target.device_id, result.started) if target.managed else (),
        )
        wanted = set(formats)
        texts = wanted - {Format.PROTOBUF} or {Format.TEXT}  # protobuf is made from it
        bodies, samples, missing = yield from self._bodies(renderer.exposition, scrape_metrics, result, texts)
        for name, seconds in scrape_metrics.seconds.items():
            self._counts.record_collection(name, seconds)
        problem = _too_large(target, self._options) if missing else None
        page = RenderedPage(result.started, state.modules, bodies, starts=starts, series=self._series(target, result))
        if Format.PROTOBUF in wanted:
            yield from page.convert(Format.PROTOBUF)
        renderer.close()
        if release:
            yield from renderer.release()
            if result.health is not None and result.health.health is not None:
                yield from result.health.health.release()
        return Rendering(page, samples, summary, problem, renderer.exposition.dropped)

    def _complete(self, target: Target, renderer: Renderer, result: PollResult) -> Steps[None]:
        """Adds the utilisation histogram, and checks the samples of the modules. Raises StrictFailure."""
        exposition, own, options = renderer.exposition, self._options.own_metrics, self._options
        if options.utilization and target.owned and self._observes(target.shard):
            yield from add_utilization(
                renderer, result.plan, result.render_state.utilization, at=result.started, visible=own
            )
        exposition.reserve(name for name in OWN_METRIC_NAMES if own or not name.startswith(_OWN_PREFIX))
        exposition.deduplicate()
        yield
        if options.strict:
            _require_unique(target, exposition)

    def _series(self, target: Target, result: PollResult) -> Sequence[UtilizationSeries] | None:
        """The histograms on the page of a poll; None when it has none of ours."""
        options = self._options
        is_shown = options.utilization and options.own_metrics and target.owned and self._observes(target.shard)
        return result.render_state.utilization.current_series() or None if is_shown else None

    def _bodies(
        self, exposition: Exposition, scrape_metrics: _ScrapeMetrics, result: PollResult, formats: Iterable[Format]
    ) -> Steps[tuple[Mapping[Format, bytes | GzipWriter], int, Sequence[str]]]:
        """The page in ``formats``, its samples, and the families that are missing because it would be too large."""
        most = self._options.page_octets
        if result.is_small:
            own = scrape_metrics.of(exposition)
            whole = {one: _whole(exposition, own, one) for one in formats}
            if all(len(body) <= most for body in whole.values()):
                samples = _count_samples(next(iter(whole.values()), b""), exposition, own) if whole else 0
                return whole, samples, ()
        writers = {one: _PageWriter(one, exposition, most) for one in formats}
        for writer in writers.values():
            yield from writer.write_modules()
        missing = next((writer.missing for writer in writers.values() if writer.missing), ())
        own = scrape_metrics.of(exposition, missing)
        bodies = {one: writer.finished(own) for one, writer in writers.items()}
        samples = max((writer.samples for writer in writers.values()), default=0)
        yield
        return bodies, samples, missing


def _size_of(parts: Sequence[bytes]) -> int:
    """Bytes of parts. There may be a million of them: other threads get Python's lock in between."""
    return sum([sum(map(len, parts[start : start + BLOCK_PIECES])) for start in range(0, len(parts), BLOCK_PIECES)])


def _count_samples(page: bytes, *parts: Exposition) -> int:
    """The samples of a page that consists of ``parts``: its lines, except two of HELP and TYPE for each family."""
    families = sum(bool(family.parts) for part in parts for family in part.families.values())
    return text.line_count(page) - page.endswith(openmetrics.END) - 2 * families


def _whole(exposition: Exposition, scrape_metrics: Exposition, page_format: Format) -> bytes:
    """A page in one piece."""
    as_openmetrics = page_format is Format.OPENMETRICS
    names = exposition.families.keys() | OWN_METRIC_NAMES
    pieces = exposition.pieces(names, as_openmetrics=as_openmetrics)
    pieces += scrape_metrics.pieces(names, as_openmetrics=as_openmetrics)
    if as_openmetrics:
        pieces.append(openmetrics.END)
    return b"".join(pieces)


class _PageWriter:
    """Writes an exposition as a page of at most ``most`` bytes; families that do not fit are left out."""

    def __init__(self, page_format: Format, exposition: Exposition, most: int) -> None:
        self.missing: Sequence[str] = ()
        """Families that are not on the page."""
        self.samples = 0
        self._gzip = GzipWriter()
        self._as_openmetrics = page_format is Format.OPENMETRICS
        self._exposition = exposition
        self._most = most
        self._names = exposition.families.keys() | OWN_METRIC_NAMES

    def write_modules(self) -> Steps[None]:
        """Writes what the modules made, up to the first family that does not fit."""
        families = [one for one in self._exposition.families.values() if one.parts]
        for at, family in enumerate(families):
            if self._as_openmetrics:
                head, parts = openmetrics_pieces(family, self._names)
            else:
                head, parts = text.header(family.name, family.kind, family.help), family.parts
            if self._gzip.size + _size_of(parts) > self._most:
                self._leave_out(families[at:])
                return
            self._gzip.write(head)
            for block in blocks(parts):
                self.samples += block.count(b"\n")
                self._gzip.write(block)
            self._gzip.write(b"\n")
            yield

    def finished(self, scrape_metrics: Exposition) -> GzipWriter:
        """The page with the families that every page has, and the end."""
        own = b"".join(scrape_metrics.pieces(self._names, as_openmetrics=self._as_openmetrics))
        self.samples += _count_samples(own, scrape_metrics)
        self._gzip.write(own)
        if self._as_openmetrics:
            self._gzip.write(openmetrics.END)
        return self._gzip

    def _leave_out(self, families: Sequence[Family]) -> None:
        if "page_size" not in self._exposition.dropped:
            self._exposition.drop("page_size", sum(one.samples for one in families))
        self.missing = [one.name for one in families]


def empty_page(formats: Iterable[Format]) -> RenderedPage:
    """A page without samples, as of now."""
    return RenderedPage(
        time.monotonic(), (), {one: openmetrics.END if one is Format.OPENMETRICS else b"" for one in formats}
    )


def _too_large(target: Target, options: CollectorOptions) -> TooMuchData:
    """What is wrong with a page that was too large. Raises StrictFailure where an incomplete page is not wanted."""
    most, address = options.page_octets, str(target.endpoint)
    message = f"the page is larger than {most} bytes (COLLECTION_MAX_PAGE_BYTES), the rest was left out"
    if options.strict:
        raise StrictFailure(f"incomplete page: {message}", target=address)
    return TooMuchData(message, target=address)


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


@dataclass(frozen=True, slots=True)
class _ScrapeMetrics:
    """What every page says of its poll; with ``own``, in families that snmp_exporter does not have, too."""

    result: PollResult
    rendering: float
    """Seconds that it took."""
    own: bool
    is_other_device: bool
    """Whether another device than the inventory knows has answered."""
    interval: float
    """Seconds between two polls; 0: as the settings say."""
    families: Iterable[OwnFamily] = ()
    """More families of the device."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Spent on each module; ``of`` fills it."""

    def of(self, page: Exposition, missing: Sequence[str] = ()) -> Exposition:
        """The families for ``page``, which lacks the families ``missing``."""
        exposition = Exposition(dropped=page.dropped)
        for name, samples in self._modules(missing).items():
            if self.own or not name.startswith(_OWN_PREFIX):
                exposition.add_labelled(name, "gauge", _SCRAPE_METRICS[name], samples)
        if self.own:
            _add_own_metrics(exposition, polled_at=time.time() - self.result.seconds - self.rendering)
            if self.is_other_device:
                exposition.add("promsnmp_identity_changed", "gauge", _IDENTITY_CHANGED, [({}, 1.0)])
            if self.interval:
                exposition.add("promsnmp_poll_interval_seconds", "gauge", _INTERVAL, [({}, self.interval)])
            for name, kind, help_text, more in self.families:
                exposition.add(name, kind, help_text, more)
        return exposition

    def _modules(self, missing: Sequence[str]) -> dict[str, list[tuple[bytes, float]]]:
        """By family: for each module what the poll cost, and whether everything is there."""
        result = self.result
        rows: dict[str, list[tuple[bytes, float]]] = {name: [] for name in _SCRAPE_METRICS}
        for one in result.plan.modules:
            labels, cost = _module_label(one.module.name), _cost(one, result)
            seconds = self.seconds[one.module.name] = cost.seconds + result.render_seconds + self.rendering
            is_complete = _is_complete(one, result, missing)
            figures = (is_complete, cost.seconds, cost.sent, cost.retried, cost.varbinds, seconds)
            _append(rows, labels, figures)
        if (health := result.health) is not None:
            labels, cost = _module_label(HEALTH), health.cost
            is_complete = health.problem is None and not _is_health_missing(health, missing)
            figures = (is_complete, cost.seconds, cost.sent, cost.retried, cost.varbinds, cost.seconds)
            _append(rows, labels, figures)
        return rows


@lru_cache(maxsize=256)
def _module_label(name: str) -> bytes:
    return label_text({"module": name})


def _append(rows: Mapping[str, list[tuple[bytes, float]]], labels: bytes, figures: Iterable[float]) -> None:
    for name, number in zip(rows, figures, strict=True):
        rows[name].append((labels, float(number)))


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


def _is_health_missing(health: HealthResult, missing: Sequence[str]) -> bool:
    """Whether a family of the device's health is among those ``missing`` from the page."""
    if not missing or health.health is None:
        return False
    return not {one.family for one in health.health.samples}.isdisjoint(missing)


def _is_complete(one: ModulePlan, result: PollResult, missing: Sequence[str]) -> bool:
    """Whether everything of a module was read, and none of its families is ``missing`` from the page."""
    if any(root not in result.finished for root in one.roots):
        return False
    if missing and any(name.startswith(metric.family) for name in missing for metric in one.metrics):
        return False
    return not (one.gets and result.gets_failed and not all(_is_walked(get, result) for get in one.gets))


def _is_walked(get: bytes, result: PollResult) -> bool:
    return any(get.startswith(root) for root in result.finished)
