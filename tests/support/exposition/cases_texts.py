"""Cases for the comparison with snmp_exporter: dates in text, and numbers extracted from text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.exposition.reference import Case, integer, octets

DATES: Mapping[str, Sequence[str]] = {
    "%Y-%m-%d %H:%M:%S": [
        "2024-02-29 12:34:56", "2024-02-30 00:00:00", "2023-02-31 23:59:60", "2024-13-01 00:00:00", "2024-1-2 3:4:5",
        "24-01-02 03:04:05", "2024-01-02 24:00:00", "2024-01-02 03:60:05", "2024-01-02 03:04:61",
        " 2024-01-02 03:04:05",
        "2024-01-02 03:04:05 ", "2024-01-02 03:04:05Z", "2024-01-00 00:00:00", "2024-01-32 00:00:00", "", "x",
        "0000-01-01 00:00:00", "9999-12-31 23:59:59", "20240-01-02 03:04:05", "-2024-01-02 03:04:05",
        "0001-01-01 00:00:00",
    ],
    "%y%m%d": ["690101", "680101", "991231", "000101", "70011", "7001011"],
    "%C%y": ["1970", "2099", "0001", "1", "20"],
    "%C": ["20", "19", "0", "-1", "200"],
    "%d %B %Y": ["1 January 1970", "1 JANUARY 1970", "31 may 2001", "1 Jan 1970", "1 Decembe 1970"],
    "%e-%b-%y": [" 1-Jan-70", "1-jan-70", "01-DEC-71", "  1-Jan-70", "31-Sept-70", "31-Sep-70"],
    "%A %a %d": ["Monday Mon 5", "sunday Sun 5", "Mon Monday 5", "friday FRI 31"],
    "%Y %j": ["2024 366", "2023 366", "2024 0", "2024 1", "2024 367", "2024 60"],
    "%G %j": ["2024 5"],
    "%Y %m %j": ["2024 03 005"],
    "%Y %d %j": ["2024 03 200"],
    "%G-W%V-%u": ["2024-W01-1", "2020-W53-7", "2024-W54-1", "2024-W00-1", "2024-W9-3", "2024-W09-8", "2021-W01-1"],
    "%G-W%V": ["2024-W01", "2021-W01"],
    "%Y-W%V": ["2024-W01"],
    "%Y %U %w": ["2024 00 1", "2024 01 0", "2024 53 6", "2024 10 7", "2023 01 0"],
    "%Y %W %w": ["2024 00 1", "2024 01 0", "2024 53 6", "2023 01 1", "2023 00 0"],
    "%Y %U": ["2024 05"],
    "%Y %W": ["2024 05"],
    "%G %W": ["2024 05"],
    "%g %V": ["24 05", "70 05"],
    "%I:%M %p": ["12:00 AM", "12:00 PM", "1:05 pm", "13:00 PM", "0:10 AM", "11:59 aM", "11:59 X"],
    "%l:%M %P": [" 1:05 pm", "12:05 am"],
    "%k:%M": [" 1:05", "23:05", "24:05", "  1:05"],
    "%H:%M %p": ["13:00 PM", "01:00 PM"],
    "%s": ["0", "1700000000", "-1", "99999999999", "12345678901234567890", "1e5", ""],
    "%s %H": ["1700000000 05"],
    "%Y-%m-%dT%H:%M:%S%z": [
        "2024-01-02T03:04:05+0100", "2024-01-02T03:04:05+01:00", "2024-01-02T03:04:05-0530", "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05+01", "2024-01-02T03:04:05+1", "2024-01-02T03:04:05", "2024-01-02T03:04:05+24:00",
        "2024-01-02T03:04:05+0160", "2024-01-02T03:04:05+01:00:30", "2024-01-02T03:04:05+010030",
        "2024-01-02T03:04:05z",
        "2024-01-02T03:04:05+01:", "2024-01-02T03:04:05+01:3", "2024-01-02T03:04:05 +0100",
    ],
    "%H%:z": ["03+01:00", "03+0100", "03Z", "03+01", "03-01:30:30"],
    "%H%::z": ["03+01:00:30", "03+01:00", "03+0100", "03Z"],
    "%H%:::z": ["03+01", "03+01:30", "03+01:30:30", "03+0130"],
    "%H%::::z": ["03+01"],
    "%H%:": ["03:"],
    "%H%:M": ["03:05"],
    "%H %Z": ["03 UTC", "03 GMT", "03 CET", "03 EST", "03 utc", "03 X", "03 ABCDE", "03 ABCDEF", "03 ",
               "03 CEST", "03 WITA", "03 ABCDT"],
    "%H %z %Z": ["03 +0100 CET", "03 +0100 UTC"],
    "%H %Z %z": ["03 CET +0100", "03 UTC +0100"],
    "%H.%f": ["03.5", "03.123456", "03.1234567", "03."],
    "%c": ["Tue Jan  2 03:04:05 2024", "Tue Jan 2 03:04:05 2024", "Tue Jan 02 03:04:05 24"],
    "%+": ["Tue Jan  2 03:04:05 UTC 2024"],
    "%v": [" 2-Jan-2024"],
    "%r": ["03:04:05 PM"],
    "%F %T": ["2024-01-02 03:04:05"],
    "%D %R": ["01/02/24 03:04"],
    "%x %X": ["01/02/24 03:04:05"],
    "%H%t%M": ["03 05", "03 \t\n05", "0305"],
    "%H%n%M": ["03\n05"],
    "%%%Y": ["%2024", "2024"],
    "%": ["%", ""],
    "%Q": ["1"],
    "%-d": ["1"],
    "%h": ["jan", "JAN", "January"],
    "": ["", "x"],
    "%Y": ["2024", "99"],
    "é%Y": ["é2024", "e2024"],
    "%Y %u": ["2024 3"],
    "%w": ["3"],
}  # fmt: skip
"""Texts by ``datetime_pattern``."""

EXTRACTS: Sequence[tuple[str, str, str]] = [
    ("(.*)", "$1", "23.5"),
    ("(.*)", "$1", ".5"),
    ("(.*)", "$1", "5."),
    ("(.*)", "$1", "."),
    ("(.*)", "$1", ""),
    ("(.*)", "$1", " 5"),
    ("(.*)", "$1", "5\n"),
    ("(.*)", "$1", "0x1p-2"),
    ("(.*)", "$1", "0x10"),
    ("(.*)", "$1", "0x1p1_0"),
    ("(.*)", "$1", "0x_1p2"),
    ("(.*)", "$1", "1_000"),
    ("(.*)", "$1", "1__000"),
    ("(.*)", "$1", "1_"),
    ("(.*)", "$1", "_1"),
    ("(.*)", "$1", "1_.5"),
    ("(.*)", "$1", "1._5"),
    ("(.*)", "$1", "1e1_0"),
    ("(.*)", "$1", "inf"),
    ("(.*)", "$1", "+Infinity"),
    ("(.*)", "$1", "-inf"),
    ("(.*)", "$1", "infinit"),
    ("(.*)", "$1", "1e400"),
    ("(.*)", "$1", "1e-400"),
    ("(.*)", "$1", "0x1p2000"),
    ("(.*)", "$1", "0b1"),
    ("(.*)", "$1", "+-1"),
    ("(.*)", "$1", "-0"),
    ("(.*)", "$1", "1,5"),
    ("(.*)", "$1", "\u0661"),
    ("a|b", "1", "ab"),
    ("a|b", "1", "b"),
    ("b", "1", "abc"),
    ("(.)(.)", "$2$1", "12"),
    ("(.)(.)", "$21", "12"),
    ("(.)(.)", "${2}1", "12"),
    ("(.)(.)", "$1x5", "12"),
    ("(.)(.)", "${1}e5", "12"),
    ("(?P<v>.)(.)", "$v", "12"),
    ("(?P<v>.)(.)", "${v}$2", "12"),
    ("(?P<v>.)(.)", "$v2", "12"),
    ("(.)(.)", "$0", "12"),
    ("(.)(.)", "$00", "12"),
    ("(.)(.)", "$01", "12"),
    ("(.)(.)", "$3", "12"),
    ("(.)(.)", "7$3", "12"),
    ("(.)(.)", "$$1", "12"),
    ("(.)(.)", "${1", "12"),
    ("(.)(x)?.", "4$2", "12"),
    ("(?i)UP", "1", "up"),
    ("(?s)a.b", "1", "a\nb"),
    ("a.b", "1", "a\nb"),
    ("\\d+ (\\d+)", "$1", "12 13"),
    ("\\pL+(\\d)", "$1", "é5"),
    ("[[:alpha:]]+(\\d)", "$1", "ab5"),
    ("(\\d+?)(\\d*)", "$1", "123"),
    ("^(\\d+)$", "$1", "123"),
    ("(?m)^(\\d+)$", "$1", "123\n4"),
    (".*Temp: (\\d+).*", "$1", "a Temp: 55 C"),
    ("\\Q1.5\\E", "1", "1.5"),
    ("1", "", "1"),
]
"""(regex, value, text)."""


def _scalars(metrics: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> dict[str, Any]:
    """Metrics at 1, 2, ..., each with one text as its value."""
    return {
        "metrics": [{"oid": f"{at}", **one} for at, one in enumerate(metrics, 1)],
        "objects": {f"{at}.0": octets(text) for at, text in enumerate(texts, 1)},
    }


def _dates(name: str, pattern: str, texts: Sequence[str]) -> Case:
    metric = {"type": "ParseDateAndTime", "datetime_pattern": pattern}
    return Case(name, **_scalars([metric] * len(texts), texts))


def _all_extracts() -> Case:
    metrics = [
        {"type": "DisplayString", "regex_extracts": {"V": [{"regex": regex, "value": value}]}}
        for regex, value, _ in EXTRACTS
    ]
    return Case("extracts", **_scalars(metrics, [text for _, _, text in EXTRACTS]))


def _extract(kind: str, extracts: Mapping[str, Any], value: bytes, **more: Any) -> Case:
    metric = {"oid": "1", "type": kind, "regex_extracts": extracts, "help": "Something.", **more}
    return Case(f"extract_{kind}_{len(extracts)}_{len(more)}", [metric], {"1.7": value})


FIRST_WINS = [{"regex": "(x)", "value": "$1"}, {"regex": "(.*)C"}, {"regex": ".*", "value": "9"}]

TEXTS = [
    *(_dates(f"date_{number}", pattern, texts) for number, (pattern, texts) in enumerate(DATES.items())),
    Case("date_of_a_number", [{"oid": "1", "type": "ParseDateAndTime", "datetime_pattern": "%s"}], {"1.0": integer(5)}),
    Case(
        "date_scaled",
        [{"oid": "1", "type": "ParseDateAndTime", "datetime_pattern": "%s", "scale": 2, "offset": 1}],
        {"1.0": octets("100")},
    ),
    Case("date_without_pattern", [{"oid": "1", "type": "ParseDateAndTime"}], {"1.0": octets("100")}),
    _all_extracts(),
    _extract("DisplayString", {"Temp": FIRST_WINS}, octets("25C")),
    _extract("DisplayString", {"Temp": FIRST_WINS, "": [{"regex": "(.*)C"}]}, octets("25C")),
    _extract("DisplayString", {"A": [], "B": FIRST_WINS, "C": [{"regex": "no"}]}, octets("x")),
    _extract("OctetString", {"A": [{"regex": "0x(.*)"}]}, octets(b"\x12")),
    _extract("gauge", {"A": [{"regex": ".*", "value": "1"}]}, integer(5)),
    _extract("InetAddressIPv4", {"A": [{"regex": r"(\d+)\..*"}]}, octets(b"\x0a\x01\x02\x03")),
    _extract("PhysAddress48", {"A": [{"regex": r"0(.):.*"}]}, octets(b"\x01\x01\x02\x03\x04\x05")),
    Case(
        "extract_rows",
        [
            {
                "oid": "1",
                "type": "DisplayString",
                "regex_extracts": {"A": [{"regex": r"(\d+).*"}]},
                "indexes": [{"labelname": "i", "type": "gauge"}],
            }
        ],
        {"1.1": octets("5 C"), "1.2": octets("none"), "1.3": integer(77)},
    ),
]
