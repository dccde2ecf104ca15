"""When the counters of a device began, as its polls show it.

A counter begins when the device starts (RFC 2578 section 7.1.6), which sysUpTime tells (RFC 3418 section 2), and that
of an interface perhaps later (ifCounterDiscontinuityTime, RFC 2863 section 3.1.5). But sysUpTime is that of the agent:
on a server it begins anew when only the agent restarts, while the kernel goes on counting. A start that is too late
would make Prometheus see a jump of everything that was counted before. So hrSystemUptime (RFC 2790 section 4.2) counts
where there is one and it is longer, and so does the earlier start where no counter is lower after a restart.

A start is kept as it is, however the clocks of device and service drift apart, until the device restarts: the same
start at each poll means the same counter. sysUpTime wraps after 497 days, which is no restart.

Who has not seen the wrap takes sysUpTime for a young one. Counters show that then: they have counted more than the
device could carry since. Such a start is not known, until the next restart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

TICKS_WRAP = 1 << 32
"""sysUpTime and hrSystemUptime, hundredths of a second (RFC 2578 section 7.1.8), wrap here."""
JUMP_SECONDS, JUMP_SHARE = 5.0, 0.1
"""How far sysUpTime may be from what is expected, and the share of the time between two polls that is added."""


@dataclass(slots=True)
class DeviceStart:
    """When the counters of one device began; from poll to poll."""

    started: float | None = None
    """Unix seconds; None when it is not known."""
    has_wrapped: bool = False
    """Whether sysUpTime has wrapped since: a time stamp may be one before the wrap, or one after it."""
    agent_started: float = 0.0
    """When sysUpTime began, in Unix seconds."""
    has_host_uptime: bool | None = None
    """Whether the device has hrSystemUptime; None when nobody has asked."""
    _zero: float | None = None
    """When sysUpTime began by the last poll: seconds, monotonic; None before the first poll."""
    _polled: float = 0.0

    def is_new(self, ticks: int, *, at: float, slack: float = 0.0) -> bool:
        """Whether a poll that read sysUpTime ``ticks`` at ``at`` (seconds, monotonic) shows another start than the last
        one. ``slack``: seconds by which ``at`` may be wrong."""
        if self._zero is None:
            return True
        jump, allowed = at - ticks / 100 - self._zero, self._allowed(at, slack)
        return abs(jump) > allowed and not self._wraps(jump, allowed)

    def _allowed(self, at: float, slack: float) -> float:
        return JUMP_SECONDS + JUMP_SHARE * (at - self._polled) + slack

    def _wraps(self, jump: float, allowed: float) -> bool:
        return abs(jump - TICKS_WRAP / 100) <= allowed

    def note(
        self,
        ticks: int,
        host_ticks: int | None,
        *,
        at: float,
        now: float,
        slack: float = 0.0,
        counts_on: bool = False,
        is_possible: Callable[[float], bool] = lambda _: True,
    ) -> None:
        """Notes a poll. ``host_ticks`` is hrSystemUptime; ``now`` is ``at`` as Unix time; ``counts_on``: no counter is
        lower than at the poll before. ``is_possible`` tells whether the counters can have counted what they show in
        some seconds; it is asked only when there is a new start."""
        if self.is_new(ticks, at=at, slack=slack):
            self.agent_started, self.has_wrapped = round(now - ticks / 100, 3), False
            if self.started is None or not counts_on:
                uptime = max(ticks, host_ticks or 0) / 100
                self.started = round(now - uptime, 3) if is_possible(uptime) else None
        elif self._zero is not None and self._wraps(at - ticks / 100 - self._zero, self._allowed(at, slack)):
            self.has_wrapped = True
        self._zero, self._polled = at - ticks / 100, at

    def began_at(self, ticks: int) -> float:
        """The Unix time of a TimeStamp (RFC 2579) that is not 0, such as ifCounterDiscontinuityTime; 0 when it is not
        known."""
        return 0.0 if self.has_wrapped else round(self.agent_started + ticks / 100, 3)

    def forget(self) -> None:
        """The next poll begins anew: another device answers."""
        self.started = self._zero = None
