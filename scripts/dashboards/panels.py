"""Writes the JSON of Grafana's dashboards, deploy/grafana/*.json: ``make copies``.

Of the thousand lines of JSON of a dashboard, fifty matter. Those are in ``boards_*.py``; layout and colours are defined
once, here. Nothing refers to a data source or a dashboard by its uid: the data source is a variable, and the dashboards
link to each other by their tag.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "grafana"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAG = "promsnmp"
WIDTH = 24
RED, YELLOW, GREEN = "red", "yellow", "green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: ``queries`` maps a legend (in a table, the name of a column) to an expression."""

    title: str
    kind: str = "timeseries"
    queries: dict[str, str]
    unit: str = "short"
    width: int = 12
    height: int = 8
    text: str = ""
    stack: bool = False
    mirror: str = ""
    """Legend (a regular expression) of the series to draw downwards."""
    steps: tuple[tuple[str, float | None], ...] = ((GREEN, None),)
    """Colours, each with the value from which it applies."""
    maximum: float | None = None
    hide: tuple[str, ...] = ()
    """Columns of a table to hide."""
    units: dict[str, str] = field(default_factory=dict)
    """Units of a table's columns."""
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    """Texts for the values of a table's columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A selector at the top of the dashboard: the values of a label, or the given ``choices``."""

    name: str
    label: str
    query: str = ""
    choices: tuple[str, ...] = ()
    multi: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    title: str
    text: str
    file: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]
    annotations: Sequence[tuple[str, str, str]] = ()
    """Name, expression and title of each; the values of the series are its times, in milliseconds."""


# ---------------------------------------------------------------------------------------------------------- to JSON


def dashboard_json(board: Dashboard) -> Json:
    """The dashboard as Grafana 10 and newer import it."""
    return {
        "title": board.title,
        "description": board.text,
        "tags": [TAG],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "links": [_link()],
        "templating": {"list": [_source(), *map(_variable, board.variables)]},
        "annotations": {"list": [_annotation(*one) for one in board.annotations]},
        "panels": _placed(board.panels),
    }


def _annotation(name: str, expr: str, title: str) -> Json:
    return {
        "name": name, "datasource": SOURCE, "enable": True, "hide": False, "iconColor": "orange", "expr": expr,
        "step": "30s", "titleFormat": title, "useValueForTime": True,
    }  # fmt: skip


def _link() -> Json:
    return {
        "title": "PromSNMP", "type": "dashboards", "tags": [TAG], "asDropdown": True, "includeVars": True,
        "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": "",
    }  # fmt: skip


def _source() -> Json:
    return {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
        "hide": 0, "includeAll": False, "multi": False, "regex": "", "skipUrlSync": False, "options": [], "current": {},
    }  # fmt: skip


def _variable(item: Variable) -> Json:
    common: Json = {"name": item.name, "label": item.label, "hide": 0, "skipUrlSync": False, "multi": item.multi}
    if item.choices:
        chosen = {"text": item.choices[0], "value": item.choices[0], "selected": True}
        options = [{"text": text, "value": text, "selected": text == item.choices[0]} for text in item.choices]
        return {**common, "type": "custom", "query": ",".join(item.choices), "options": options, "current": chosen,
                "includeAll": False}  # fmt: skip
    return {
        **common, "type": "query", "datasource": SOURCE, "refresh": 2, "sort": 7,
        "query": {"query": item.query, "refId": f"variable-{item.name}"}, "regex": "", "options": [], "current": {},
        "includeAll": item.multi, **({"allValue": ".*"} if item.multi else {}),
    }  # fmt: skip


def _placed(panels: Sequence[Panel]) -> list[Json]:
    """Places panels from left to right, in a new row when the next one does not fit."""
    placed, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
        placed.append({"id": number, "gridPos": place, **_panel(panel)})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return placed


def _panel(panel: Panel) -> Json:
    table, heatmap = panel.kind == "table", panel.kind == "heatmap"
    instant = panel.kind in ("table", "stat", "bargauge")
    targets = [
        {
            "refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expression, "legendFormat": legend,
            "instant": instant, "range": not instant,
            "format": "table" if table else "heatmap" if heatmap else "time_series",
        }
        for number, (legend, expression) in enumerate(panel.queries.items())
    ]  # fmt: skip
    steps = [{"color": color, "value": value} for color, value in panel.steps]
    defaults: Json = {
        "unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}, "mappings": [],
        "color": {"mode": "thresholds" if panel.kind in ("stat", "bargauge") else "palette-classic"},
        "custom": _custom(panel),
    }  # fmt: skip
    if panel.maximum is not None:
        defaults |= {"min": 0, "max": panel.maximum}
    made: Json = {
        "type": panel.kind, "title": panel.title, "datasource": SOURCE, "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": _overrides(panel)}, "options": OPTIONS[panel.kind],
    }  # fmt: skip
    if panel.text:
        made["description"] = panel.text
    if table:
        made["transformations"] = _merged(panel)
    return made


def _custom(panel: Panel) -> Json:
    if panel.kind != "timeseries":
        return {}
    return {
        "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 25 if panel.stack else 8,
        "showPoints": "never", "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stack else "none", "group": "A"},
    }  # fmt: skip


def _overrides(panel: Panel) -> list[Json]:
    found = []
    if panel.mirror:
        properties: list[Json] = [{"id": "custom.transform", "value": "negative-Y"}]
        found.append({"matcher": {"id": "byRegexp", "options": panel.mirror}, "properties": properties})
    for name, unit in panel.units.items():
        found.append({"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]})
    for name, texts in panel.names.items():
        options = {value: {"text": text, "index": number} for number, (value, text) in enumerate(texts.items())}
        properties = [{"id": "mappings", "value": [{"type": "value", "options": options}]}]
        found.append({"matcher": {"id": "byName", "options": name}, "properties": properties})
    return found


def _merged(panel: Panel) -> list[Json]:
    """One row for each set of labels, one column for each query."""
    letters = {legend: chr(ord("A") + number) for number, legend in enumerate(panel.queries)}
    single = len(letters) == 1
    renamed = {("Value" if single else f"Value #{letter}"): legend for legend, letter in letters.items()}
    hidden = dict.fromkeys(("Time", "job", "__name__", *panel.hide), True)
    organized = {"excludeByName": hidden, "renameByName": renamed, "indexByName": {}}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": organized}]


_REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}
OPTIONS: dict[str, Json] = {
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["mean", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": _REDUCE, "orientation": "auto", "textMode": "auto", "colorMode": "value", "graphMode": "none",
        "justifyMode": "auto",
    },
    "bargauge": {
        "reduceOptions": _REDUCE, "orientation": "horizontal", "displayMode": "gradient", "showUnfilled": True,
        "valueMode": "color", "minVizHeight": 10, "minVizWidth": 0,
    },
    "table": {
        "showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "countRows": False},
    },
    "heatmap": {
        "calculate": False, "cellGap": 1, "yAxis": {"axisPlacement": "left", "unit": "percent", "reverse": False},
        "color": {
            "mode": "scheme", "scheme": "Spectral", "exponent": 0.5, "steps": 64, "reverse": True,
            "fill": "dark-orange",
        },
        "legend": {"show": True}, "tooltip": {"show": True, "yHistogram": False}, "rowsFrame": {"layout": "auto"},
        "exemplars": {"color": "rgba(255,0,255,0.7)"}, "filterValues": {"le": 1e-9}, "showValue": "never",
    },
}  # fmt: skip


def text_of(board: Dashboard) -> str:
    return json.dumps(dashboard_json(board), indent=2, ensure_ascii=False) + "\n"
