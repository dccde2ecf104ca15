"""What is remembered of a device between polls: its limits, v3 engine, labels, formats, last outcome."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from promsnmp.exposition.renderer import RenderState
from promsnmp.exposition.utilization.histogram import Utilization
from promsnmp.inventory.model import NO_OVERRIDES, PollOverrides
from promsnmp.polling.detection.identity_state import IdentityState
from promsnmp.polling.detection.schedule import DetectionSchedule
from promsnmp.polling.health.health_state import HealthState
from promsnmp.polling.health.summary import NO_SUMMARY, HealthSummary
from promsnmp.polling.history.device_start import DeviceStart
from promsnmp.polling.history.error_rates import ErrorRates
from promsnmp.polling.history.link_changes import LinkChanges
from promsnmp.polling.history.poll_history import PollHistory
from promsnmp.polling.label_cache import LabelCache
from promsnmp.polling.pages.page import Format
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.polling.target import Target
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.support.steps import Steps

MAX_STATES = 10_000
MAX_HISTOGRAMS = 50_000
"""Histograms that are kept of a device that returns more than a poll may read."""
MAX_OCTETS = 1024 * 1024 * 1024
_EMPTY_OCTETS = 4_000
"""Bytes of a state that has no labels yet, about."""


@dataclass(slots=True)
class DeviceState:
    """The memory of one target."""

    limits: AgentLimits = field(default_factory=AgentLimits)
    engine: EngineState = field(default_factory=EngineState)
    render_state: RenderState = field(default_factory=RenderState)
    """Belongs to the plan of ``modules``."""
    modules: tuple[str, ...] = ()
    """The modules of the last poll."""
    overrides: PollOverrides = NO_OVERRIDES
    """Those of the last poll."""
    detection: DetectionSchedule = field(default_factory=DetectionSchedule)
    identity: IdentityState = field(default_factory=IdentityState)
    health: HealthState = field(default_factory=HealthState)
    requested_formats: set[Format] = field(default_factory=set)
    """Formats that scrapes asked for since the last poll."""
    formats: set[Format] = field(default_factory=lambda: {Format.TEXT})
    """Formats that a poll renders at once: those that scrapes asked for lately."""
    has_answered: bool = False
    """Whether the device ever returned anything."""
    outcome: str = "success"
    """How the last poll ended."""
    status: PollStatus = NEVER_POLLED
    """The same, for lists of devices."""
    polls: PollHistory = field(default_factory=PollHistory)
    """How the last polls ended; of devices of the inventory."""
    errors: ErrorRates = field(default_factory=ErrorRates)
    """Errors and discards of interfaces; of devices of the inventory."""
    links: LinkChanges = field(default_factory=LinkChanges)
    """Interfaces whose state has changed; of devices of the inventory."""
    start: DeviceStart = field(default_factory=DeviceStart)
    """When its counters began."""
    samples: int = 0
    """Samples on the last page."""
    summary: HealthSummary = NO_SUMMARY
    """Of the last page."""
    label_cache: LabelCache | None = None
    label_cache_target: Target | None = None
    """The target that ``label_cache`` belongs to."""

    def use_overrides(self, overrides: PollOverrides) -> None:
        """Prepares for a poll with these overrides; other ones than last time start without learned limits and labels.

        They are the first limits, so that what is asked outside of the plan keeps to them, too.
        """
        if overrides != self.overrides:
            self.overrides = overrides
            self.limits = AgentLimits(
                allowed_repetitions=overrides.max_repetitions, allowed_objects=overrides.max_varbinds
            )
            self.reset_rendering()
            self.health.forget()

    def use_modules(self, modules: tuple[str, ...]) -> None:
        """Prepares for a poll with these modules; other modules than last time start without cached labels."""
        if modules != self.modules:
            self.modules = modules
            self.reset_rendering()
            self.health.reset()

    def reset_rendering(self) -> None:
        """Drops what belongs to a plan (labels, the numbers of label tables), and keeps the histograms."""
        self.render_state = RenderState(utilization=self.render_state.utilization)

    def forget_rows(self) -> Steps[None]:
        """Drops what was kept of the device's rows, and the histograms if there are too many."""
        dropped = self.render_state
        self.reset_rendering()
        self.label_cache = None
        if len(dropped.utilization.current_series()) > MAX_HISTOGRAMS:
            self.render_state = RenderState()
        for table in dropped.tables.values():
            table.clear()
            yield
        while dropped.cached_samples:
            dropped.cached_samples.popitem()
            yield

    def lines(self) -> tuple[str, ...]:
        """What was learned about how the agent answers, for people."""
        return (*self.limits.lines(), *self.engine.lines())

    def forget_unproven_engine(self) -> None:
        """After a failed authentication: the next poll discovers the agent's engine again, unless it is proven."""
        if not self.engine.is_proven:
            self.engine = EngineState()

    def labels(self, target: Target, *, every: int, seconds: float) -> LabelCache:
        """The label cache of the target, a new one when the target has changed; options as for ``LabelCache``."""
        if self.label_cache is None or self.label_cache_target != target:
            self.label_cache_target = target
            self.label_cache = LabelCache(every=every, seconds=seconds)
        return self.label_cache

    def next_formats(self) -> set[Format]:
        """The formats to render now: those requested since the last poll, or else the same as last time."""
        if self.requested_formats:
            self.formats, self.requested_formats = self.requested_formats, set()
        return self.formats


