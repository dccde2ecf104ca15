"""Formats the JSON document of a device for a terminal: a table row, lines, or its name."""

from __future__ import annotations

from typing import Any

from promsnmp.cli.output.text import printable
from promsnmp.inventory.document.parsing import VERSION_NAMES, duration_text

HEADINGS = (
    "sysName",
    "address",
    "version",
    "modules",
    "interval",
    "location",
    "labels",
    "status",
    "polling",
    "problem",
)

LONGEST_PROBLEM = 80
"""Characters of a problem in a row; ``devices show`` has it whole."""

Document = dict[str, Any]


def label_of(document: Document) -> str:
    name = document.get("sysName") or _address(document.get("primaryAgent") or {})
    return printable(f"{name} ({document.get('id')})")


def _address(agent: Document) -> str:
    endpoint = agent.get("endpoint")
    if not endpoint:
        return ""
    address = endpoint["address"]
    return f"[{address}]:{endpoint['port']}" if ":" in address else f"{address}:{endpoint['port']}"


def row_of(document: Document) -> tuple[str, ...]:
    primary = document.get("primaryAgent") or {}
    return (
        document.get("sysName", ""),
        _address(primary),
        VERSION_NAMES.get(primary.get("version", -1), ""),
        ",".join(document.get("modules") or document.get("detectedModules") or ()),
        _interval(document),
        document.get("sysLocation", ""),
        ",".join(f"{name}={value}" for name, value in (document.get("labels") or {}).items()),
        "identity changed" if document.get("identityChange") else document.get("status", "active"),
        (document.get("polling") or {}).get("state", ""),
        printable((document.get("polling") or {}).get("problem", ""), longest=LONGEST_PROBLEM),
    )


def _interval(document: Document) -> str:
    """The interval of the device; empty where that of the settings counts."""
    value = document.get("interval")
    return duration_text(value) if isinstance(value, int) else str(value or "")


def lines_of(document: Document) -> list[tuple[str, str]]:
    """Keys and values to print; empty ones are left out."""
    lines = []
    for key, value in document.items():
        if key == "agents":
            lines += [(f"agent {number}", _agent(agent, document)) for number, agent in enumerate(value, 1)]
        elif key == "interval":
            lines.append((key, _interval(document)))
        elif isinstance(value, bool):
            lines.append((key, str(value).lower()))
        elif key == "polling":
            lines.append((key, ", ".join(f"{name} {text}" for name, text in value.items())))
        elif isinstance(value, dict) and key != "primaryAgent":
            lines += [(key, f"{name}={_listed(one)}") for name, one in value.items()]
        elif isinstance(value, list):
            lines.append((key, _listed(value)))
        elif key != "primaryAgent" and value not in ("", None):
            lines.append((key, str(value)))
    return lines


def _listed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _agent(agent: Document, document: Document) -> str:
    identity = agent.get("securityName") or agent.get("readCommunity", "")
    text = f"{_address(agent)}, {VERSION_NAMES.get(agent['version'], '')}, {identity}"
    text += f", {agent['timeout']} ms, {agent['retries']} retries"
    primary = document.get("primaryAgent") or {}
    return f"{text}, primary" if primary.get("id") == agent.get("id") else text
