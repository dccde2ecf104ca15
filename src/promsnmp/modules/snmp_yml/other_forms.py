"""Recognises files that are often given in place of snmp.yml or generator.yml, and says what to do with them.

One message instead of an unknown key for each of their lines.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from promsnmp.support.yaml_nodes import NodeError, quoted

_SECTIONS = frozenset({"auths", "health", "modules", "version"})
_WALKS = frozenset({"walk", "get"})
_OF_MODULES = frozenset({"walk", "get", "metrics", "auth"})
_BEFORE_0_23 = ("auth", "version")
"""Keys of modules that auths have since."""
_OF_GENERATOR = frozenset({"lookups", "overrides"})
_MANIFEST = frozenset({"apiVersion", "kind"})


def other_form(root: yaml.Node) -> NodeError | None:
    """The error for a file that has another form than snmp.yml; None for any other file."""
    keys = dict(_keys(root))
    if keys.keys() >= _MANIFEST:
        return NodeError(root, "this is a Kubernetes manifest: write what it has under 'data' into a file of its own")
    if _WALKS & keys.keys() and not _SECTIONS & keys.keys():
        return NodeError(root, "this is a module without a name: put it under 'modules:' and a name")
    for name, (key, value) in keys.items():
        if name not in _SECTIONS and _OF_MODULES & dict(_keys(value)).keys():
            return NodeError(
                key,
                f"module {quoted(name)} is not under 'modules:', as in files of snmp_exporter before 0.23: put all "
                "modules there, and their 'version' and 'auth' under 'auths:' (docs/reference/modules.md, Old files)",
            )
    return _generator_file(keys["modules"][1]) if "modules" in keys else None


def other_form_of_generator(root: yaml.Node) -> NodeError | None:
    """The same for a file that has another form than generator.yml."""
    keys = dict(_keys(root))
    for name, (_, body) in _keys(keys["modules"][1]) if "modules" in keys else ():
        parts = dict(_keys(body))
        if "metrics" in parts:
            return NodeError(
                parts["metrics"][0],
                f"'metrics' of module {quoted(name)}: this is a snmp.yml, whose modules are built already",
            )
        for found in filter(parts.__contains__, _BEFORE_0_23):
            return NodeError(
                parts[found][0],
                f"{found!r} of module {quoted(name)} belongs under 'auths:' since snmp_exporter 0.23: move it there, "
                "and name the auth in each scrape (docs/reference/modules.md, Old files)",
            )
    return None


def _generator_file(modules: yaml.Node) -> NodeError | None:
    bodies = [(name, dict(_keys(body))) for name, (_, body) in _keys(modules)]
    if any("metrics" in body for _, body in bodies):
        return None
    for name, body in bodies:
        for found in sorted(_OF_GENERATOR & body.keys()):
            return NodeError(
                body[found][0],
                f"{found!r} of module {quoted(name)}: this is a generator.yml; build modules of it with promsnmp "
                "modules build --generator FILE --mibs DIR",
            )
    return None


def _keys(node: yaml.Node) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    """Key and value nodes of a mapping by name, as they stand: without merge keys; nothing for any other node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, (key, value)
