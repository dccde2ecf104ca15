"""Which communities and users are accepted: those of the inventory's devices and seeds, and of the settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from promsnmp.inventory.model import Inventory
from promsnmp.snmp.credentials import Community, Credentials, SecurityLevel, User
from promsnmp.snmp.v3.reports import missing_passphrase

MAX_TRIED = 8
"""Users of one name, with different passphrases, that a message is checked against."""


@dataclass(frozen=True, slots=True)
class AcceptedCredentials:
    """Communities and users; ``repr`` shows none."""

    communities: frozenset[bytes] = field(default=frozenset(), repr=False)
    users: dict[bytes, tuple[User, ...]] = field(default_factory=dict, repr=False)
    """By name, those with different passphrases, each once."""

    @classmethod
    def of(cls, credentials: Iterable[Credentials], communities: Iterable[str] = ()) -> AcceptedCredentials:
        """What is accepted of ``credentials`` and ``communities``: not users that lack a passphrase they need."""
        names = {one.encode() for one in communities}
        users: dict[bytes, dict[User, None]] = {}
        for one in dict.fromkeys(credentials):
            if isinstance(one, Community):
                names.add(one.community.encode())
            elif not missing_passphrase(one):
                users.setdefault(one.name.encode(), {})[_without_context(one)] = None
        return cls(frozenset(names), {name: tuple(found) for name, found in users.items()})

    def users_for(self, name: bytes, level: SecurityLevel, preferred: Iterable[Credentials] = ()) -> list[User]:
        """Users of this name that may send at ``level``, those of the sender's device (``preferred``) first.

        A user with an auth passphrase has to prove itself; one with a priv passphrase may send unencrypted.
        """
        known = self.users.get(name, ())
        first = {_without_context(one) for one in preferred if isinstance(one, User)}
        ordered = sorted(known, key=lambda user: user not in first) if first and len(known) > 1 else known
        return [user for user in ordered if _may_send(user, level)][:MAX_TRIED]


def _may_send(user: User, level: SecurityLevel) -> bool:
    if level is SecurityLevel.NO_AUTH_NO_PRIV:
        return user.level is SecurityLevel.NO_AUTH_NO_PRIV
    return user.level >= level


def _without_context(user: User) -> User:
    """The user without its context, which matters for requests only."""
    if not (user.context_name or user.context_engine_id):
        return user
    return User(
        user.name, user.level, user.auth_protocol, user.auth_passphrase, user.priv_protocol, user.priv_passphrase
    )


def accepted_of(inventory: Inventory, communities: Iterable[str] = ()) -> AcceptedCredentials:
    """Those of all devices and seeds, and more ``communities``. Takes milliseconds for thousands of devices."""
    agents = (agent.credentials for device in inventory.devices for agent in device.agents)
    seeds = (one for seed in inventory.seeds for one in seed.credentials)
    return AcceptedCredentials.of((*agents, *seeds), communities)
