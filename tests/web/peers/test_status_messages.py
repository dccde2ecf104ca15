"""Messages about polls: complete, small, bounded; what is not one is refused."""

from __future__ import annotations

import json

import pytest

from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.polling.health.summary import HealthSummary, NamedValue
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.support.compression import compress, decompress
from promsnmp.web.peers import status_messages as messages
from promsnmp.web.peers.status_messages import MOST_NAME, MOST_PROBLEM, StatusChanges, read_question, read_statuses
from promsnmp.web.rates import PollRates

RATES = PollRates(12.5, 0.5, None, 0.25)
HEALTH = HealthSummary(1, 2, ("Fan \u202e2",), NamedValue("CPU", 71.5), NamedValue("/var", 0.93), "Example", "EX-1")
STATUSES = {
    "a": PollStatus("up", 1_800_000_000.123, "", 0.25, 1234, HEALTH, "success"),
    "b": PollStatus("down", 1_800_000_001.5, 'no "response"\n', 3.0, 0, outcome="timeout"),
    "c": NEVER_POLLED,
}


def sent(statuses: dict[str, PollStatus], changes: StatusChanges | None = None, question: bytes = b"{}") -> bytes:
    changes = changes or StatusChanges()
    changes.update((Device(device_id), status) for device_id, status in statuses.items())
    return changes.message(*read_question(question), RATES)


def read(body: bytes) -> dict[str, PollStatus]:
    return read_statuses(body, None).statuses


def test_what_is_sent_is_what_is_read() -> None:
    assert read(sent(STATUSES)) == STATUSES
    assert read_statuses(sent(STATUSES), None).rates == RATES


def test_changes_follow_what_was_read() -> None:
    changes = StatusChanges()
    first = read_statuses(sent(STATUSES, changes), None)
    later = {**STATUSES, "b": PollStatus("up", 1_800_000_031.0, "", 0.5, 3, outcome="success")}
    body = sent(later, changes, messages.write_question(first))
    assert b'"a"' not in decompress(body)
    second = read_statuses(body, first)
    assert second.statuses == later
    assert second.statuses["a"] is first.statuses["a"]
    with pytest.raises(PeerError):
        read_statuses(body, None)
    with pytest.raises(PeerError):
        read_statuses(body, second)


def test_another_process_and_a_device_that_is_gone_begin_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = StatusChanges()
    first = read_statuses(sent(STATUSES, changes), None)
    question = messages.write_question(first)
    assert read_statuses(sent(STATUSES, StatusChanges(), question), first).statuses == STATUSES
    fewer = {"a": STATUSES["a"]}
    assert read_statuses(sent(fewer, changes, question), first).statuses == fewer
    monkeypatch.setattr(messages, "MAX_CONTENT", 10)
    assert messages.write_question(first) == b"{}"


@pytest.mark.parametrize("question", [b"[]", b'{"epoch": 1}', b'{"since": -1}', b'{"since": "1"}', b"no"])
def test_what_is_no_question_is_refused(question: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_question(question)


def test_long_texts_are_cut_and_all_texts_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    long = PollStatus("down", 1.0, "x" * 10_000, health=HealthSummary(1, 0, ("y" * 10_000,), None, None, "z" * 999))
    found = read(sent({"a": long}))
    assert (len(found["a"].problem), len(found["a"].health.names[0])) == (MOST_PROBLEM, MOST_NAME)
    monkeypatch.setattr(messages, "MAX_TEXTS", 800)
    found = read(sent({f"{number}": long for number in range(20)}))
    assert {one.state for one in found.values()} == {"down"}
    assert [bool(one.problem) for one in found.values()].index(False) == 1


def test_thousands_of_devices_take_some_bytes_and_microseconds_each() -> None:
    statuses = {
        f"00000000-0000-4000-8000-{number:012}": PollStatus(
            "up", 1_800_000_000.0 + number / 7, "", 0.1 + number / 1e6, 900 + number, HEALTH, "success"
        )
        for number in range(6_667)
    }
    changes = StatusChanges()
    first = sent(statuses, changes)
    assert len(first) < 60 * len(statuses)
    known = read_statuses(first, None)
    assert len(sent(statuses, changes, messages.write_question(known))) < 200


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["[]"],
        ['{"rates": [1, 2, null]}'],
        ['{"rates": [NaN, 0, null, null]}'],
        *(
            ['{"rates": [0, 0, null, null]}', line]
            for line in (
                "{}", "nonsense", '["a"]', '["a", "burning", 1, 1, 1]', '["a", "up", 1e999, 1, 1]',
                '["a", "up", 1, 1, -1]', '["a", "up", 1, 1, 1, "strange", ""]', '["a", "up", true, 1, 1]',
                '["a", "up", 1, 1, 1, "success", "' + "x" * 301 + '"]', '["a", "up", 1, 1, 1, "success", "", 1, 0]',
                '["a", "up", 1, 1, 1, "success", "", 1, 0, ["1", "2", "3", "4", "5", "6"], null, null, "", ""]',
                '["a", "up", 1, 1, 1, "success", "", 1, 0, [], ["CPU"], null, "", ""]', "[" * 100_000,
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(lines: list[str]) -> None:
    with pytest.raises(PeerError):
        read_statuses(compress("".join(f"{line}\n" for line in lines).encode()), None)


@pytest.mark.parametrize(
    "body", [b"", b"{}", sent(STATUSES)[:-12], compress(b"x" * 100)], ids=["empty", "plain", "cut", "no message"]
)
def test_what_is_cut_or_not_compressed_is_refused(body: bytes) -> None:
    with pytest.raises(PeerError):
        read_statuses(body, None)


def test_a_message_that_expands_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_CONTENT", 1_000_000)
    head = json.dumps({"rates": [0, 0, None, None]}) + "\n"
    with pytest.raises(PeerError):
        read_statuses(compress((head + " " * 5_000_000).encode()), None)
    assert b"rates" in decompress(sent({}))
