"""The audit log: one line for everything that somebody changed, so that it can be told later who did it.

Lines go to the logger ``promsnmp.audit`` at INFO, whatever ``LOG_LEVEL`` says, so that a collector can pick them by
name and a quiet log does not lose them. With ``LOG_FORMAT=json`` each fact is a key of its own. Values are facts
about what was changed (names, ids, addresses, keys), never the values that were set: those may be secrets.
"""

from __future__ import annotations

import json
import logging
import re

LOGGER = "promsnmp.audit"

log = logging.getLogger(LOGGER)

_BARE = re.compile(r"[^\s\"=\\]+\Z")


def audit(what: str, *, who: str, **facts: object) -> None:
    """Writes one line: ``what`` was done (``device added``), by whom, and its ``facts``; None and "" are left out.

    The time is the log line's own. ``facts`` must not be named like an attribute of ``logging.LogRecord``.
    """
    fields = {"what": what, **{key: value for key, value in facts.items() if value not in (None, "")}, "who": who}
    log.info(" ".join(f"{key}={_shown(value)}" for key, value in fields.items()), extra=fields)


def _shown(value: object) -> str:
    """The value as logfmt has it: quoted when a reader could not tell where it ends."""
    text = str(value)
    return text if _BARE.match(text) else json.dumps(text, ensure_ascii=False)
