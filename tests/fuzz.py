"""Feeds malformed datagrams to the decoder (atheris): ``make fuzz``, or ``python -m tests.fuzz -max_total_time=60``.

For any octets, only the documented errors may be raised, and both decoders (compiled and plain) must read the same.
Options are libFuzzer's; a first word ``message``, ``column``, ``usm`` or ``trap`` fuzzes that part only. A finding ends
the run with a traceback and leaves the octets in ``build/fuzz/crash-...``; ``python -m tests.fuzz message FILE``
reproduces it.
"""

from __future__ import annotations

import inspect
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from promsnmp.errors import AuthenticationError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, Community, SecurityLevel, User
from promsnmp.snmp.security import Resynchronise, Unauthentic
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel
from promsnmp.traps.receive import pdu
from promsnmp.traps.receive.listener import Datagram
from tests.support.agents import decoders
from tests.support.tools import PROJECT
from tests.support.traps import messages as traps
from tests.support.traps.receiving import device
from tests.support.traps.receiving import make as make_receiver

USER = User("fuzz", SecurityLevel.NO_AUTH_NO_PRIV)
AUTHENTIC = User("fuzz", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA, "fuzz-passphrase")
KEYS = KeyCache()
ENGINE_ID = bytes.fromhex("80001f8880a1b2c3d4e5")
TRAP_DEVICE = device("fuzz", "192.0.2.1", Community(), USER, AUTHENTIC)
NO_SOCKET = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
NO_SOCKET.close()
"""So that replies go nowhere."""


def message(octets: bytes) -> None:
    """A v1 or v2c datagram: as it is, as varbinds, and inside a valid message."""
    decoders.check_decoders_agree(octets)
    for inner in (octets, ber.tlv(ber.SEQUENCE, octets), ber.encode_pdu(ber.RESPONSE, 1, 0, 0, octets)):
        datagram = ber.tlv(ber.SEQUENCE, decoders.HEAD + inner)
        assert decoders.message_of(decoders.COMPILED, datagram) == decoders.message_of(decoders.PLAIN, datagram)


def column(octets: bytes) -> None:
    """Rows of a column: pieces of the octets as names and values."""
    rows: list[bytes] = []
    at = 0
    while at + 3 <= len(octets) and len(rows) < 50:
        name, size = octets[at] & 7, octets[at + 1] & 15
        tag, at = octets[at + 2], at + 3
        suffix, content = octets[at : at + name], octets[at + name : at + name + size]
        at += name + size
        row = ber.tlv(ber.OBJECT_IDENTIFIER, decoders.COLUMNS[tag & 1] + suffix) + ber.tlv(tag, content)
        rows.append(ber.tlv(ber.SEQUENCE, row))
    decoders.check_decoders_agree(b"".join(rows))


def usm(octets: bytes) -> None:
    """A v3 datagram, for users with and without authentication; none may be accepted."""
    for user in (USER, AUTHENTIC):
        engine = EngineState(ENGINE_ID, boots=1, time=1, synchronised=True)
        model = UsmModel(user, engine=engine, keys=KEYS)
        sent = usm_message.parse_message(model.encode(ber.encode_request(ber.GET, 1, 0, 0, decoders.TABLE)))
        _given(model, octets)
        security = b"".join(
            (
                ber.tlv(ber.OCTET_STRING, ENGINE_ID),
                ber.encode_integer(1) * 2,
                ber.tlv(ber.OCTET_STRING, b"fuzz"),
                ber.tlv(ber.OCTET_STRING, b""),
                ber.tlv(ber.OCTET_STRING, b""),
            )
        )
        flags = bytes((ber.OCTET_STRING, 1, 0))
        head = ber.encode_integer(sent.header.msg_id) + ber.encode_integer(65507) + flags + ber.encode_integer(3)
        right = ber.encode_integer(3) + ber.tlv(ber.SEQUENCE, head)
        parameters = ber.tlv(ber.OCTET_STRING, ber.tlv(ber.SEQUENCE, security))
        for scoped in (octets, ber.tlv(ber.SEQUENCE, octets)):
            _given(model, ber.tlv(ber.SEQUENCE, right + parameters + scoped))


