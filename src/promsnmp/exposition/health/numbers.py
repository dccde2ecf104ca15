"""The values of one reading of one row: families, labels that tell them apart, and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from promsnmp.modules.health.expression import Value, number_of, text_of
from promsnmp.modules.health.families import ROUNDING
from promsnmp.modules.health.model import ABSENT, STATES, Reading, StatusValues

_DIGITS = 12
"""Significant digits of a value: a scale of 0.1 must not make 23.200000000000003 of 232."""

Number = tuple[str, Mapping[str, str], float]
"""Family, labels, value."""
Numbers = list[Number]


def reading_numbers(reading: Reading, values: Mapping[str, Value]) -> Numbers:
    """Families, labels and values of a reading of one row; none where the device has no value."""
    kind = reading.kind
    if reading.status is not None:
        return _states(reading, reading.status, values)
    if "value" not in kind.families:
        return _usage(reading, values)
    number = reading.values["value"].number(values)
    if number is None or not kind.low <= number <= kind.high:
        return []
    if reading.valid is not None and not reading.valid.holds({**values, "value": number}):
        return []
    if kind.high == ROUNDING:
        number = min(number, 1.0)
    numbers: Numbers = [(kind.families["value"], {}, _rounded(number))]
    for limit_type, expression in reading.limits.items():
        limit = expression.number(values)
        if limit is not None and kind.low <= limit <= kind.high:
            numbers.append((kind.limit, {"limit_type": limit_type}, _rounded(limit)))
    return numbers


def _states(reading: Reading, status: StatusValues, values: Mapping[str, Value]) -> Numbers:
    state = _state(status, reading.values["value"].evaluate(values))
    if state is None or state == ABSENT:
        return []
    family = reading.kind.families["value"]
    return [(family, {"hw_state": one, "hw_type": reading.component}, float(one == state)) for one in STATES]


def _state(status: StatusValues, value: Value) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        value = int(value)
    if status.texts and isinstance(value, bytes | str):
        text = text_of(value).lower()
        if text in status.texts:
            return status.texts[text]
    number = number_of(value)
    return status.default if number is None else status.numbers.get(int(number), status.default)


def _usage(reading: Reading, values: Mapping[str, Value]) -> Numbers:
    used, free, limit, ratio = (
        expression.number(values) if (expression := reading.values.get(part)) else None
        for part in ("used", "free", "limit", "ratio")
    )
    if used is None and free is not None and limit is not None:
        used = limit - free
    if limit is None and free is not None and used is not None:
        limit = used + free
    if limit is not None and limit <= 0:
        if ratio is None:
            return []
        used, limit = None, None
    if used is not None and (used < 0 or (limit is not None and used > limit * ROUNDING)):
        used = None
    if ratio is None and used is not None and limit is not None:
        ratio = used / limit
    if ratio is not None and not 0 <= ratio <= ROUNDING:
        ratio = None
    if used is None and ratio is None:
        return []
    if reading.valid is not None and not reading.valid.holds({**values, "value": ratio if used is None else used}):
        return []
    kind, numbers = reading.kind, dict[str, float | None](used=used, limit=limit, ratio=ratio and min(ratio, 1.0))
    return [
        (kind.families[part], kind.labels.get(part, {}), _rounded(number))
        for part, number in numbers.items()
        if number is not None
    ]


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else number
