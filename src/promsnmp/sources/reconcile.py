"""Brings the inventory in step with what sources say: pure, from an inventory and readings to an inventory.

The rules:

- A device carries the name of its source and what the source calls it (``SourceMark``); only that source changes or
  removes it. A device without a source is the operator's: a source that has the same address gets a conflict, unless
  it may adopt such devices.
- What the source says of a device is the source's; everything else stays. What it does not say any more goes back to
  the default.
- Of two sources with one address, the first in the order of the settings has it.
- A source that could not be read changes nothing, and what it says not to be usable stays as it is.
- Too many removals at once are held back until somebody confirms them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.inventory.index import display_name
from promsnmp.inventory.model import AgentEndpoint, Device, Inventory
from promsnmp.inventory.modules import RESERVED
from promsnmp.sources.apply import applied, new_device
from promsnmp.sources.model import SourceDevice, SourceInput, SourceResult

KnownModules = Callable[[], Collection[str]]


@dataclass(slots=True)
class _Tally:
    """What becomes of one source; the fields are those of ``SourceResult``."""

    changes: dict[str, Device | None] = field(default_factory=dict)
    """Ids of the devices that it adds (None) or changes, with the device before."""
    kept: set[str] = field(default_factory=set)
    """Keys of entries that cannot be used."""
    has_nameless: bool = False
    """Whether there is an entry of which it is not known what device it is."""
    removed: int = 0
    held: tuple[str, ...] = ()
    held_why: str = ""
    conflicts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def reconcile(
    old: Inventory, sources: Sequence[SourceInput], known_modules: KnownModules | None = None
) -> tuple[Inventory, dict[str, SourceResult]]:
    """The inventory after what ``sources`` say, in their order, and what became of each source.

    The inventory is ``old`` itself when nothing changes. ``known_modules``: those that a device may name; None: any.
    """
    work = _Reconciliation(old, sources, known_modules() if known_modules is not None else None)
    wanted = work.select()
    work.match(wanted)
    for source in sources:
        work.remove(source)
    work.resolve_collisions()
    return work.inventory(), work.results()


class _Reconciliation:
    def __init__(self, old: Inventory, sources: Sequence[SourceInput], modules: Collection[str] | None) -> None:
        self._old = old
        self._sources = sources
        self._modules = modules
        self._named = {one.name: one.credentials for one in old.named_credentials}
        self._tallies = {source.rules.name: _Tally() for source in sources}
        self._devices = {device.id: device for device in old.devices}
        self._by_key = {(one.source.name, one.source.key): one for one in old.devices if one.source and one.source.key}
        self._owners = {agent.endpoint: device for device in old.devices for agent in device.agents}
        self._used: set[str] = set()

    # ------------------------------------------------------------------------------------------- what is wanted

    def select(self) -> list[tuple[SourceInput, SourceDevice]]:
        """The devices that sources want and may want: each address once."""
        selected: list[tuple[SourceInput, SourceDevice]] = []
        taken: dict[AgentEndpoint, str] = {}
        for source in self._sources:
            name, tally = source.rules.name, self._tallies[source.rules.name]
            if source.reading is None:
                for device in self._of(name):
                    for agent in device.agents:
                        taken.setdefault(agent.endpoint, name)
                continue
            for entry in source.reading.unusable:
                self._skip(tally, entry.key, entry.reason)
            keys: set[str] = set()
            for wanted in source.reading.devices:
                if problem := self._problem(name, wanted, keys):
                    self._skip(tally, wanted.key, f"{wanted}: {problem}")
                elif (other := taken.get(wanted.endpoint)) is None:
                    taken[wanted.endpoint] = name
                    selected.append((source, wanted))
                    keys.add(wanted.key)
                elif other == name:
                    self._skip(tally, wanted.key, f"{wanted}: another entry of the source has this address")
                else:
                    tally.conflicts.append(f"{wanted}: source {other} has this address, and comes first")
        return selected

    def _of(self, name: str) -> Iterable[Device]:
        return (one for one in self._old.devices if one.source is not None and one.source.name == name)

    @staticmethod
    def _skip(tally: _Tally, key: str, reason: str) -> None:
        tally.problems.append(reason)
        tally.kept.add(key)
        tally.has_nameless = tally.has_nameless or not key

    def _problem(self, source: str, wanted: SourceDevice, keys: Collection[str]) -> str:
        """Why a device cannot be used; empty when it can."""
        if wanted.key in keys:
            return f"the source has {wanted.key!r} twice"
        if wanted.credentials_name and wanted.credentials_name not in self._named:
            name = wanted.credentials_name
            return f"there are no credentials {name!r}; add them: promsnmp credentials set {name}"
        has_own = wanted.credentials is not None or bool(wanted.credentials_name)
        if not has_own and (source, wanted.key) not in self._by_key and wanted.endpoint not in self._owners:
            return "it has no credentials; give the source, or this device, the name of some"
        known = self._modules
        unknown = [one for one in wanted.modules if known is not None and one not in known and one not in RESERVED]
        return f"there is no module {unknown[0]!r}; promsnmp modules list lists all" if unknown else ""

    # ------------------------------------------------------------------------------------- which device that is

    def match(self, wanted: Sequence[tuple[SourceInput, SourceDevice]]) -> None:
        """Changes and adds devices."""
        sure = {(source.rules.name, one.key) for source, one in wanted}
        for source, one in wanted:
            name, tally = source.rules.name, self._tallies[source.rules.name]
            device = self._by_key.get((name, one.key))
            if device is None and (there := self._owners.get(one.endpoint)) is not None:
                if problem := self._refusal(source, there, sure):
                    tally.conflicts.append(f"{one}: {problem}")
                    continue
                moves = there.source is not None and (there.source.name, there.source.key) in sure
                device = None if moves else there
            self._change(name, device, one)

    def _refusal(self, source: SourceInput, device: Device, sure: Collection[tuple[str, str]]) -> str:
        """Why a source may not take a device over; empty when it may."""
        mark = device.source
        if mark is None:
            if source.rules.adopt:
                return ""
            return f"{display_name(device)} has this address and no source; hand it over or remove it"
        if mark.name != source.rules.name and (mark.name, mark.key) in sure:
            return f"{display_name(device)} of source {mark.name} has this address"
        return f"{display_name(device)} has this address" if device.id in self._used else ""

    def _change(self, name: str, device: Device | None, wanted: SourceDevice) -> None:
        credentials = self._named.get(wanted.credentials_name, wanted.credentials)
        base = device or new_device(name, wanted.key)
        if base.id in self._used or (device is None and base.id in self._devices):
            self._tallies[name].conflicts.append(f"{wanted}: {display_name(base)} is in use already")
            return
        after = applied(base, wanted, name, credentials)
        self._used.add(base.id)
        if after != device:
            self._devices[base.id] = after
            self._tallies[name].changes[base.id] = device

    # ------------------------------------------------------------------------------------------------- removals

    def remove(self, source: SourceInput) -> None:
        """Removes what the source does not have any more, unless that is too much at once."""
        if source.reading is None:
            return
        name, tally = source.rules.name, self._tallies[source.rules.name]
        own = list(self._of(name))
        missing = [one for one in own if one.id not in self._used and _key(one) not in tally.kept and _key(one)]
        tally.held_why = self._why_held(source, tally, len(missing), len(own))
        if tally.held_why:
            tally.held = tuple(one.id for one in missing)
            return
        for device in missing:
            del self._devices[device.id]
        tally.removed = len(missing)

    @staticmethod
    def _why_held(source: SourceInput, tally: _Tally, missing: int, own: int) -> str:
        if not missing or source.confirmed >= missing:
            return ""
        if source.reading is not None and not source.reading.devices:
            return "the source has no devices any more"
        if tally.has_nameless:
            return "the source has entries that cannot be read"
        return f"{missing} of {own} devices are gone at once" if source.rules.holds(missing, own) else ""

    # ----------------------------------------------------------------------------------------------- collisions

    def resolve_collisions(self) -> None:
        """Takes back changes that would give two devices one address, or one id of an agent, until no two do."""
        while True:
            owners: dict[object, Device] = {}
            changed = {device_id: tally for tally in self._tallies.values() for device_id in tally.changes}
            for device in (one for one in self._devices.values() if one.id not in changed):
                owners.update((key, device) for key in _unique_keys(device))
            wrong: list[tuple[Device, Device]] = []
            for device in (self._devices[device_id] for device_id in changed):
                if other := next((owners[key] for key in _unique_keys(device) if key in owners), None):
                    wrong.append((device, other))
                else:
                    owners.update((key, device) for key in _unique_keys(device))
            if not wrong:
                return
            for device, other in wrong:
                tally = changed[device.id]
                tally.conflicts.append(f"{display_name(device)}: {display_name(other)} has this address")
                self._take_back(device.id, tally.changes.pop(device.id))

    def _take_back(self, device_id: str, before: Device | None) -> None:
        if before is None:
            del self._devices[device_id]
        else:
            self._devices[device_id] = before

    # -------------------------------------------------------------------------------------------------- results

    def inventory(self) -> Inventory:
        if not any(tally.changes or tally.removed for tally in self._tallies.values()):
            return self._old
        return replace(self._old, devices=tuple(self._devices.values()))

    def results(self) -> dict[str, SourceResult]:
        devices = dict.fromkeys(self._tallies, 0)
        for device in self._devices.values():
            if device.source is not None and device.source.name in devices:
                devices[device.source.name] += 1
        return {name: _result(tally, devices[name]) for name, tally in self._tallies.items()}


def _key(device: Device) -> str:
    return device.source.key if device.source is not None else ""


def _unique_keys(device: Device) -> Iterable[object]:
    """What no other device may have."""
    for agent in device.agents:
        yield agent.id
        yield agent.endpoint


def _result(tally: _Tally, devices: int) -> SourceResult:
    added = sum(before is None for before in tally.changes.values())
    return SourceResult(
        added=added,
        changed=len(tally.changes) - added,
        removed=tally.removed,
        devices=devices,
        held=tally.held,
        held_why=tally.held_why,
        conflicts=tuple(tally.conflicts),
        problems=tuple(tally.problems),
    )
