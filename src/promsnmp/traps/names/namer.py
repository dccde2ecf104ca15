"""Gives names to notifications; definitions are read when the first one comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

from promsnmp.snmp import oid as oids
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.model import Notification
from promsnmp.traps.names.definitions import Definitions, load
from promsnmp.traps.names.model import NamedNotification, NamedVarbind
from promsnmp.traps.names.values import raw_value, value_text

TRAP_COMMUNITY = oids.encode("1.3.6.1.6.3.18.1.4")
"""``snmpTrapCommunity``, which proxies add (RFC 3584 section 3.1): a secret, so it is in no named notification."""
KNOWN_VARBINDS, SHORT = 8192, 64
"""Varbinds whose names are remembered, and octets of such a name and value: traps repeat indexes and states."""
MAX_TEXTS = 64 * 1024
"""Characters of the texts of one notification, at most; varbinds behind them are left out."""


class Namer:
    """Names by the definitions that ``load_definitions`` returns; it is called once, when names are needed first.

    That takes about 0.1 s, so a service calls ``ready`` in a thread before it receives anything.
    """

    def __init__(self, load_definitions: Callable[[], Definitions]) -> None:
        self._load = load_definitions
        self._definitions: Definitions | None = None
        self._lock = threading.Lock()
        self._known = lru_cache(KNOWN_VARBINDS)(self._named)

    @classmethod
    def of_files(cls, paths: Sequence[Path]) -> Namer:
        """Built-in definitions and those of files."""
        return cls(partial(load, paths))

    def ready(self) -> Definitions:
        """The definitions, read if they are not yet. Raises ModuleError when a file is wrong."""
        with self._lock:
            if self._definitions is None:
                self._definitions = self._load()
        return self._definitions

    def name(self, notification: Notification) -> NamedNotification:
        """The notification with names. Raises ModuleError when a file of definitions is wrong."""
        definitions = self._definitions or self.ready()
        known = definitions.notification(notification.oid)
        varbinds, left_out = self._varbinds(notification.varbinds, definitions)
        mib, name = (known.mib, known.name) if known is not None else ("", definitions.name(notification.oid))
        return NamedNotification(notification, mib, name, varbinds, left_out)

    def _named(self, varbind: VarBind) -> NamedVarbind:
        return _named(varbind, self._definitions or self.ready())

    def _varbinds(self, varbinds: Sequence[VarBind], definitions: Definitions) -> tuple[tuple[NamedVarbind, ...], int]:
        named: list[NamedVarbind] = []
        room = MAX_TEXTS
        for at, varbind in enumerate(varbinds):
            if varbind.oid.startswith(TRAP_COMMUNITY):
                continue
            is_short = len(varbind.oid) <= SHORT and len(varbind.value) <= SHORT
            one = self._known(varbind) if is_short else _named(varbind, definitions)
            room -= len(one.text) + len(one.name) + len(one.index)
            if room < 0:
                return tuple(named), len(varbinds) - at
            named.append(one)
        return tuple(named), 0


def _named(varbind: VarBind, definitions: Definitions) -> NamedVarbind:
    found = definitions.object(varbind.oid)
    known, index = found if found is not None else (None, "")
    name = known.name if known is not None else definitions.name(varbind.oid)
    return NamedVarbind(name, index, raw_value(varbind), value_text(known, varbind, definitions))
