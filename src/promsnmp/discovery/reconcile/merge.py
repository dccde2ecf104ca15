"""Merges sightings into the inventory: new devices, known devices, addresses that another device has taken over.

``identity.compare`` compares identifiers; the rules here add where a device was seen. At its known address, a device
counts as the same unless there is evidence against it; at another address, only with evidence for it. Without I/O:
inventory and facts in, inventory out, so that a change that was lost can be made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from promsnmp.discovery.reconcile.claims import (
    has_no_manual_data,
    is_named_by_hand,
    is_still_there,
    name_of,
    replaces_owner,
)
from promsnmp.discovery.reconcile.identity import (
    Facts,
    Traits,
    Verdict,
    compare,
    known_traits,
    ran_together,
    traits_beside,
    traits_of,
)
from promsnmp.inventory.document.values import new_id, overrides_document
from promsnmp.inventory.model import (
    ACTIVE,
    NO_OVERRIDES,
    Agent,
    AgentEndpoint,
    Device,
    DeviceIdentifiers,
    Inventory,
    PollOverrides,
)

Labels = tuple[tuple[str, str], ...]


class SightingKind(StrEnum):
    """The kind of a sighting."""

    ADDED = "added"
    """An unknown device."""
    SEEN = "seen"
    """A known device at a known address."""
    ANOTHER_ADDRESS = "another address"
    """A known device at a new address."""
    REPLACED = "replaced"
    """Other hardware with the name and address of a known device."""


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """The kind and the device of a sighting; ``updated``: more than the time of the sighting has changed."""

    sighting_kind: SightingKind
    device: Device
    endpoint: AgentEndpoint
    updated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeviceDefaults:
    """Labels, modules and overrides of new devices."""

    labels: Labels = ()
    modules: tuple[str, ...] = ()
    overrides: PollOverrides = NO_OVERRIDES


def merge(
    inventory: Inventory,
    sightings: Sequence[Facts],
    *,
    new_device_defaults: NewDeviceDefaults | None = None,
    aliases: Mapping[str, str] | None = None,
) -> tuple[Inventory, list[MergeOutcome]]:
    """The inventory with the sightings, and the outcome of each, in order.

    ``aliases`` maps addresses to the host names that the inventory may have for them.
    """
    table = _DeviceTable(inventory, sightings, aliases or {})
    outcomes = [table.take(facts, new_device_defaults or NewDeviceDefaults()) for facts in sightings]
    return replace(inventory, devices=tuple(table.devices.values())), outcomes


def instant(seconds: float) -> str:
    """Unix time in the inventory's format, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def last_discovery(inventory: Inventory) -> float:
    """Unix time of the last sighting of any device: when the last search was, for a new process; 0: never."""
    seen = max((device.last_seen for device in inventory.devices if device.last_seen), default=None)
    return datetime.fromisoformat(seen).timestamp() if seen else 0.0


Key = tuple[str, object]


