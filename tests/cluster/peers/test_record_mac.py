"""Records count only with a MAC of this cluster; others may say whose they are, and that is not believed."""

from __future__ import annotations

import pytest

from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.record_mac import RecordSigner, UnknownMac

MINE, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
OURS = RecordSigner(ClusterKey("a key of the tests of records, 32+"), "a test", installation=MINE)
THEIRS = RecordSigner(ClusterKey("another key of the tests, 32+ ..."), "a test", installation=OTHER)


def problem_of(record: dict[str, object]) -> str:
    with pytest.raises(UnknownMac) as raised:
        OURS.verify(record)
    return str(raised.value)


def test_a_signed_record_is_read_as_it_was() -> None:
    record: dict[str, object] = {"name": "pod-0", "installation": MINE}
    assert OURS.verify(OURS.sign(record)) == record


def test_a_record_for_another_purpose_or_with_another_value_is_refused() -> None:
    elsewhere = RecordSigner(ClusterKey("a key of the tests of records, 32+"), "another test")
    assert "another CLUSTER_KEY" in problem_of(elsewhere.sign({"name": "pod-0"}))
    assert "another CLUSTER_KEY" in problem_of({**OURS.sign({"name": "pod-0"}), "name": "pod-1"})
    assert "no signature" in problem_of({"name": "pod-0", "installation": OTHER})


def test_the_reason_names_the_other_installation_and_what_to_do() -> None:
    problem = problem_of(THEIRS.sign({"installation": OTHER}))
    assert f"another installation, {OTHER}: give each its own REDIS_KEY_PREFIX" in problem


@pytest.mark.parametrize(
    "value",
    [MINE, "", None, 7, ["x"], "x" * 65, "a b", "line\nline", "\x1b[31m", "id\n", "\u0661", "<script>"],
    ids=lambda value: repr(value)[:12],
)
def test_the_reason_repeats_nothing_that_is_no_id_of_another_installation(value: object) -> None:
    assert problem_of(THEIRS.sign({"installation": value})).endswith("or somebody wrote it")
