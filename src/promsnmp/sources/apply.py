"""One device with what its source says of it: that is the source's, all else stays."""

from __future__ import annotations

import uuid
from dataclasses import fields, replace

from promsnmp.inventory.model import NO_OVERRIDES, Agent, Device, PollOverrides, SourceMark
from promsnmp.snmp.credentials import Community, Credentials
from promsnmp.sources.model import SourceDevice

_ID_SPACE = uuid.UUID("6f3c6a0d-8f1e-5b7c-9d55-0c3f9ad0e1b7")
_LABEL = "labels."
_DEFAULTS = Agent(id="", endpoint=None, credentials=Community())  # type: ignore[arg-type]  # only for its defaults
_OVERRIDE_NAMES = {
    "interval": "interval",
    "max_repetitions": "maxRepetitions",
    "max_varbinds": "maxVarbinds",
    "text_encoding": "textEncoding",
    "unconnected": "unconnected",
}
"""Fields of ``PollOverrides``, and their keys in a document."""
assert set(_OVERRIDE_NAMES) == {one.name for one in fields(PollOverrides)}


def device_id(source: str, key: str) -> str:
    """The same UUID whenever this device is added."""
    return str(uuid.uuid5(_ID_SPACE, f"{source}\n{key}"))


def new_device(source: str, key: str) -> Device:
    """A device without anything but its id."""
    return Device(id=device_id(source, key))


def applied(device: Device, wanted: SourceDevice, source: str, credentials: Credentials | None) -> Device:
    """``device`` as the source wants it; ``credentials``: those that it gives, None for none."""
    given = _given(wanted, has_credentials=credentials is not None)
    before = device.source.given if device.source is not None and device.source.name == source else ()
    gone = frozenset(before).difference(given)
    labels = {name: value for name, value in device.labels if f"{_LABEL}{name}" not in gone} | dict(wanted.labels)
    agent = _agent(_own_agent(device, wanted, source), wanted, credentials, gone)
    others = tuple(agent if one.id == agent.id else one for one in device.agents)
    return replace(
        device,
        sys_name=wanted.name or device.sys_name,
        labels=tuple(labels.items()),
        modules=wanted.modules or (() if "modules" in gone else device.modules),
        overrides=_overrides(device.overrides, wanted.overrides, gone),
        agents=others if agent in others else (*others, agent),
        primary=agent,
        source=SourceMark(source, wanted.key, given),
    )


def _given(wanted: SourceDevice, *, has_credentials: bool) -> tuple[str, ...]:
    overrides = [_OVERRIDE_NAMES[name] for name in _OVERRIDE_NAMES if _differs(wanted.overrides, name)]
    names = {
        "address": True,
        "sysName": bool(wanted.name),
        "credentials": has_credentials,
        "modules": bool(wanted.modules),
        "timeout": wanted.timeout is not None,
        "retries": wanted.retries is not None,
    }
    return (
        *(name for name, is_given in names.items() if is_given),
        *overrides,
        *(_LABEL + one for one, _ in wanted.labels),
    )


def _differs(overrides: PollOverrides, name: str) -> bool:
    return bool(getattr(overrides, name) != getattr(NO_OVERRIDES, name))


def _overrides(now: PollOverrides, wanted: PollOverrides, gone: frozenset[str]) -> PollOverrides:
    changes = {
        name: getattr(wanted, name)
        for name, key in _OVERRIDE_NAMES.items()
        if _differs(wanted, name) or key in gone
    }  # fmt: skip
    return replace(now, **changes)


def _own_agent(device: Device, wanted: SourceDevice, source: str) -> Agent:
    """The agent that the source means: that of the address, else the one that it added, else the primary one."""
    own_id = str(uuid.uuid5(_ID_SPACE, f"agent {device_id(source, wanted.key)}"))
    for agent in device.agents:
        if agent.endpoint == wanted.endpoint:
            return agent
    for agent in device.agents:
        if agent.id == own_id:
            return agent
    return device.primary or Agent(id=own_id, endpoint=wanted.endpoint, credentials=Community())


def _agent(agent: Agent, wanted: SourceDevice, credentials: Credentials | None, gone: frozenset[str]) -> Agent:
    has_moved = agent.endpoint != wanted.endpoint
    timeout = _DEFAULTS.timeout if "timeout" in gone else agent.timeout
    retries = _DEFAULTS.retries if "retries" in gone else agent.retries
    return replace(
        agent,
        endpoint=wanted.endpoint,
        engine_id="" if has_moved else agent.engine_id,
        credentials=credentials or agent.credentials,
        credentials_name=wanted.credentials_name if credentials is not None else agent.credentials_name,
        timeout=timeout if wanted.timeout is None else wanted.timeout,
        retries=retries if wanted.retries is None else wanted.retries,
    )
