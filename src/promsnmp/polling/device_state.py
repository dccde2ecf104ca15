"""What is remembered of a device between polls: its limits, v3 engine, labels, formats, last outcome."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from promsnmp.exposition.renderer import RenderState
from promsnmp.exposition.utilization.histogram import Utilization
from promsnmp.polling.detection.identity_state import IdentityState
from promsnmp.polling.detection.schedule import DetectionSchedule
from promsnmp.polling.label_cache import LabelCache
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.v3.engine import EngineState

MAX_STATES = 10_000


@dataclass(slots=True)
class DeviceState:
    """The memory of one target."""

    limits: AgentLimits = field(default_factory=AgentLimits)
    engine: EngineState = field(default_factory=EngineState)
    render_state: RenderState = field(default_factory=RenderState)
    """Belongs to the plan of ``modules``."""
    modules: tuple[str, ...] = ()
    """The modules of the last poll."""
    detection: DetectionSchedule = field(default_factory=DetectionSchedule)
    identity: IdentityState = field(default_factory=IdentityState)
    requested_formats: set[Format] = field(default_factory=set)
    """Formats that scrapes asked for since the last poll."""
    formats: set[Format] = field(default_factory=lambda: {Format.TEXT})
    """Formats that a poll renders at once: those that scrapes asked for lately."""
    has_answered: bool = False
    """Whether the device ever returned anything."""
    outcome: str = "success"
    """How the last poll ended."""
    ended_at: float = 0.0
    """When it ended, Unix time; 0: there was none."""
    problem: str = ""
    """What was wrong with it."""
    label_cache: LabelCache | None = None
    label_cache_target: Target | None = None
    """The target that ``label_cache`` belongs to."""

    def use_modules(self, modules: tuple[str, ...]) -> None:
        """Prepares for a poll with these modules; other modules than last time start without cached labels."""
        if modules != self.modules:
            self.modules = modules
            self.reset_rendering()

    def reset_rendering(self) -> None:
        """Drops what belongs to a plan (labels, the numbers of label tables), and keeps the histograms."""
        self.render_state = RenderState(utilization=self.render_state.utilization)

    def forget_engine(self) -> None:
        """The next poll discovers engine id, boots and time of the agent again."""
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


class DeviceStates:
    """The states of all targets; at most ``max_states``, the least recently polled go first."""

    def __init__(self, max_states: int = MAX_STATES) -> None:
        self.max_states = max_states
        self._states: OrderedDict[tuple[str, tuple[str, ...]], DeviceState] = OrderedDict()

    def of(self, target: Target) -> DeviceState:
        """The state of a target; a new one for a new target."""
        return self._of(target.key, target.modules)

    def _of(self, key: str, modules: tuple[str, ...]) -> DeviceState:
        state = self._states.get((key, modules))
        if state is None:
            state = self._states[key, modules] = DeviceState()
            while len(self._states) > self.max_states:
                self._states.popitem(last=False)
        self._states.move_to_end((key, modules))
        return state

    def find(self, target: Target) -> DeviceState | None:
        """The state of a target; None for one without a state."""
        return self._states.get((target.key, target.modules))

    def histograms(self) -> Iterator[tuple[str, tuple[str, ...], Utilization | None]]:
        """Key and modules of every target, and its histograms, None when it has none."""
        for (key, modules), state in list(self._states.items()):
            utilization = state.render_state.utilization
            yield key, modules, utilization if utilization.all_series() else None

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
