"""Every exception that PromSNMP raises on purpose, in one tree.

A caller catches the branch that it can do something about; the text is meant for the person on call: it names
the device, the object and what to do. Secrets never appear in one.

    PromSnmpError
    ├── SettingsError            a setting (environment variable) is wrong
    ├── ModuleError              a module file (snmp.yml) is wrong, or names something that does not exist
    ├── SnmpError                talking to a device failed; carries target and oid
    │   ├── AddressError         the target's name does not resolve, or is no address
    │   ├── SnmpTimeout          no usable answer in time
    │   ├── SnmpRefused          nothing listens there (ICMP port unreachable)
    │   ├── AuthenticationError  wrong community, user, passphrase, HMAC, engine or time window
    │   ├── MalformedMessage     the answer is not SNMP, or breaks its rules
    │   ├── ErrorStatus          the agent answered with an error-status
    │   ├── WalkLoop             the agent's answers lead nowhere
    │   │   └── OutOfOrder       OIDs do not increase, but the walk came to its end
    │   └── StrictFailure        SCRAPE_STRICT: something is missing or stands twice, so there is no page at all
    ├── TargetError              what was asked for cannot be scraped
    │   ├── UnknownTarget        not in the inventory, and ad-hoc targets are off
    │   └── BadTarget            not an address, a name or address:port
    ├── DiscoveryBusy            too many searches wait already
    ├── ServiceError             a running service that a command asked refused, or cannot be reached
    ├── ClusterError             replicas cannot work together just now
    │   ├── CoordinatorError     Redis or the Kubernetes API does not answer, or answers with an error
    │   └── PeerError            another replica does not answer, or refuses
    └── InventoryError           the inventory cannot be read, written or accepted
        ├── InventoryKeyError    PROM_ENCRYPT_KEY is wrong, or not of a valid length
        ├── InventoryDamaged     the file is not what we wrote
        ├── InventoryInvalid     the document has problems; lists all of them
        │   └── InventoryConflict two devices would have an id or an endpoint in common
        ├── UnknownDevice        no device has this id, name or address, or several have
        ├── DeviceChanged        the device is not as whoever wants to change it believes
        └── InventoryUnavailable the file cannot be written now (full, read-only, gone)
            └── NotLeader        only the leader writes, and this replica is not (or no longer) it
"""

from __future__ import annotations

from collections.abc import Sequence


class PromSnmpError(Exception):
    """Root of the tree."""


class SettingsError(PromSnmpError):
    """A setting is wrong; the message names the variable, the value's problem and a right one."""


class ModuleError(PromSnmpError):
    """A module or its file is wrong; the message names file, line and key where they are known."""


class SnmpError(PromSnmpError):
    """Talking to ``target`` failed.

    ``target`` is ``address:port`` as asked for, ``oid`` the dotted object that was being asked (may be empty).
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
    """The target's name does not resolve, or is no address."""


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
    """The agent's answers do not move forward in the MIB, so that a walk would never end."""


class OutOfOrder(WalkLoop):
    """An agent's OIDs do not increase. Its walk came to an end all the same, and what it brought is there."""


class StrictFailure(SnmpError):
    """Something is missing, or stands on the page twice, and the operator wants whole pages or none (SCRAPE_STRICT)."""


class TargetError(PromSnmpError):
    """What was asked for cannot be scraped."""


class UnknownTarget(TargetError):
    """The target is not in the inventory, and ad-hoc targets are not allowed."""


class BadTarget(TargetError):
    """The target is not an address, a name, or one of them with a port."""


class DiscoveryBusy(PromSnmpError):
    """Too many searches wait for their turn already."""


class ServiceError(PromSnmpError):
    """A running PromSNMP did not do what a command asked of it.

    ``status`` is that of its answer (RFC 9110), None when there was none; ``problems`` lists several at once.
    """

    def __init__(self, message: str, *, status: int | None = None, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join((message, *problems)))
        self.status = status
        self.problems = list(problems)


class ClusterError(PromSnmpError):
    """Replicas cannot work together just now; each goes on with what it knows."""


class CoordinatorError(ClusterError):
    """Redis or the Kubernetes API does not answer, or answers with an error."""


class PeerError(ClusterError):
    """Another replica does not answer, or refuses what it was asked."""


class InventoryError(PromSnmpError):
    """The inventory cannot be read, written or accepted."""


class InventoryKeyError(InventoryError):
    """The encryption key is missing, of a wrong length, or not the one that the file was written with."""


class InventoryDamaged(InventoryError):
    """The inventory file is not a file that PromSNMP wrote, or part of it is missing."""


class InventoryInvalid(InventoryError):
    """A document is not a valid inventory; ``problems`` lists every one found, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


class InventoryConflict(InventoryInvalid):
    """A change would give two devices an id or an endpoint in common; each line names both."""


class UnknownDevice(InventoryError):
    """No device has this id, name or address; ``candidates`` are those among which it does not choose."""

    def __init__(self, message: str, *, candidates: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.candidates = list(candidates)


class DeviceChanged(InventoryError):
    """The device is not the one (or not in the state) that the change was meant for; nothing has changed."""


class InventoryUnavailable(InventoryError):
    """The inventory file cannot be written or read just now (full, read-only, gone); nothing was lost."""


class NotLeader(InventoryUnavailable):
    """Only the leader writes the inventory, and this replica is not the leader, or not any more; nothing changed."""
