"""Renders one row of a column that is not plain numbers: text, enumerations, state sets, bits and dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from promsnmp.exposition import values
from promsnmp.exposition.dates import parse_date
from promsnmp.exposition.extracts import extracted
from promsnmp.exposition.formats import text
from promsnmp.exposition.labels import ColumnRows, label_name, label_text
from promsnmp.modules.model import Metric
from promsnmp.modules.types import MetricType
from promsnmp.snmp import ber

_TEXT_TYPES = frozenset(
    {
        MetricType.OCTET_STRING,
        MetricType.DISPLAY_STRING,
        MetricType.PHYS_ADDRESS_48,
        MetricType.INET_ADDRESS,
        MetricType.INET_ADDRESS_MISSING_SIZE,
        MetricType.INET_ADDRESS_IPV4,
        MetricType.INET_ADDRESS_IPV6,
        MetricType.LLDP_PORT_ID,
    }
)


class SampleSink(Protocol):
    """Where samples go; ``families.Exposition`` is one."""

    def family(self, name: str, kind: str, help_text: str) -> list[bytes]: ...

    def drop(self, reason: str, count: int = 1) -> None: ...


def row_samples(
    metric: Metric,
    labels: Mapping[str, str],
    suffix: bytes,
    tag: int,
    content: bytes,
    column: Callable[[str], ColumnRows],
    sink: SampleSink,
    *,
    zeros: bool = False,
    encoding: str = "",
) -> None:
    """Adds the samples of one value to ``sink``, or counts there the reason for none.

    With ``zeros`` an enumeration takes a value that is not a number as 0; ``encoding`` is that of texts, as for
    ``values.octets_text``. Raises ValueError for a type without a rule.
    """
    if metric.type in (MetricType.ENUM_AS_INFO, MetricType.ENUM_AS_STATE_SET):
        number = values.whole_number(tag, content)
        if number is None and not zeros:
            sink.drop("not_a_number")
        else:
            (_enum_info if metric.type == MetricType.ENUM_AS_INFO else _state_set)(metric, labels, number or 0, sink)
    elif metric.type == MetricType.BITS:
        _bits(metric, labels, tag, content, sink)
    elif metric.type in (MetricType.DATE_AND_TIME, MetricType.NTP_TIME_STAMP):
        _date(metric, labels, tag, content, sink)
    elif metric.type == MetricType.PARSE_DATE_AND_TIME:
        text_value = values.text_of(tag, content, MetricType.DISPLAY_STRING, encoding=encoding)
        _parsed_date(metric, labels, text_value, sink)
    elif metric.type in _TEXT_TYPES:
        sink.drop("unknown_type", tag not in values.SNMP_TYPES)
        kind = values.associated_type(metric.type, metric.oid, suffix, column)
        text_value = values.text_of(tag, content, kind, metric.display_hint, encoding=encoding)
        (_extracts if metric.regex_extracts else _text)(metric, labels, text_value, sink)
    else:
        raise ValueError(f"unknown metric type {metric.type!r}: exposition/rows.py has no rule to render it")


def _add_sample(sink: SampleSink, name: str, help_text: str, labels: Mapping[str, str], value: float) -> None:
    name = text.metric_name(name)
    parts = sink.family(name, "gauge", help_text)
    parts += (text.sample_prefix(name), label_text(labels), ber.float_text(value))


def scaled(metric: Metric, number: float) -> float:
    """``number`` times the metric's scale, plus its offset."""
    return number * (metric.scale or 1.0) + metric.offset


def _text(metric: Metric, labels: Mapping[str, str], value: str, sink: SampleSink) -> None:
    name = label_name(metric.name)
    _add_sample(sink, metric.name, metric.help, {name: value, **labels}, scaled(metric, 1.0))


def _extracts(metric: Metric, labels: Mapping[str, str], value: str, sink: SampleSink) -> None:
    """The numbers in a text become the samples."""
    numbers = list(extracted(metric, value))
    if not numbers:
        sink.drop("no_extract")
    for suffix, number in numbers:
        help_text = f"{metric.help} (regex extracted)"
        _add_sample(sink, f"{metric.name}{suffix}", help_text, labels, scaled(metric, number))


def _enum_info(metric: Metric, labels: Mapping[str, str], number: int, sink: SampleSink) -> None:
    """One sample with the name of the number; none when an index of this name has it already."""
    name, help_text = label_name(metric.name), f"{metric.help} (EnumAsInfo)"
    if name not in labels:
        state = dict(metric.enum_values).get(number, str(number))
        _add_sample(sink, f"{metric.name}_info", help_text, {**labels, name: state}, 1.0)


def _state_set(metric: Metric, labels: Mapping[str, str], current: int, sink: SampleSink) -> None:
    states = dict(metric.enum_values)
    states.setdefault(current, str(current))
    for value, state in states.items():
        state_labels = {**labels, label_name(metric.name): state}
        _add_sample(sink, metric.name, f"{metric.help} (EnumAsStateSet)", state_labels, float(value == current))


def _bits(metric: Metric, labels: Mapping[str, str], tag: int, content: bytes, sink: SampleSink) -> None:
    if tag not in (ber.OCTET_STRING, ber.OPAQUE):
        sink.drop("not_octets")
        return
    for bit, state in metric.enum_values:
        state_labels = {**labels, label_name(metric.name): state}
        _add_sample(sink, metric.name, f"{metric.help} (Bits)", state_labels, float(values.bit_is_set(content, bit)))


def _date(metric: Metric, labels: Mapping[str, str], tag: int, content: bytes, sink: SampleSink) -> None:
    read = values.date_and_time if metric.type == MetricType.DATE_AND_TIME else values.ntp_time_stamp
    moment = read(content) if tag == ber.OCTET_STRING else None
    if moment is None:
        sink.drop("not_a_date")
    else:
        _add_sample(sink, metric.name, metric.help, labels, scaled(metric, moment))


def _parsed_date(metric: Metric, labels: Mapping[str, str], value: str, sink: SampleSink) -> None:
    moment = parse_date(value, metric.datetime_pattern)
    if moment is None:
        sink.drop("unparsed_date")
    else:
        _add_sample(sink, metric.name, metric.help, labels, scaled(metric, moment))
