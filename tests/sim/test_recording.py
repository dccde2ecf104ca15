"""Recordings: every form of line, and untidy ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.sim.recording import RecordingError, parse_recording, parse_value, read_recording, summarise
from promsnmp.snmp import oid
from tests.support.tools import require_shared

NAME = oid.encode("1.3.6.1.2.1.1.5.0")


def objects(text: bytes) -> dict[bytes, bytes]:
    found, problems = parse_recording(text)
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("tag", "text", "encoded"),
    [
        ("2", b"-129", "0202ff7f"),
        ("2", b" 7 ", "020107"),
        ("4", b"", "0400"),
        ("4", b"a|b ", "0404617c6220"),
        ("4", b"\xff\xfe", "0402fffe"),
        ("4x", b"00ff", "040200ff"),
        ("4x", b"0x00FF", "040200ff"),
        ("4x", b"", "0400"),
        ("5", b"", "0500"),
        ("5", b"ignored", "0500"),
        ("6", b"1.3.6.1.4.1.32473", "06082b0601040181fd59"),
        ("6", b".1.3.6", "06022b06"),
        ("6", b"0.0", "060100"),
        ("6", b"", "060100"),
        ("64", b"192.0.2.1", "4004c0000201"),
        ("64x", b"c0000201", "4004c0000201"),
        ("65", b"4294967295", "410500ffffffff"),
        ("66", b"0", "420100"),
        ("67", b"4711", "43021267"),
        ("68x", b"9f780442f60000", "44079f780442f60000"),
        ("69x", b"4701", "45024701"),
        ("70", b"18446744073709551615", "460900ffffffffffffffff"),
        ("71", b"5", "470105"),
        ("65x", b"0102", "41020102"),
    ],
)
def test_a_value_is_encoded_by_its_tag(tag: str, text: bytes, encoded: str) -> None:
    assert parse_value(tag, text).hex() == encoded


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nothing", "is not OID|TAG|VALUE"),
        (b"1.3.6|4", "is not OID|TAG|VALUE"),
        (b"1.3.x|4|a", "is not an OID"),
        (b"|4|a", "is not an OID"),
        (b"1.3.99999999999|4|a", "is not an OID"),
        (b"9.9.9|4|a", "is not an OID"),
        (b"1.3.6|0x4|a", "is not one of 2, 4, 5"),
        (b"1.3.6||a", "is not one of 2, 4, 5"),
        (b"1.3.6|130|", "is not one of 2, 4, 5"),
        (b"1.3.6|65:numeric|rate=5", "variation module"),
        (b"1.3.6|4x|0", "is not hex"),
        (b"1.3.6|4x|zz", "is not hex"),
        (b"1.3.6|2|", "is not a whole number"),
        (b"1.3.6|2|1.5", "is not a whole number"),
        (b"1.3.6|2|99999999999999999999", "does not fit"),
        (b"1.3.6|65|-1", "is not from 0"),
        (b"1.3.6|70|18446744073709551616", "is not from 0"),
        (b"1.3.6|64|1.2.3", "is not an IPv4 address"),
        (b"1.3.6|6|one.two", "is not an OID"),
    ],
)
def test_an_unusable_line_is_reported_and_the_rest_counts(line: bytes, reason: str) -> None:
    found, problems = parse_recording(line + b"\n1.3.6.1.2.1.1.5.0|4|switch")
    assert list(found) == [NAME]
    assert [number for number, _ in problems] == [1]
    assert reason in problems[0][1]


def test_a_reason_shows_only_the_start_of_a_long_line_and_no_control_characters() -> None:
    _, problems = parse_recording(b"\x1b[31m" + b"x" * 10_000)
    assert len(problems[0][1]) < 120
    assert problems[0][1].isprintable()


def test_blank_lines_comments_crlf_and_a_byte_order_mark_are_accepted() -> None:
    text = b"\xef\xbb\xbf# recorded yesterday\r\n\r\n   \n1.3.6.1.2.1.1.5.0|4|switch\r\n"
    assert objects(text) == {NAME: b"\x04\x06switch"}


def test_other_line_ends_than_lf_stay_in_the_value() -> None:
    assert objects(b"1.3.6.1.2.1.1.5.0|4|a\x0bb\x85c\x0cd") == {NAME: b"\x04\x07a\x0bb\x85c\x0cd"}


def test_the_first_of_two_lines_for_one_object_counts() -> None:
    found, problems = parse_recording(b"1.3.6.1.2.1.1.5.0|4|one\n.1.3.6.1.2.1.1.5.0|4|two\n")
    assert found == {NAME: b"\x04\x03one"}
    assert problems == [(2, "1.3.6.1.2.1.1.5.0 has another value than in line 1, which counts")]


def test_a_repeated_line_is_not_a_problem() -> None:
    assert len(objects(b"1.3.6.1.2.1.1.5.0|4|one\n" * 2)) == 1


def test_lines_may_be_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "mixed.snmprec"
    path.write_bytes(b"1.3.6.1.2.10|2|3\n1.3.6.1.2.9|2|2\n1.3.6.1.2.9.300|2|7\n1.3.6.1.2.9.20000|2|8\n")
    mib = read_recording(path).mib
    names = [oid.to_text(mib.oid(at)) for at in range(len(mib))]
    assert names == ["1.3.6.1.2.9", "1.3.6.1.2.9.300", "1.3.6.1.2.9.20000", "1.3.6.1.2.10"]


def test_problems_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "half.snmprec"
    path.write_bytes(b"1.3.6.1.2.1.1.5.0|4|a\n\nwrong\n")
    recording = read_recording(path)
    assert len(recording.mib) == 1
    assert str(recording.problems[0]) == f"{path}:3: 'wrong' is not OID|TAG|VALUE"


def test_a_summary_shows_the_first_problems_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "bad.snmprec"
    path.write_bytes(b"1.3.6.1|2|1\n" + b"wrong\n" * 5)
    lines = summarise(read_recording(path).problems)
    assert len(lines) == 4
    assert lines[-1] == "... and 2 more such lines"


@pytest.mark.parametrize("content", [b"", b"\n\n# nothing\n", b"wrong\n"])
def test_a_file_without_any_object_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.snmprec"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"empty\.snmprec.*a recording has lines such as"):
        read_recording(path)


def test_a_missing_file_or_a_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"gone\.snmprec: no such file"):
        read_recording(tmp_path / "gone.snmprec")
    with pytest.raises(RecordingError, match="directory"):
        read_recording(tmp_path)


def test_all_recordings_of_real_devices_load() -> None:
    paths = sorted(require_shared("recordings").glob("*.snmprec"))
    assert paths
    for path in paths:
        recording = read_recording(path)
        lines = sum(1 for line in path.read_bytes().split(b"\n") if line.strip())
        repeated = lines - len(recording.mib) - len(recording.problems)
        assert 0 <= repeated <= 10, path.name
        assert len(recording.problems) < lines * 0.05, path.name