class _DeviceTable:
    """The devices by id, and by the identifiers that occur in the sightings; other devices are not looked at."""

    def __init__(self, inventory: Inventory, sightings: Sequence[Facts], aliases: Mapping[str, str]) -> None:
        self.devices = {device.id: device for device in inventory.devices}
        self._aliases = aliases
        self._encodings = {"", *(device.overrides.text_encoding for device in inventory.devices)}
        self._wanted = {key for facts in sightings for key in self._keys_of(facts)}
        self._ids: dict[Key, dict[str, None]] = {}
        for device in inventory.devices:
            self._enter(device)

    def _enter(self, device: Device) -> None:
        for key in _keys(device):
            if key in self._wanted:
                self._ids.setdefault(key, {})[device.id] = None

    def _put(self, device: Device) -> Device:
        self.devices[device.id] = device
        self._enter(device)
        return device

    def _keys_of(self, facts: Facts) -> Iterator[Key]:
        yield from (("endpoint", endpoint) for endpoint in self._places(facts.endpoint))
        yield from self._identifiers_of(facts)

    def _identifiers_of(self, facts: Facts) -> Iterator[Key]:
        """The identifiers of an agent, with its name in all encodings that devices have."""
        for encoding in self._encodings:
            yield from _identifier_keys(traits_of(facts.in_encoding(encoding)))

    def _places(self, endpoint: AgentEndpoint) -> Iterator[AgentEndpoint]:
        yield endpoint
        if (name := self._aliases.get(endpoint.address)) is not None:
            yield AgentEndpoint(name, endpoint.port)

    def take(self, facts: Facts, new_device_defaults: NewDeviceDefaults) -> MergeOutcome:
        """Merges one sighting."""
        owner = self._owner(facts.endpoint)
        others = [one for one in self._candidates(facts) if one is not owner and _is_same(one, facts)]
        if owner is not None and is_still_there(owner, traits_beside(owner, facts), is_elsewhere=bool(others)):
            return self._update(self._joined(owner, others), facts, SightingKind.SEEN)
        if others:
            self._release(owner, facts)
            return self._update(others[0], facts, SightingKind.ANOTHER_ADDRESS)
        is_replaceable = owner is not None and not self._runs_elsewhere(owner, facts)
        if owner is not None and is_replaceable and replaces_owner(owner, traits_beside(owner, facts)):
            return self._update(owner, facts, SightingKind.REPLACED)
        self._release(owner, facts)
        return self._add(facts, new_device_defaults)

    def _owner(self, endpoint: AgentEndpoint) -> Device | None:
        """The device of the inventory with this endpoint."""
        for place in self._places(endpoint):
            for device_id in self._ids.get(("endpoint", place), ()):
                device = self.devices.get(device_id)
                if device is not None and any(agent.endpoint == place for agent in device.agents):
                    return device
        return None

    def _candidates(self, facts: Facts) -> list[Device]:
        """Devices that share an identifier with an agent."""
        found = {device_id: None for key in self._identifiers_of(facts) for device_id in self._ids.get(key, ())}
        return [self.devices[device_id] for device_id in found if device_id in self.devices]

    def _runs_elsewhere(self, owner: Device, facts: Facts) -> bool:
        """Whether ``owner`` was seen, perhaps at another of its addresses, while the agent that answers now ran: two
        devices in one entry, such as clones. An entry that an operator named is left as it is."""
        places = set(self._places(facts.endpoint))
        has_others = any(agent.endpoint not in places for agent in owner.agents)
        return has_others and not is_named_by_hand(owner) and ran_together(known_traits(owner), traits_of(facts))

    def _joined(self, owner: Device, others: Sequence[Device]) -> Device:
        """Joins several entries of one device; entries with an operator's data stay."""
        group = [owner, *others]
        keeper = max(group, key=lambda one: (_choices(one), one is owner))
        if keeper is not owner and not has_no_manual_data(owner, keeper):
            keeper = owner
        for other in group:
            if other is not keeper and has_no_manual_data(other, keeper):
                del self.devices[other.id]
                first_seen = min(filter(None, (keeper.discovered_at, other.discovered_at)), default=None)
                keeper = replace(keeper, agents=(*keeper.agents, *other.agents), discovered_at=first_seen)
        return self._put(keeper) if others else keeper

    def _release(self, owner: Device | None, facts: Facts) -> None:
        """Removes an address from the device that had it, because another device answers there.

        A device that is left without address and name is removed.
        """
        if owner is None:
            return
        places = set(self._places(facts.endpoint))
        agents = tuple(agent for agent in owner.agents if agent.endpoint not in places)
        if not agents and not owner.sys_name:
            del self.devices[owner.id]
            return
        primary = owner.primary if owner.primary in agents else next(iter(agents), None)
        missed = owner.missed_since if agents else owner.missed_since or instant(facts.seen)
        change = owner.identity_change if primary is owner.primary else None
        self._put(replace(owner, agents=agents, primary=primary, missed_since=missed, identity_change=change))

    def _update(self, device: Device, facts: Facts, sighting_kind: SightingKind) -> MergeOutcome:
        """Updates a device from a sighting, whose texts have its encoding; nothing remains of replaced hardware."""
        before, facts = device, facts.in_encoding(device.overrides.text_encoding)
        if sighting_kind is SightingKind.REPLACED:
            identifiers = replace(device.identifiers, serial_numbers=(), mac_addresses=(), local_mac_addresses=())
            device = replace(device, identifiers=identifiers, vendor="", model="", detected_modules=())
        agents, primary = self._agents(device, facts, anew=sighting_kind is SightingKind.REPLACED)
        name = name_of(device, facts)
        changed = replace(
            device,
            sys_name=name,
            sys_descr=_or(facts.sys_descr, device.sys_descr),
            sys_contact=_or(facts.sys_contact, device.sys_contact),
            sys_location=_or(facts.sys_location, device.sys_location),
            sys_object_id=_or(facts.sys_object_id, device.sys_object_id),
            agents=agents,
            primary=primary,
            vendor=facts.vendor or device.vendor,
            model=facts.model if facts.vendor else device.model,
            detected_modules=facts.modules or device.detected_modules,
            status=ACTIVE,
            missed_since=None,
            identifiers=_identifiers(device.identifiers, facts),
            identity_change=None,
        )
        updated = (
            replace(changed, identifiers=replace(changed.identifiers, booted_at=before.identifiers.booted_at)) != before
        )
        seen = self._put(replace(changed, last_seen=instant(facts.seen)))
        return MergeOutcome(sighting_kind, seen, facts.endpoint, updated or sighting_kind is not SightingKind.SEEN)

    def _agents(self, device: Device, facts: Facts, *, anew: bool) -> tuple[tuple[Agent, ...], Agent]:
        """The device's agents including the one that answered, and the primary agent."""
        places = set(self._places(facts.endpoint))
        old = next((agent for agent in device.agents if agent.endpoint in places), None)
        if old is None:
            agent = Agent(
                new_id(),
                facts.endpoint,
                facts.credentials,
                discovered_at=instant(facts.seen),
                engine_id=facts.engine_id,
            )
            return (*device.agents, agent), device.primary or agent
        engine_id = facts.engine_id or ("" if anew else old.engine_id)
        agent = replace(old, credentials=facts.credentials, engine_id=engine_id)
        agents = tuple(agent if one is old else one for one in device.agents)
        return agents, agent if device.primary in (old, None) else device.primary

    def _add(self, facts: Facts, new_device_defaults: NewDeviceDefaults) -> MergeOutcome:
        found = instant(facts.seen)
        device = Device(
            new_id(),
            discovered_at=found,
            labels=new_device_defaults.labels,
            modules=new_device_defaults.modules,
            overrides=new_device_defaults.overrides,
        )
        return self._update(device, facts, SightingKind.ADDED)


