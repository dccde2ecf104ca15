"""JSON merge patch (RFC 7396), also for a device, whose document contains its primary agent twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promsnmp.inventory.model import DEFAULT_PORT


def merge(target: object, patch: object) -> Any:
    """RFC 7396 section 2: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def merge_device(document: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """The document of a device after a patch.

    ``primaryAgent`` repeats one of ``agents``, and the entry in ``agents`` counts. So a patch of ``primaryAgent`` goes
    to the agent that it names (by id, else by endpoint), else to the current primary agent. A patch that replaces the
    agents without naming a primary one keeps the primary agent only if it is still among them.
    """
    merged: dict[str, Any] = merge(document, patch)
    agents, wish = merged.setdefault("agents", []), patch.get("primaryAgent")
    if not isinstance(agents, list):
        return merged
    if "primaryAgent" not in patch:
        _choose(merged, _same(agents, document.get("primaryAgent")))
    elif isinstance(wish, Mapping):
        chosen = _same(agents, wish)
        if chosen is None and "id" not in wish:
            chosen = _same(agents, document.get("primaryAgent"))
        if chosen is None:  # a further agent
            merged["primaryAgent"] = dict(wish)
        else:
            merged["agents"] = [merge(agent, wish) if i == chosen else agent for i, agent in enumerate(agents)]
            _choose(merged, chosen)
    return merged


def _choose(document: dict[str, Any], chosen: int | None) -> None:
    document.pop("primaryAgent", None)
    if chosen is not None:
        document["primaryAgent"] = document["agents"][chosen]


def _same(agents: list[Any], wanted: object) -> int | None:
    """The position of the agent with the id of ``wanted``, else with its address and port."""
    if not isinstance(wanted, Mapping):
        return None
    known = [agent if isinstance(agent, Mapping) else {} for agent in agents]
    for identity in (lambda agent: agent.get("id"), lambda agent: _endpoint(agent.get("endpoint"))):
        value = identity(wanted)
        if value is not None and (found := [i for i, agent in enumerate(known) if identity(agent) == value]):
            return found[0]
    return None


def _endpoint(value: object) -> object:
    """What identifies an endpoint; the port may be missing."""
    return (value.get("address"), value.get("port", DEFAULT_PORT)) if isinstance(value, Mapping) else None
