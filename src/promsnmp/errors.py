"""Every exception that PromSNMP raises on purpose, in one tree.

A caller catches the branch that it can handle. The text is for the person on call: it names the device, the object and
what to do. It never contains a secret.

    PromSnmpError
    ├── SettingsError            a setting (environment variable) is wrong
    ├── ModuleError              a module file (snmp.yml) is wrong, or names something that does not exist
    ├── SnmpError                talking to a device failed; carries target and oid
    │   ├── AddressError         the target's name does not resolve, or is not an address
    │   ├── SnmpTimeout          no usable answer in time
    │   ├── SnmpRefused          nothing listens there (ICMP port unreachable)
    │   ├── AuthenticationError  wrong community, user, passphrase, HMAC, engine or time window
    │   ├── MalformedMessage     the answer is not SNMP, or breaks its rules
    │   ├── ErrorStatus          the agent answered with an error-status
    │   ├── WalkLoop             the agent's answers lead nowhere
    │   │   └── OutOfOrder       OIDs do not increase, but the walk came to its end
    │   ├── TooMuchData          the device returns more than a poll may take; the rest is not on the page
    │   ├── MemoryShort          the service has too little memory left for this poll
    │   └── StrictFailure        SCRAPE_STRICT: something is missing or duplicated, so there is no page
    ├── TargetError              the target cannot be scraped
    │   ├── UnknownTarget        not in the inventory, and ad-hoc targets are off
    │   └── BadTarget            not an address, a name or address:port
    ├── SourceError              a source of devices cannot be read
    ├── DiscoveryBusy            too many searches are waiting
    ├── ServiceError             a running PromSNMP refused a command's request, or cannot be reached
    ├── ClusterError             replicas cannot work together at the moment
    │   ├── CoordinatorError     Redis or the Kubernetes API does not answer, or answers with an error
    │   └── PeerError            another replica does not answer, or refuses
    ├── OutcomeUnknown           a change may have been made: look it up before you repeat it
    └── InventoryError           the inventory cannot be read, written or accepted; nothing was changed
        ├── InventoryKeyError    PROM_ENCRYPT_KEY is wrong, or its length is invalid
        ├── InventoryDamaged     PromSNMP did not write the file, or part of it is missing
        ├── InventoryInvalid     the document has problems; lists all of them
        │   └── InventoryConflict two devices would share an id or an endpoint
        ├── UnknownDevice        no device has this id, name or address, or several do
        ├── DeviceChanged        the device has changed since the caller read it
        └── InventoryUnavailable the file cannot be written now (full, read-only, gone)
            └── NotLeader        only the leader writes, and this replica is not (or no longer) the leader
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self

NEAR = 0.8
"""Similarity (difflib's ratio, 0 to 1) from which a name counts as near another."""
MAX_PROBLEMS = 100
MAX_PROBLEM_LENGTH = 500
"""Problems of a document that an error lists, and characters of each."""


class PromSnmpError(Exception):
    """Root of the tree."""


class SettingsError(PromSnmpError):
    """A setting is wrong; the message names the variable, what is wrong with its value, and a valid one."""


class ModuleError(PromSnmpError):
    """A module or its file is wrong; the message names file, line and key where they are known."""


class SnmpError(PromSnmpError):
    """Talking to ``target`` failed.

    ``target`` is ``address:port`` as given, ``oid`` the dotted OID of the request that failed (may be empty).
    """

    def __init__(self, message: str, *, target: str = "", oid: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.target = target
        self.oid = oid

    def __str__(self) -> str:
        where = f"{self.target}: " if self.target else ""
        what = f" (at OID {self.oid})" if self.oid else ""
        return f"{where}{self.message}{what}"


class AddressError(SnmpError):
    """The target's name does not resolve, or is not an address."""


class SnmpTimeout(SnmpError):
    """No usable answer came before the last retry ran out."""


class SnmpRefused(SnmpError):
    """The host answered that nothing listens on the port (ICMP port unreachable)."""


class AuthenticationError(SnmpError):
    """The agent refused the credentials, or its answer failed authentication (RFC 3414 section 3.2)."""


class MalformedMessage(SnmpError):
    """A datagram is not a well-formed SNMP message (RFC 3416, X.690)."""


class ErrorStatus(SnmpError):
    """The agent answered with an error-status other than noError (RFC 3416 section 3)."""

    def __init__(self, message: str, *, status: int, index: int = 0, target: str = "", oid: str = "") -> None:
        super().__init__(message, target=target, oid=oid)
        self.status = status
        self.index = index


class WalkLoop(SnmpError):
    """The agent's answers do not advance in the MIB, so the walk would never end."""


class OutOfOrder(WalkLoop):
    """An agent's OIDs do not increase. The walk ended all the same, and its values are kept."""


class TooMuchData(SnmpError):
    """The device returns more than a setting allows for one poll; what came until then is kept."""


class MemoryShort(SnmpError):
    """The service is close to its memory limit (MEMORY_LIMIT), so it does not poll the device, or not completely."""


class StrictFailure(SnmpError):
    """Something is missing or duplicated, and the operator wants complete pages or none (SCRAPE_STRICT)."""


class TargetError(PromSnmpError):
    """The target cannot be scraped."""


class UnknownTarget(TargetError):
    """The target is not in the inventory, and ad-hoc targets are not allowed."""


class BadTarget(TargetError):
    """The target is not an address, a name, or one of them with a port."""


class SourceError(PromSnmpError):
    """A source of devices cannot be read; nothing that it gave before is removed."""


class DiscoveryBusy(PromSnmpError):
    """Too many searches are waiting."""


class ServiceError(PromSnmpError):
    """A running PromSNMP refused a command's request, or cannot be reached.

    ``status`` is the status of its response (RFC 9110), None without a response; ``problems`` lists the details.
    """

    def __init__(self, message: str, *, status: int | None = None, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join((message, *problems)))
        self.status = status
        self.problems = list(problems)


class ClusterError(PromSnmpError):
    """Replicas cannot work together at the moment; each continues with what it knows."""


class CoordinatorError(ClusterError):
    """Redis or the Kubernetes API does not answer, or answers with an error."""


class PeerError(ClusterError):
    """Another replica does not answer, or refuses the request."""


class OutcomeUnknown(PromSnmpError):
    """Whether a change was made is not known, or it was made and may not survive a power failure.

    It is no InventoryError on purpose: what handles a refused change must not take this for one.
    """


class InventoryError(PromSnmpError):
    """The inventory cannot be read, written or accepted; nothing was changed."""


class InventoryKeyError(InventoryError):
    """The encryption key is missing, has a wrong length, or is not the key of the file."""


class InventoryDamaged(InventoryError):
    """PromSNMP did not write the inventory file, or part of it is missing."""


class InventoryInvalid(InventoryError):
    """A document is not a valid inventory; ``problems`` lists the problems with their places.

    A hostile or wrong document may have millions: MAX_PROBLEMS are kept, each cut at MAX_PROBLEM_LENGTH characters, and
    ``rest`` says what is not listed: so many ``more``, and the part of the document that was ``unchecked``.
    """

    def __init__(self, problems: Sequence[str], *, more: int = 0, unchecked: str = "") -> None:
        self.problems = [shortened(problem, MAX_PROBLEM_LENGTH) for problem in problems[:MAX_PROBLEMS]]
        self.more = more + max(len(problems) - MAX_PROBLEMS, 0)
        self.unchecked = unchecked
        super().__init__("; ".join(self.lines))

    @property
    def rest(self) -> str:
        """What is not listed; empty when everything is."""
        return "; ".join(filter(None, [f"and {self.more} more" if self.more else "", self.unchecked]))

    @property
    def lines(self) -> list[str]:
        """The problems, and a line for those that are not listed."""
        return [*self.problems, self.rest] if self.rest else list(self.problems)

    def inside(self, place: str) -> Self:
        """The same error with ``place`` in front of each problem."""
        problems = [f"{place}: {problem}" for problem in self.problems]
        return type(self)(problems, more=self.more, unchecked=self.unchecked)


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters of a text, with dots where it was cut."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


class InventoryConflict(InventoryInvalid):
    """After the change two devices would share an id or an endpoint; each line names both."""


class UnknownDevice(InventoryError):
    """No device has this id, name or address, or several do: the ``candidates``."""

    def __init__(self, message: str, *, candidates: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.candidates = list(candidates)


class DeviceChanged(InventoryError):
    """The device was replaced or changed since the caller read it; nothing was written."""


class InventoryUnavailable(InventoryError):
    """The inventory file cannot be read or written at the moment (full, read-only, gone); nothing was lost."""


class NotLeader(InventoryUnavailable):
    """Only the leader writes the inventory, and this replica is not (or no longer) the leader; nothing was written."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = NEAR) -> str:
    """The most similar of ``known``; empty when none is near."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = NEAR) -> str:
    """``; did you mean 'NAME'?`` to add to an error; empty when nothing is near."""
    found = nearest(name, known, cutoff=cutoff)
    return f"; did you mean {found!r}?" if found else ""
