"""Decides which replica polls which device: rendezvous hashing (Thaler and Ravishankar, 1996), without I/O.

Each device has a score with each member, and the member with the highest score owns it. So every replica computes the
same owner, devices are spread evenly, and when a member joins or leaves, only its devices move.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

_MASK = 0xFFFFFFFF


class HashRing:
    """The members at one moment, and their devices; ``me`` need not be one of them."""

    __slots__ = ("_seeds", "me", "members")

    def __init__(self, members: Sequence[str], me: str) -> None:
        self.members = tuple(sorted(set(members)))
        self.me = me
        self._seeds = [(_hash(name), name) for name in self.members]

    def owner(self, key: str) -> str:
        """The member that owns the device ``key``; ``me`` when there are no members."""
        if len(self._seeds) < 2:
            return self.members[0] if self.members else self.me
        return _highest(key, self._seeds)

    def is_mine(self, key: str) -> bool:
        """Whether ``me`` owns the device."""
        return self.owner(key) == self.me

    def successor(self, key: str) -> str | None:
        """The member that would own the device without ``me``; None when there is no other."""
        others = [member for member in self._seeds if member[1] != self.me]
        return _highest(key, others) if others else None

    def above(self, key: str) -> list[str]:
        """The members that outrank ``me`` for a device, those that would own it before ``me``: all, if ``me`` is no
        member. Of two members the same one outranks the other in every ring that has both."""
        names = self.ranked(key)
        return names[: names.index(self.me)] if self.me in names else names

    def ranked(self, key: str) -> list[str]:
        """All members, each before those that would own the device without it."""
        ranks = sorted(self._seeds, key=lambda member: (-_score(_hash(key), member[0]), member[1]))
        return [name for _, name in ranks]


def _highest(key: str, members: Sequence[tuple[int, str]]) -> str:
    """The member with the highest score; of equal ones the first by name."""
    device, best, found = _hash(key), -1, ""
    for seed, name in members:
        score = _score(device, seed)
        if score > best:
            best, found = score, name
    return found


def _score(device: int, seed: int) -> int:
    """MurmurHash3's 32-bit finalizer over the hashes of a device and a member."""
    mixed = device ^ seed
    mixed = ((mixed ^ mixed >> 16) * 0x85EBCA6B) & _MASK
    return ((mixed ^ mixed >> 13) * 0xC2B2AE35) & _MASK


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")