def trap(octets: bytes) -> None:
    """A datagram to the port for traps: as it is, as a PDU, as varbinds, and as a v3 message; nothing else than a
    notification of a known device gets out, and what is dropped is counted."""
    made = make_receiver([TRAP_DEVICE])
    datagrams = [
        octets,
        *(traps.community_message(octets, version=version) for version in (0, 1)),
        *(traps.community_message(ber.encode_pdu(kind, 1, 0, 0, octets)) for kind in (pdu.TRAP, pdu.INFORM)),
        traps.community_message(traps.v1_pdu(binds=octets), version=0),
        traps.v3_message(USER, scoped=octets),
    ]
    for datagram in datagrams:
        opened = made.receiver._open(Datagram(datagram, "192.0.2.1", 162, NO_SOCKET, ("192.0.2.1", 162), ()))
        if opened is not None:
            assert ber.oid_is_valid(opened.pdu.oid)
            assert len(opened.pdu.varbinds) <= pdu.MAX_VARBINDS + 2
    assert sum(made.counts.dropped.values()) <= len(datagrams)


def _given(model: UsmModel, datagram: bytes) -> None:
    try:
        buffer, pdu = model.decode(datagram)
    except (ber.Malformed, Unauthentic, Resynchronise, AuthenticationError):
        return
    assert 0 <= pdu.start <= pdu.end <= len(buffer)
    assert decoders.scan_of(decoders.COMPILED, buffer, pdu.start, pdu.end) == decoders.scan_of(
        decoders.PLAIN, buffer, pdu.start, pdu.end
    )


ARTIFACTS = PROJECT / "build" / "fuzz"
TARGETS: dict[str, Callable[[bytes], None]] = {"message": message, "column": column, "usm": usm, "trap": trap}


def seeds() -> list[bytes]:
    """Valid messages to start from."""
    table = [decoders.COLUMNS[0] + bytes((row,)) for row in (1, 2, 3)]
    rows = b"".join(ber.encode_varbind(name, ber.encode_integer(row)) for row, name in enumerate(table))
    other = ber.encode_varbind(decoders.COLUMNS[1] + b"\x81\x01", ber.tlv(ber.OCTET_STRING, b"eth0"))
    behind = ber.encode_varbind(oid.encode("1.3.6.1.9.1"), ber.tlv(ber.COUNTER64, b"\x00" + b"\xff" * 8))
    end = ber.encode_varbind(table[-1], bytes((ber.END_OF_MIB_VIEW, 0)))
    opaque = ber.encode_varbind(decoders.COLUMNS[2] + b"\x01", bytes.fromhex("44079f780442f60000"))
    bodies = [rows, rows + other + opaque + behind, rows + end, b""]
    whole = [ber.tlv(ber.SEQUENCE, decoders.HEAD + ber.encode_pdu(ber.RESPONSE, 1, 0, 0, body)) for body in bodies]
    model = UsmModel(USER, engine=EngineState(ENGINE_ID), keys=KEYS)
    return [
        traps.trap(),
        traps.notification_binds(),
        traps.v1_pdu(),
        *whole,
        *bodies,
        model.encode(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, rows)),
        model.discovery(),
    ]


def fuzz(name: str, options: list[str]) -> None:
    """Runs one target until libFuzzer ends the process."""
    import atheris

    for module in (decoders.PLAIN, oid, usm_message):
        for thing in list(vars(module).values()):
            if getattr(thing, "__module__", "") == module.__name__:
                _instrument(atheris, module, thing)
    _instrument(atheris, None, UsmModel)
    if any(Path(one).is_file() for one in options):
        atheris.Setup([sys.argv[0], *options], TARGETS[name])
        atheris.Fuzz()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    options = [f"-artifact_prefix={ARTIFACTS}/", *options]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()):
            Path(corpus, f"seed{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, corpus], TARGETS[name])
        atheris.Fuzz()


def _instrument(atheris: Any, holder: object, thing: Any) -> None:
    """Instruments a function, or the methods of a class, so that atheris finds its way into every branch."""
    if isinstance(thing, type):
        for method in list(vars(thing).values()):
            if inspect.isfunction(method):
                _instrument(atheris, thing, method)
    elif inspect.isfunction(thing) and not thing.__name__.startswith("__"):
        setattr(holder, thing.__name__, atheris.instrument_func(thing))


def main(arguments: list[str]) -> int:
    """Runs one target in this process, or all of them in turn, which share the time."""
    if arguments and arguments[0] in TARGETS:
        fuzz(arguments[0], arguments[1:])
        return 0
    total = next((int(one.split("=")[1]) for one in arguments if one.startswith("-max_total_time=")), 60)
    others = [one for one in arguments if not one.startswith("-max_total_time=")]
    for name in TARGETS:
        print(f"--- {name}: {TARGETS[name].__doc__}", flush=True)
        share = f"-max_total_time={max(total // len(TARGETS), 1)}"
        command = [sys.executable, "-m", "tests.fuzz", name, share, *others]
        if code := subprocess.run(command, env={**os.environ}, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
