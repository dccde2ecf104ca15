"""The three kinds of patches of kubectl and Helm: RFC 6902, RFC 7386, and Kubernetes's strategic merge."""

from __future__ import annotations

import copy
from typing import Any

Object = dict[str, Any]
Patch = list[dict[str, Any]]

KEYS = {"containers": "name", "volumes": "name", "env": "name", "ports": "containerPort", "volumeMounts": "mountPath"}
"""Lists that are merged by the key of their elements; others are replaced (the types' patchMergeKey)."""


def merge(old: Any, sent: Any) -> Any:
    """RFC 7386: null removes, objects are merged, everything else is replaced."""
    if not isinstance(sent, dict):
        return copy.deepcopy(sent)
    new = copy.deepcopy(old) if isinstance(old, dict) else {}
    for key, value in sent.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge(new.get(key), value)
    return new


def strategic(old: Any, sent: Any) -> Any:
    """As ``merge``, with lists of KEYS merged element by element, and the directives of kubectl."""
    if not isinstance(sent, dict):
        return copy.deepcopy(sent)
    new = copy.deepcopy(old) if isinstance(old, dict) else {}
    if sent.get("$patch") == "replace":
        new = {}
    retained = sent.get("$retainKeys")
    if retained is not None:
        new = {key: value for key, value in new.items() if key in retained}
    for key, value in sent.items():
        if key.startswith("$"):
            continue
        if value is None:
            new.pop(key, None)
        elif isinstance(value, list) and key in KEYS:
            new[key] = _by_key(new.get(key) or [], value, KEYS[key])
        else:
            new[key] = strategic(new.get(key), value)
    return new


def _by_key(old: Patch, sent: Patch, key: str) -> Patch:
    new = copy.deepcopy(old)
    for element in sent:
        place = next((index for index, item in enumerate(new) if item.get(key) == element.get(key)), None)
        if element.get("$patch") == "delete":
            if place is not None:
                del new[place]
        elif place is None:
            new.append(strategic({}, element))
        else:
            new[place] = strategic(new[place], element)
    return new


def json_patch(old: Object, sent: Patch) -> Object:
    """RFC 6902: add, replace and remove."""
    new = copy.deepcopy(old)
    for step in sent:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place: Any = new
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key: Any = int(last) if isinstance(place, list) and last != "-" else last
        if step["op"] == "remove":
            del place[key]
        elif isinstance(place, list) and step["op"] == "add":
            place.append(step["value"]) if key == "-" else place.insert(key, step["value"])
        else:
            place[key] = step["value"]
    return new
