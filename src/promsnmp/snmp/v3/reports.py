"""Explains SNMPv3 Reports and timeouts (RFC 3414 sections 3.2 and 5, RFC 3412 section 5, RFC 3413 section 4).

A Report carries the counter that increased. Some Reports contain what was missing (engine id, time). The others are
final, and the texts here say what to check. They name users and protocols, never a passphrase.
"""

from __future__ import annotations

from enum import Enum

from promsnmp.snmp import oid
from promsnmp.snmp.credentials import LEVEL_NAMES, SecurityLevel, User


class Report(Enum):
    """Reports that a manager handles, by the OID of their counter."""

    UNSUPPORTED_LEVEL = "1.3.6.1.6.3.15.1.1.1"
    NOT_IN_TIME_WINDOW = "1.3.6.1.6.3.15.1.1.2"
    UNKNOWN_USER = "1.3.6.1.6.3.15.1.1.3"
    UNKNOWN_ENGINE = "1.3.6.1.6.3.15.1.1.4"
    WRONG_DIGEST = "1.3.6.1.6.3.15.1.1.5"
    DECRYPTION_ERROR = "1.3.6.1.6.3.15.1.1.6"
    UNKNOWN_SECURITY_MODEL = "1.3.6.1.6.3.11.2.1.1"
    INVALID_MESSAGE = "1.3.6.1.6.3.11.2.1.2"
    UNKNOWN_PDU_HANDLER = "1.3.6.1.6.3.11.2.1.3"
    UNAVAILABLE_CONTEXT = "1.3.6.1.6.3.12.1.4"
    UNKNOWN_CONTEXT = "1.3.6.1.6.3.12.1.5"

    @property
    def counter(self) -> bytes:
        """The counter instance in such a report, as content octets."""
        return oid.encode(f"{self.value}.0")


_BY_COUNTER = {oid.encode(report.value): report for report in Report}
_COUNTER_SIZE = 9

UNPROTECTED = frozenset(
    {
        Report.UNSUPPORTED_LEVEL,
        Report.UNKNOWN_USER,
        Report.UNKNOWN_ENGINE,
        Report.WRONG_DIGEST,
        Report.DECRYPTION_ERROR,
    }
)
"""Reports that an agent may send below the level of the request: it has no other way (RFC 3414 section 3.2).
notInTimeWindow is not one of them, and neither is a report that is not about security."""


def report_of(counter: bytes) -> Report | None:
    """The report with this ``counter``, with or without its instance; None for an unknown one."""
    for size in range(min(len(counter), _COUNTER_SIZE + 1), 0, -1):
        if (found := _BY_COUNTER.get(counter[:size])) is not None:
            return found
    return None


def explain_report(report: Report | None, counter: bytes, user: User) -> str:
    """The error text of a final report: what happened and what to check."""
    name, level = repr(user.name), LEVEL_NAMES[user.level]
    match report:
        case Report.UNKNOWN_USER:
            return f"the agent does not know user {name}: check the user name"
        case Report.WRONG_DIGEST:
            return (
                f"the agent refused the authentication of user {name}: check the auth passphrase, and that the auth "
                f"protocol is {user.auth_protocol}"
            )
        case Report.UNSUPPORTED_LEVEL:
            return (
                f"the agent does not let user {name} use security level {level}: check the security level, and which "
                "auth and priv protocols the user has on the device"
            )
        case Report.DECRYPTION_ERROR:
            return (
                f"the agent could not decrypt the request of user {name}: check the priv passphrase, and that the priv "
                f"protocol is {user.priv_protocol}"
            )
        case Report.UNKNOWN_CONTEXT | Report.UNAVAILABLE_CONTEXT:
            return f"the agent has no context {user.context_name!r}: check the context name"
        case Report.UNKNOWN_PDU_HANDLER:
            return "the agent does not serve the requested context engine: check the context engine id"
        case Report.UNKNOWN_SECURITY_MODEL | Report.INVALID_MESSAGE:
            return "the agent does not accept messages of the user-based security model: check the SNMP version"
    return f"the agent refused the request of user {name} with report {oid.to_text(counter)}"


def explain_timeout(user: User, *, has_engine_id: bool, has_time: bool, answered: bool) -> str:
    """What to check when an agent does not answer; empty when it ``answered`` an earlier request.

    ``has_engine_id``: it sent its engine id. ``has_time``: it sent its time, so the auth passphrase is right.
    """
    if answered:
        return ""
    if not has_engine_id:
        return "it does not answer SNMPv3 engine discovery: check that SNMPv3 is enabled"
    context = ", and the context name" if user.context_name else ""
    if user.level == SecurityLevel.AUTH_PRIV and has_time:
        return (
            f"it answers SNMPv3 but not the encrypted request: check the priv passphrase of user {user.name!r}, that "
            f"its priv protocol is {user.priv_protocol}{context}"
        )
    return f"it answers SNMPv3 engine discovery only: check user {user.name!r}{context}"


def missing_passphrase(user: User) -> str:
    """The error text for a user without a required passphrase; empty when none is missing."""
    required = (
        (SecurityLevel.AUTH_NO_PRIV, "auth", user.auth_passphrase),
        (SecurityLevel.AUTH_PRIV, "priv", user.priv_passphrase),
    )
    for level, kind, passphrase in required:
        if user.level >= level and not passphrase:
            return f"user {user.name!r} has no {kind} passphrase, which security level {LEVEL_NAMES[user.level]} needs"
    return ""
