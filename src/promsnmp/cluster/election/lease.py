"""The records of the election: what the lease store holds, and what was read from it.

Everything in them comes from outside, from Redis or a Lease, which other programs can write. So the lease stores check
each value by ``read_term``, ``read_duration`` and ``read_word`` before it becomes a part of a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promsnmp.support.claim import MAX_NUMBER, Claim

MAX_DURATION = 86_400.0
"""Seconds: a longer lease is not believed. It would keep all replicas from leading for as long."""
MAX_WORD = 512
"""Characters of a name, an address or an instance; Kubernetes and DNS allow 253."""
MAX_STEP = 2**32
"""A term this much above the highest known one is not believed: with one election per second, that many take 136
years. Without the limit, one wrong record would use up all terms, and no leader could follow."""


class InvalidRecord(ValueError):
    """A value in the lease store is not valid; the text says which and why."""


def read_term(value: str | int | None) -> int:
    """A term from outside, 0 to MAX_NUMBER, as a number or its decimal digits. Raises InvalidRecord."""
    text = str(value) if isinstance(value, int) and abs(value) <= 2 * MAX_NUMBER else value
    if isinstance(value, bool) or not isinstance(text, str):
        raise InvalidRecord("the term is not a number in the allowed range")
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_NUMBER)) or int(text) > MAX_NUMBER:
        raise InvalidRecord(f"the term {_shown(text)} is not a number from 0 to 2^62")
    return int(text)


def read_duration(value: str | float | None) -> float:
    """The seconds of a lease, 0 to MAX_DURATION. Raises InvalidRecord."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and len(str(value)) <= 40 else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= MAX_DURATION:  # false for NaN, too
        raise InvalidRecord(f"the duration {_shown(str(value)[:60])} is not a number of seconds up to {MAX_DURATION:g}")
    return seconds


def read_word(value: object) -> str:
    """A name, an address or an instance. Raises InvalidRecord when it is too long or not printable."""
    if not isinstance(value, str) or len(value) > MAX_WORD or not (value.isprintable() or not value):
        raise InvalidRecord("a name, an address or an instance is too long or not printable")
    return value


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"of {len(text)} characters"


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the lease store holds about a leader."""

    holder: str
    """The replica's name."""
    instance: str
    """Identifies the process; two processes may have the same name."""
    address: str
    """``host:port`` at which the others reach the leader."""
    fencing_token: int
    duration: float
    """Seconds of the leader's lease, by its own settings."""
    released: bool = False
    """The leader released the lease: nobody leads."""
    beat: str = ""
    """Unique for each write; set by the lease store."""
    store: str = ""
    """The server that accepted it, as ``LeaseState.store``; set by the lease store."""
    installation: str = ""
    """The installation of the leader (``members.py``); empty when unknown."""
    mac: str = ""
    """Signature of the replica that wrote it (signed_store.py)."""

    @property
    def claim(self) -> Claim:
        """The claim that this leader writes into the inventory file."""
        return Claim(self.fencing_token, self.instance)


_WORDS = ("holder", "instance", "address", "installation", "mac")
RECORD_FIELDS = (*_WORDS, "term", "duration", "released")
"""The names under which lease stores keep a record."""


def read_record(fields: Mapping[str, Any], *, released: bool, beat: str, store: str = "") -> LeaseRecord:
    """The record in ``fields``, which have at least term and duration. Raises InvalidRecord."""
    words = {name: read_word(fields.get(name, "")) for name in _WORDS}
    term, duration = read_term(fields["term"]), read_duration(fields["duration"])
    return LeaseRecord(**words, fencing_token=term, duration=duration, released=released, beat=beat, store=store)


def vacancy(beat: str, store: str = "") -> LeaseRecord:
    """The record of an empty lease store: released, token 0. ``beat`` differs each time that the store is emptied."""
    return LeaseRecord("", "", "", 0, 0.0, released=True, beat=beat, store=store)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """What was read from the lease store; a write is compared with ``version``."""

    record: LeaseRecord | None
    """None when the store has no record and could not be marked as empty (see ``vacancy``), or an invalid one."""
    version: object = None
    forced: bool = False
    """Somebody removed the leader's name from the store by hand, to force an election."""
    store: str = ""
    """The server that was read: another one after a restart or a failover, when writes may have been lost. Empty for a
    store that never loses writes."""
    problem: str = ""
    """Why the stored record is invalid; empty when it is valid, and without a record."""

    @property
    def fencing_token(self) -> int:
        return 0 if self.record is None else self.record.fencing_token

    @property
    def is_held(self) -> bool:
        """Whether a replica leads and has not released the lease."""
        return self.record is not None and not self.record.released

    def is_of(self, instance: str) -> bool:
        return self.record is not None and self.record.instance == instance

    def changed_from(self, before: LeaseState | None) -> bool:
        return before is None or self.content != before.content

    @property
    def content(self) -> tuple[object, ...]:
        """What counts as a change. An invalid record has no beat, so each other version of it is one."""
        return self.record, self.store, self.problem and self.version
