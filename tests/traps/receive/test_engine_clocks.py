"""Clocks of engines that send traps: over restarts, between replicas, and before anything is known."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from promsnmp.snmp.credentials import AuthProtocol, SecurityLevel, User
from promsnmp.traps.receive.counts import Dropped
from promsnmp.traps.receive.engine_clocks import MAX_ENGINES, EngineClocks, clocks_file
from promsnmp.traps.receive.listener import Datagram
from promsnmp.traps.receive.own_engine import OwnEngine
from promsnmp.traps.receive.usm import TrapReceiverModel
from tests.support.traps.messages import v3_message
from tests.support.traps.receiving import Receiving, device, make

NO_SOCKET = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
NO_SOCKET.close()
ONE, TWO = b"\x80\x00\x1f\x88\x01", b"\x80\x00\x1f\x88\x02"
AUTH = User("auth", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA, "auth-passphrase")


async def given(made: Receiving, *messages: bytes) -> None:
    for one in messages:
        await made.receiver.process(Datagram(one, "192.0.2.1", 162, NO_SOCKET, (), ()))


def started(file: Path) -> EngineClocks:
    """As after a start of the service."""
    clocks = EngineClocks(file, trusts_first=False, clock=lambda: 100.0)
    clocks.load()
    return clocks


def stop(clocks: EngineClocks) -> None:
    clocks.take(clocks.exchange(clocks.changed()))


def with_clocks(clocks: EngineClocks) -> Receiving:
    made = make([device("router", "192.0.2.1", AUTH)])
    model = TrapReceiverModel(OwnEngine(None), clocks=clocks)
    model.accepted = made.usm.accepted
    made.receiver._usm = model
    return made


async def test_a_recorded_trap_is_refused_after_a_restart(tmp_path: Path) -> None:
    file = clocks_file(tmp_path / "inventory")
    recorded, later = v3_message(AUTH, boots=4, time=500), v3_message(AUTH, boots=4, time=5000, request_id=2)
    clocks = started(file)
    made = with_clocks(clocks)
    await given(made, recorded, later)
    assert [one.authenticated for one in made.got] == [False, True]  # nothing is known of the first
    stop(clocks)
    assert file.stat().st_mode & 0o777 == 0o600
    made = with_clocks(started(file))
    await given(made, recorded, v3_message(AUTH, boots=4, time=5001, request_id=3))
    assert [one.authenticated for one in made.got] == [True]
    assert made.dropped == {Dropped.TIME_WINDOW: 1}


def test_replicas_learn_of_each_others_clocks_and_no_older_time_is_written(tmp_path: Path) -> None:
    file = tmp_path / "clocks"
    a, b = started(file), started(file)
    assert a.check(ONE, 1, 1000) == (True, False)
    assert b.check(ONE, 1, 900) == (True, False)
    stop(a)
    stop(b)
    assert started(file).check(ONE, 1, 800) == (False, True)
    assert a.check(TWO, 1, 5) == (True, False)
    stop(a)
    stop(b)
    assert b.check(TWO, 1, 6) == (True, True)
    a.check(ONE, 2, 1)  # it booted
    stop(a)
    stop(b)  # has heard nothing since, so it writes nothing
    assert started(file).check(ONE, 1, 9999) == (False, True)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"00": 1}', '{"zz": [1, 2]}', '{"8000000001": [-1, 2]}', "[" * 9999]
)
def test_a_damaged_file_is_replaced(tmp_path: Path, content: str) -> None:
    file = tmp_path / "clocks"
    file.write_text(content)
    clocks = started(file)
    assert clocks.check(ONE, 1, 1000) == (True, False)
    stop(clocks)
    assert started(file).check(ONE, 1, 1000) == (True, True)


def test_a_file_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clocks = EngineClocks(tmp_path / "missing" / "clocks", trusts_first=False)
    for at in (1, 2):
        clocks.check(ONE, 1, at)
        stop(clocks)
    assert caplog.text.count("are not kept over restarts") == 1


def test_engines_are_bounded(tmp_path: Path) -> None:
    clocks = EngineClocks(tmp_path / "clocks")
    clocks.take({number.to_bytes(8, "big"): (1, 1) for number in range(MAX_ENGINES + 5)})
    assert len(clocks.changed()) == MAX_ENGINES
