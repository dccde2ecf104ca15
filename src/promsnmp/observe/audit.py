"""The audit log: one line for every change, with who made it.

Lines go to the logger ``promsnmp.audit`` at INFO, regardless of ``LOG_LEVEL``, so that a collector can select them by
name and a quiet log does not lose them. With ``LOG_FORMAT=json`` each fact has its own key. Facts are names, ids,
addresses and keys of what changed, never the new values: those may be secrets.
"""

from __future__ import annotations

import json
import logging
import re

LOGGER = "promsnmp.audit"

log = logging.getLogger(LOGGER)

_BARE = re.compile(r"[^\s\"=\\]+\Z")


def audit(what: str, *, who: str, **facts: object) -> None:
    """Writes one line: ``what`` happened (``device added``), who did it, and ``facts``; None and "" are omitted.

    The time is the log line's own. ``facts`` must not be named like an attribute of ``logging.LogRecord``.
    """
    fields = {"what": what, **{key: value for key, value in facts.items() if value not in (None, "")}, "who": who}
    log.info(" ".join(f"{key}={_shown(value)}" for key, value in fields.items()), extra=fields)


def _shown(value: object) -> str:
    """The value in logfmt: quoted when its end would be ambiguous."""
    text = str(value)
    return text if _BARE.match(text) else json.dumps(text, ensure_ascii=False)
