"""Reads recorded devices: ``.snmprec`` files, one object a line, ``OID|TAG|VALUE``.

The format is snmpsim's: TAG is the ASN.1 tag in decimal (2 INTEGER, 4 OCTET STRING, 5 NULL, 6 OBJECT IDENTIFIER,
64 IpAddress, 65 Counter32, 66 Gauge32, 67 TimeTicks, 68 Opaque, 69 NsapAddress, 70 Counter64, 71 UInteger32; RFC 2578
section 7.1), with an ``x`` after it when VALUE is the content octets in hex. Recordings of real devices are untidy. A
line that cannot be used is left out and reported with its number; the other lines still count.

- Lines may stand in any order. Of two lines for one object the first counts; another value on the second is reported.
- VALUE of tag 4 is the octets of the line as they stand, whatever their encoding, without the line's end (LF or CR LF).
- Empty lines and lines that start with ``#`` are skipped.
- Tags with a variation module of snmpsim (``65:numeric``) and the exceptions of a walk (128 to 130) are reported.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from promsnmp.errors import PromSnmpError
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids

MAX_UINT64 = (1 << 64) - 1
BOM = b"\xef\xbb\xbf"


class RecordingError(PromSnmpError):
    """A recording cannot be used: the file is missing, or has no valid line."""


@dataclass(frozen=True, slots=True)
class RecordingProblem:
    """A line that was left out. ``line`` counts from 1."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded device, and the lines of its file that are not part of it."""

    path: Path
    mib: Mib
    problems: tuple[RecordingProblem, ...]


def read_recording(path: Path) -> Recording:
    """The recording in the file ``path``.

    Raises RecordingError, naming file and line, when the file cannot be read or none of its lines can be used.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    objects, found = parse_recording(data)
    problems = tuple(RecordingProblem(path, line, reason) for line, reason in found)
    if not objects:
        first = str(problems[0]) if problems else f"{path}: there is no object in it"
        raise RecordingError(f"{first}; a recording has lines such as 1.3.6.1.2.1.1.5.0|4|switch-1")
    return Recording(path, Mib.of(objects), problems)


def parse_recording(data: bytes) -> tuple[dict[bytes, bytes], list[tuple[int, str]]]:
    """Objects (OID content octets -> encoded value) in the order of their lines, and ``(line, reason)`` of problems."""
    objects: dict[bytes, bytes] = {}
    problems: list[tuple[int, str]] = []
    lines_of: dict[bytes, int] = {}
    for number, line in enumerate(data.removeprefix(BOM).split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        if not line.strip() or line.startswith(b"#"):
            continue
        try:
            name, value = _parse_line(line)
        except ValueError as error:
            problems.append((number, str(error)))
            continue
        if objects.setdefault(name, value) != value:
            first = lines_of[name]
            problems.append((number, f"{oids.to_text(name)} has another value than in line {first}, which counts"))
        lines_of.setdefault(name, number)
    return objects, problems


def _parse_line(line: bytes) -> tuple[bytes, bytes]:
    """OID content octets and encoded value of a line. Raises ValueError with the reason."""
    parts = line.split(b"|", 2)
    if len(parts) < 3:
        raise ValueError(f"{_shown(line)} is not OID|TAG|VALUE")
    name = oids.encode(parts[0].strip().decode("latin-1"))
    return name, parse_value(parts[1].strip().decode("latin-1"), parts[2])


def parse_value(tag: str, text: bytes) -> bytes:
    """The encoded value of a TAG and a VALUE. Raises ValueError with the reason."""
    number = tag.removesuffix("x")
    if ":" in tag:
        raise ValueError(f"tag {_shown(tag.encode())} is a variation module of snmpsim, which is not supported")
    if not (number.isascii() and number.isdigit()) or int(number) not in _ENCODERS:
        known = ", ".join(map(str, _ENCODERS))
        raise ValueError(f"tag {_shown(tag.encode())} is not one of {known}, with x after it for hex")
    if tag.endswith("x"):
        return ber.tlv(int(number), _from_hex(text))
    return _ENCODERS[int(number)](int(number), text)


def _shown(text: bytes) -> str:
    """Foreign text for a line of a report: short, and only printable."""
    shown = text[:60].decode("utf-8", "replace")
    return repr(shown + "…" if len(text) > 60 else shown)


def _from_hex(text: bytes) -> bytes:
    body = text.strip().lower().removeprefix(b"0x")
    try:
        return bytes.fromhex(body.decode("ascii"))
    except ValueError:
        raise ValueError(f"{_shown(text)} is not hex: two of 0-9 and a-f for each octet") from None


def _signed(tag: int, text: bytes) -> bytes:
    value = _integer(text)
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"{value} does not fit in an INTEGER of 64 bits")
    return ber.encode_integer(value, tag)


def _unsigned(tag: int, text: bytes) -> bytes:
    value = _integer(text)
    if not 0 <= value <= MAX_UINT64:
        raise ValueError(f"{value} is not from 0 to {MAX_UINT64}, as an unsigned value is")
    return ber.encode_integer(value, tag)


def _integer(text: bytes) -> int:
    body = text.strip()
    digits = body.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > 20:
        raise ValueError(f"{_shown(text)} is not a whole number")
    return int(body)


def _octets(tag: int, text: bytes) -> bytes:
    return ber.tlv(tag, text)


def _null(tag: int, _: bytes) -> bytes:
    return ber.tlv(tag, b"")


def _object_identifier(tag: int, text: bytes) -> bytes:
    body = text.strip().decode("latin-1")
    return ber.tlv(tag, oids.encode(body) if body else b"\x00")


def _ip_address(tag: int, text: bytes) -> bytes:
    try:
        return ber.tlv(tag, ipaddress.IPv4Address(text.strip().decode("latin-1")).packed)
    except ValueError:
        raise ValueError(f"{_shown(text)} is not an IPv4 address") from None


_ENCODERS: dict[int, Callable[[int, bytes], bytes]] = {
    ber.INTEGER: _signed,
    ber.OCTET_STRING: _octets,
    ber.NULL: _null,
    ber.OBJECT_IDENTIFIER: _object_identifier,
    ber.IP_ADDRESS: _ip_address,
    ber.COUNTER32: _unsigned,
    ber.GAUGE32: _unsigned,
    ber.TIME_TICKS: _unsigned,
    ber.OPAQUE: _octets,
    ber.NSAP_ADDRESS: _octets,
    ber.COUNTER64: _unsigned,
    ber.UINTEGER32: _unsigned,
}


def summarise(problems: Iterable[RecordingProblem], *, most: int = 3) -> list[str]:
    """Lines that describe ``problems``: the first ``most`` of them, and how many more there are."""
    texts = [str(problem) for problem in problems]
    more = len(texts) - most
    return texts[:most] + ([f"... and {more} more such lines"] if more > 0 else [])
