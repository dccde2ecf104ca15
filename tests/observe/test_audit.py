from __future__ import annotations

import io
import json

from promsnmp.observe.audit import audit
from promsnmp.observe.logging import configure_logging


def lines(style: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level=level, style=style, stream=stream)
    return stream


def test_a_line_says_who_did_what_and_omits_empty_facts() -> None:
    stream = lines("text")
    audit("device added", who="alice", device="core 1", id="7", address="192.0.2.1:161", fields="", revision=3)
    assert stream.getvalue().endswith(
        ' INFO promsnmp.audit: what="device added" device="core 1" id=7 address=192.0.2.1:161 revision=3 who=alice\n'
    )


def test_a_quiet_log_still_has_the_audit_lines() -> None:
    stream = lines("text", level="error")
    audit("device removed", who="bob")
    assert "device removed" in stream.getvalue()


def test_json_has_every_fact_under_its_own_key() -> None:
    stream = lines("json")
    audit("device changed", who="bob", device="a=b", revision=4)
    line = json.loads(stream.getvalue())
    assert (line["logger"], line["who"], line["what"], line["device"], line["revision"]) == (
        "promsnmp.audit", "bob", "device changed", "a=b", 4,
    )  # fmt: skip


def test_a_device_name_cannot_forge_a_line_or_a_fact() -> None:
    stream = lines("text")
    audit("device added", who="bob", device='x" who=alice\nwhat=nothing')
    (line,) = stream.getvalue().splitlines()
    assert r'device="x\" who=alice\nwhat=nothing" who=bob' in line
