"""From a notification to the outputs: names, rules, queues. What the receiver of traps uses of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, Metric

from promsnmp.settings.trap_outputs import TrapOutputSettings
from promsnmp.traps.model import Notification
from promsnmp.traps.names.confirmations import Confirmation
from promsnmp.traps.names.model import NamedNotification, Severity
from promsnmp.traps.names.namer import Namer
from promsnmp.traps.outputs.factory import build_outputs
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.rules.apply import Decision, RuleSet
from promsnmp.traps.rules.reader import load_rules

DeviceLabels = Callable[[str], Mapping[str, str]]
"""The labels of a device by its id, for the conditions and texts of rules."""


def no_labels(_: str) -> Mapping[str, str]:
    """Of devices whose labels are not known."""
    return {}


class PassOn:
    """Names notifications, applies the rules, and gives them to the outputs."""

    def __init__(self, namer: Namer, rules: RuleSet, outputs: Outputs, device_labels: DeviceLabels = no_labels) -> None:
        self._namer, self._rules, self.outputs, self._device_labels = namer, rules, outputs, device_labels
        self._last: tuple[Notification, Decision] | None = None
        self.dropped = 0
        """Notifications that a rule has dropped."""

    @classmethod
    def of_settings(cls, settings: TrapOutputSettings, device_labels: DeviceLabels = no_labels) -> PassOn:
        """Raises ModuleError and SettingsError when rules, outputs, or files of definitions are wrong."""
        namer = Namer.of_files(settings.trap_definition_files)
        if settings.trap_definition_files:
            namer.ready()  # a wrong file is found now; without files, ``start`` reads in a thread
        return cls(namer, RuleSet(load_rules(settings.trap_rules)), build_outputs(settings), device_labels)

    async def start(self) -> None:
        """Reads the definitions and starts the outputs. Raises ModuleError, QueueError."""
        await asyncio.to_thread(self._namer.ready)
        await self.outputs.start()

    async def stop(self) -> None:
        await self.outputs.stop()

    def decide(self, notification: Notification) -> Decision:
        """What names and rules make of a notification; remembered until the next one."""
        if self._last is None or self._last[0] is not notification:
            named = self._namer.name(notification)
            self._last = notification, self._rules.decide(named, self._device_labels(notification.device_id))
        return self._last[1]

    async def accept(self, notification: Notification) -> NamedNotification | None:
        """Returns when the notification is safe in the queues of the outputs; None where a rule drops it.

        Raises QueueError when it is not safe: an inform must then not be acknowledged.
        """
        decision = self.decide(notification)
        if decision.dropped:
            self.dropped += 1
            return None
        await self.outputs.accept(decision.named)
        return decision.named

    def name_of(self, oid: bytes) -> str:
        """The name of a notification by its OID; a prefix and numbers for unknown ones."""
        definitions = self._namer.ready()
        known = definitions.notification(oid)
        return known.name if known is not None else definitions.name(oid)

    def confirmation_of(self, oid: bytes) -> Confirmation | None:
        """What a device answers after a notification that was right; None where nothing is known to confirm it."""
        return self._namer.ready().confirmation(oid)

    def severity_of(self, notification: Notification) -> Severity:
        return self.decide(notification).named.severity

    def families(self) -> Iterator[Metric]:
        """Own metrics."""
        yield from self.outputs.families()
        text = "Notifications that a rule has dropped."
        yield CounterMetricFamily("promsnmp_trap_rule_drops", text, value=self.dropped)
