"""Explains one poll of one device: what was asked, what came, which metric took it, and why others have no samples.

A page shows what there is; this shows why something is missing from it. The poll is the collector's own, recorded
(``recorder.py``), and its columns go through the same renderer, one metric at a time instead of all together.
"""

from __future__ import annotations

from collections.abc import Sequence

from promsnmp.errors import SnmpError
from promsnmp.inventory.modules import AUTO
from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.polling.collector import Collector
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.detection.identity_watch import CheckIdentity
from promsnmp.polling.explain.metrics import MetricExplainer
from promsnmp.polling.explain.model import (
    Explanation,
)
from promsnmp.polling.explain.poll_values import poll_values
from promsnmp.polling.explain.recorder import PollRecording
from promsnmp.polling.explain.requests import PollRequests
from promsnmp.polling.explain.unclaimed import group_by_column, known_columns
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.target import Target


async def explain(
    target: Target,
    catalogue: Catalogue,
    *,
    deadline: float,
    recording: PollRecording,
    chosen_by: str = "asked for",
    check_identity: CheckIdentity | None = None,
    options: CollectorOptions | None = None,
    interval: int | None = None,
) -> Explanation:
    """Polls a target once and explains the poll; ``recording`` is filled meanwhile and shows the progress.

    ``deadline`` is loop time; ``chosen_by`` says who named the modules; ``check_identity`` compares a device of the
    inventory with what it knows; ``options`` have the limits of the poll; ``interval`` (milliseconds) is
    COLLECTION_INTERVAL, for a device of the inventory. Raises SnmpError when nothing could be read, ModuleError for an
    unknown module.
    """
    options = options or CollectorOptions(utilization=False)
    collector = Collector(CatalogueStore(catalogue), options, check_identity=check_identity)
    try:
        return await _explain(collector, target, catalogue, deadline, recording, chosen_by, interval)
    finally:
        collector.step_runner.close()


async def _explain(
    collector: Collector,
    target: Target,
    catalogue: Catalogue,
    deadline: float,
    recording: PollRecording,
    chosen_by: str,
    interval: int | None,
) -> Explanation:
    _, problem = await collector.collect(target, deadline=deadline, observer=recording)
    result = recording.result
    assert result is not None
    plan = result.plan
    requests = PollRequests(result, recording)
    modules = tuple(one.module.name for one in plan.modules)
    identity = await _identity(collector, target, deadline)
    explainer = MetricExplainer(result, requests.evidence, target.credentials.version)
    metrics = tuple(explainer.metrics())
    left = (one for one in recording.varbinds.values() if requests.was_asked(one.oid) and not explainer.wants(one.oid))
    return Explanation(
        target=str(target.endpoint),
        modules=modules,
        module_reasons=_module_reasons(modules, target, identity, chosen_by),
        poll_values=tuple(
            poll_values(target, list(map(catalogue.module, modules)), batch_size=plan.batch_size, interval=interval)
        ),
        identity=identity,
        differences=collector.states.of(target).identity.differences,
        problem=str(problem) if problem is not None else "",
        total=requests.total,
        agent=collector.states.of(target).lines(),
        discarded=recording.traffic.discarded,
        walks=requests.walks,
        gets=requests.gets,
        gets_cost=result.gets_cost,
        columns=tuple(explainer.columns()),
        metrics=metrics,
        dropped=collector.dropped,
        unclaimed=group_by_column(left, known_columns(catalogue)),
    )


async def _identity(collector: Collector, target: Target, deadline: float) -> DeviceIdentity | None:
    """What the device is: as detected for this poll, or detected now where the poll used the inventory's modules."""
    if AUTO not in target.modules or AUTO in collector.states.of(target).modules:
        return None
    identity = collector.states.of(target).detection.identity
    try:
        return identity or await collector.identify(target, deadline=deadline)
    except SnmpError:
        return None


def _module_reasons(
    modules: Sequence[str], target: Target, identity: DeviceIdentity | None, chosen_by: str
) -> dict[str, str]:
    """Why each of ``modules`` is asked for."""
    seen = dict(identity.match.modules) if identity is not None else {}
    found = {name: seen.get(name) or _undetected_reason(name, target) for name in modules}
    return {name: chosen_by if name in target.modules else reason for name, reason in found.items()}


def _undetected_reason(name: str, target: Target) -> str:
    if name in target.detected:
        return "detected earlier, as stored in the inventory; not detected on the device now"
    return "polled as long as the modules of the device are not detected"