_StateKey = tuple[str, tuple[str, ...]]


class DeviceStates:
    """The states of all targets; at most ``max_states``, the least recently polled go first.

    The states of targets that only scrapes ask for take at most ``max_octets`` bytes together: whoever asks for ever
    new ones (other modules, other addresses) must not fill the memory.
    """

    def __init__(self, max_states: int = MAX_STATES, *, max_octets: int = MAX_OCTETS) -> None:
        self.max_states = max_states
        self._max_octets = max_octets
        self._states: OrderedDict[_StateKey, DeviceState] = OrderedDict()
        self._unmanaged: OrderedDict[_StateKey, int] = OrderedDict()
        """Bytes by state."""
        self.unmanaged_octets = 0

    def __len__(self) -> int:
        return len(self._states)

    def of(self, target: Target) -> DeviceState:
        """The state of a target; a new one for a new target."""
        return self._of(target.key, target.modules, managed=target.managed)

    def _of(self, key: str, modules: tuple[str, ...], *, managed: bool = True) -> DeviceState:
        state = self._states.get((key, modules))
        if state is None:
            state = self._states[key, modules] = DeviceState()
            if not managed:
                self._weigh((key, modules), _EMPTY_OCTETS)
            while len(self._states) > self.max_states:
                self._drop(next(iter(self._states)))
        self._states.move_to_end((key, modules))
        if managed and (key, modules) in self._unmanaged:
            self.unmanaged_octets -= self._unmanaged.pop((key, modules))
        return state

    def record_size(self, target: Target, octets: int) -> None:
        """Notes that a poll of the target took in ``octets`` bytes: its state keeps about twice as many."""
        key = target.key, target.modules
        if key in self._unmanaged:
            self._weigh(key, 2 * octets + _EMPTY_OCTETS)

    def find(self, target: Target) -> DeviceState | None:
        """The state of a target; None for one without a state."""
        return self._states.get((target.key, target.modules))

    def statuses(self, targets: Iterable[Target | None]) -> list[PollStatus]:
        """How the last poll of each target ended, in order; NEVER_POLLED for one without a state."""
        find = self._states.get
        return [
            NEVER_POLLED if target is None or (state := find((target.key, target.modules))) is None else state.status
            for target in targets
        ]

    def histograms(self) -> Iterator[tuple[str, tuple[str, ...], Utilization | None]]:
        """Key and modules of every target, and its histograms, None when it has none."""
        for (key, modules), state in list(self._states.items()):
            utilization = state.render_state.utilization
            yield key, modules, utilization or None

    def count_definitions(self) -> dict[str, int]:
        """The health definitions that suit some target, each with the number of targets."""
        return dict(Counter(name for state in self._states.values() for name in state.health.names))

    def utilization(self, key: str, modules: tuple[str, ...]) -> Utilization:
        """The histograms of a target, to be continued."""
        return self._of(key, modules).render_state.utilization

    def reset_utilization(self, key: str, modules: tuple[str, ...]) -> None:
        """Begins the histograms of a target anew."""
        if (state := self._states.get((key, modules))) is not None:
            state.render_state.utilization = Utilization()

    def reset_all_utilization(self) -> None:
        """Begins all histograms anew."""
        for key, modules in self._states:
            self.reset_utilization(key, modules)

    def reset_rendering(self) -> None:
        """Drops of every state what belongs to a plan."""
        for state in self._states.values():
            state.reset_rendering()

    def _weigh(self, key: _StateKey, octets: int) -> None:
        self.unmanaged_octets += octets - self._unmanaged.pop(key, 0)
        self._unmanaged[key] = octets
        while self.unmanaged_octets > self._max_octets and len(self._unmanaged) > 1:
            self._drop(next(iter(self._unmanaged)))

    def _drop(self, key: _StateKey) -> None:
        del self._states[key]
        self.unmanaged_octets -= self._unmanaged.pop(key, 0)