def _is_same(device: Device, facts: Facts) -> bool:
    return compare(known_traits(device), traits_beside(device, facts)) is Verdict.SAME


def _choices(device: Device) -> int:
    """How much an operator chose for a device."""
    return len(device.labels) + len(device.modules) + len(overrides_document(device.overrides))


def _keys(device: Device) -> Iterator[Key]:
    yield from (("endpoint", agent.endpoint) for agent in device.agents)
    yield from _identifier_keys(known_traits(device))


def _identifier_keys(traits: Traits) -> Iterator[Key]:
    if traits.name:
        yield "name", traits.name
    for kind, identifiers in (("engine", traits.engines), ("serial", traits.serials), ("mac", traits.macs)):
        yield from ((kind, identifier) for identifier in identifiers)


def _identifiers(identifiers: DeviceIdentifiers, facts: Facts) -> DeviceIdentifiers:
    return DeviceIdentifiers(
        sys_name=_or(facts.sys_name, identifiers.sys_name),
        serial_numbers=tuple(sorted(facts.serial_numbers)) or identifiers.serial_numbers,
        mac_addresses=tuple(sorted(facts.mac_addresses)) or identifiers.mac_addresses,
        local_mac_addresses=tuple(sorted(facts.local_mac_addresses)) or identifiers.local_mac_addresses,
        sys_object_id=_or(facts.sys_object_id, identifiers.sys_object_id),
        booted_at=instant(facts.booted) if facts.booted is not None else None,
    )


def _or(said: str | None, known: str) -> str:
    return known if said is None else said
